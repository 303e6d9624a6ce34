#include "net/timer_wheel.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace weir::net {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

const TimePoint kStart{std::chrono::hours(7)};

struct Owner {
  explicit Owner(std::function<void()> action) : run(std::move(action)) {}
  void fire() { run(); }
  std::function<void()> run;
  Timer timer{&Timer::call<&Owner::fire, Owner>, this};
};

TEST(TimerWheel, RunsNothingEarlyAndAtMostAMillisecondLate) {
  TimerWheel wheel(kStart);
  int fired = 0;
  Owner owner([&] { ++fired; });
  wheel.arm(owner.timer, kStart + microseconds(2500));
  wheel.advance(kStart + microseconds(2499));
  EXPECT_EQ(fired, 0);
  wheel.advance(kStart + milliseconds(3));
  EXPECT_EQ(fired, 1);
  EXPECT_FALSE(owner.timer.armed());
}

TEST(TimerWheel, DeadlineInThePastRunsAtTheNextTick) {
  TimerWheel wheel(kStart);
  int fired = 0;
  Owner owner([&] { ++fired; });
  wheel.arm(owner.timer, kStart - milliseconds(5));
  wheel.advance(kStart + milliseconds(1));
  EXPECT_EQ(fired, 1);
}

TEST(TimerWheel, NothingArmedHasNoDeadline) {
  TimerWheel wheel(kStart);
  EXPECT_FALSE(wheel.next_deadline());
  Owner owner([] {});
  wheel.arm(owner.timer, kStart + milliseconds(9));
  EXPECT_EQ(wheel.next_deadline(), kStart + milliseconds(9));
  owner.timer.cancel();
  EXPECT_FALSE(wheel.next_deadline());
}

TEST(TimerWheel, DestroyedTimerIsCancelled) {
  TimerWheel wheel(kStart);
  auto owner = std::make_unique<Owner>([] { FAIL(); });
  wheel.arm(owner->timer, kStart + milliseconds(1));
  owner.reset();
  wheel.advance(kStart + milliseconds(10));
}

TEST(TimerWheel, RearmingMovesIt) {
  TimerWheel wheel(kStart);
  int fired = 0;
  Owner owner([&] { ++fired; });
  wheel.arm(owner.timer, kStart + milliseconds(1));
  wheel.arm(owner.timer, kStart + milliseconds(100));
  wheel.advance(kStart + milliseconds(99));
  EXPECT_EQ(fired, 0);
  wheel.advance(kStart + milliseconds(100));
  EXPECT_EQ(fired, 1);
}

TEST(TimerWheel, CallbackMayArmCancelAndDestroy) {
  TimerWheel wheel(kStart);
  std::vector<int> order;
  auto victim = std::make_unique<Owner>([] { FAIL(); });
  auto self = std::unique_ptr<Owner>();
  Owner again([&] { order.push_back(2); });
  self = std::make_unique<Owner>([&] {
    order.push_back(1);
    victim.reset();
    wheel.arm(again.timer, kStart + milliseconds(7));
    self.reset();
  });
  wheel.arm(self->timer, kStart + milliseconds(5));
  wheel.arm(victim->timer, kStart + milliseconds(5));
  wheel.advance(kStart + milliseconds(6));
  EXPECT_EQ(order, std::vector<int>{1});
  wheel.advance(kStart + milliseconds(7));
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(TimerWheel, WheelMayGoBeforeItsTimers) {
  auto wheel = std::make_unique<TimerWheel>(kStart);
  Owner owner([] { FAIL(); });
  wheel->arm(owner.timer, kStart + milliseconds(1));
  wheel.reset();
  EXPECT_FALSE(owner.timer.armed());
}

TEST(TimerWheel, FarDeadlinesAreCutNotLost) {
  TimerWheel wheel(kStart);
  Owner owner([] {});
  wheel.arm(owner.timer, kStart + std::chrono::hours(24 * 365 * 10));
  ASSERT_TRUE(wheel.next_deadline());
  EXPECT_LT(*wheel.next_deadline(), kStart + std::chrono::hours(24 * 365 * 3));
}

/// Against a sorted list, over all levels, with the clock advancing in uneven steps.
TEST(TimerWheel, ManyTimersRunInOrderOfTheirDeadlines) {
  std::mt19937_64 random(7);
  TimerWheel wheel(kStart);
  TimePoint now = kStart;
  std::vector<std::unique_ptr<Owner>> owners;
  std::vector<TimePoint> deadlines;
  TimePoint last{};
  size_t fired = 0;
  for (int count = 0; count < 5000; ++count) {
    const auto range = int64_t{1} << (random() % 28);
    const TimePoint deadline =
        now + microseconds(1 + static_cast<int64_t>(random() % 1000) + 1000 * static_cast<int64_t>(random() % range));
    owners.push_back(std::make_unique<Owner>([&, deadline] {
      const auto tick = std::chrono::ceil<milliseconds>(deadline - kStart);
      EXPECT_GE(kStart + tick, last);
      EXPECT_LE(deadline, now);
      last = kStart + tick;
      ++fired;
    }));
    wheel.arm(owners.back()->timer, deadline);
    if (count % 3 == 0) {
      now += microseconds(random() % 5000);
      last = TimePoint{};
      wheel.advance(now);
    }
    if (count % 7 == 0) owners[random() % owners.size()]->timer.cancel();
  }
  for (auto next = wheel.next_deadline(); next; next = wheel.next_deadline()) {
    ASSERT_GT(*next, now);
    now = *next;
    last = TimePoint{};
    wheel.advance(now);
  }
  EXPECT_GT(fired, 4000U);
}

}  // namespace
}  // namespace weir::net
