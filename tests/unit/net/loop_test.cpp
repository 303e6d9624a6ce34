#include "net/loop.h"

#include <sys/eventfd.h>

#include <thread>

#include "loop_fixture.h"

namespace weir::net {
namespace {

using std::chrono::milliseconds;

struct Alarm {
  explicit Alarm(std::function<void()> action) : run(std::move(action)) {}
  void fire() { run(); }
  std::function<void()> run;
  Timer timer{&Timer::call<&Alarm::fire, Alarm>, this};
};

class LoopRun : public LoopTest {};
WEIR_BOTH_LOOPS(LoopRun);

TEST_P(LoopRun, TimersRunInOrderAndNotEarly) {
  std::vector<int> order;
  const auto start = loop->now();
  Alarm late([&] {
    order.push_back(30);
    EXPECT_GE(loop->now() - start, milliseconds(30));
  });
  Alarm early([&] {
    order.push_back(5);
    EXPECT_GE(loop->now() - start, milliseconds(5));
  });
  Alarm middle([&] { order.push_back(12); });
  loop->arm(late.timer, milliseconds(30));
  loop->arm(early.timer, milliseconds(5));
  loop->arm(middle.timer, milliseconds(12));
  ASSERT_TRUE(pump([&] { return order.size() == 3; }));
  EXPECT_EQ(order, (std::vector<int>{5, 12, 30}));
}

TEST_P(LoopRun, ATimerDoesNotMakeItSpin) {
  bool fired = false;
  Alarm alarm([&] { fired = true; });
  loop->arm(alarm.timer, milliseconds(50));
  int turns = 0;
  while (!fired && turns < 100) {
    loop->run_once(std::chrono::seconds(5));
    ++turns;
  }
  EXPECT_TRUE(fired);
  EXPECT_LT(turns, 10);
}

TEST_P(LoopRun, TasksFromAnotherThreadRunHereInOrder) {
  constexpr int kTasks = 10'000;
  std::vector<int> seen;
  const auto here = std::this_thread::get_id();
  std::thread other([&] {
    for (int task = 0; task < kTasks; ++task) {
      loop->post([&, task] {
        EXPECT_EQ(std::this_thread::get_id(), here);
        seen.push_back(task);
        if (task == kTasks - 1) loop->stop();
      });
    }
  });
  loop->run();
  other.join();
  ASSERT_EQ(seen.size(), static_cast<size_t>(kTasks));
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

TEST_P(LoopRun, StopFromAnotherThreadEndsAnIdleLoop) {
  std::thread other([&] { loop->stop(); });
  loop->run_once(milliseconds(0));
  other.join();
  loop->post([&] { loop->stop(); });
  loop->run();
}

TEST_P(LoopRun, TaskMayPostAnother) {
  bool second = false;
  loop->post([&] { loop->post([&] { second = true; }); });
  EXPECT_TRUE(pump([&] { return second; }));
}

struct EventWatch final : WatchHandler {
  void on_readable() override {
    ++calls;
    if (drain) {
      uint64_t count;
      EXPECT_EQ(::read(fd, &count, sizeof count), static_cast<ssize_t>(sizeof count));
    }
  }
  int fd = -1;
  bool drain = true;
  int calls = 0;
};

TEST_P(LoopRun, WatchIsCalledWhileReadable) {
  const FileDescriptor event(::eventfd(2, EFD_NONBLOCK | EFD_CLOEXEC | EFD_SEMAPHORE));
  EventWatch watch;
  watch.fd = event.get();
  loop->add_watch(event.get(), watch);
  ASSERT_TRUE(pump([&] { return watch.calls == 2; }));
  loop->run_once(milliseconds(1));
  loop->run_once(milliseconds(1));
  EXPECT_EQ(watch.calls, 2);
}

TEST_P(LoopRun, RemovedWatchIsNotCalled) {
  const FileDescriptor event(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  EventWatch watch;
  watch.fd = event.get();
  const uint32_t number = loop->add_watch(event.get(), watch);
  loop->run_once(milliseconds(0));
  const uint64_t one = 1;
  ASSERT_EQ(::write(event.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
  loop->remove_watch(number);
  loop->run_once(milliseconds(1));
  EXPECT_EQ(watch.calls, 0);
  // The place is used again, and a late completion of the old one does not reach the new one.
  EventWatch other;
  other.fd = event.get();
  EXPECT_EQ(loop->add_watch(event.get(), other), number);
  ASSERT_TRUE(pump([&] { return other.calls == 1; }));
  EXPECT_EQ(watch.calls, 0);
}

}  // namespace
}  // namespace weir::net
