#include "agent/node/event_loop.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace weir::agent {
namespace {

using std::chrono::milliseconds;

class EventLoopTest : public ::testing::Test {
 protected:
  std::unique_ptr<EventLoop> loop_ = std::move(*EventLoop::create());
};

TEST_F(EventLoopTest, CallsBackForAReadableDescriptor) {
  int fds[2];
  ASSERT_EQ(::pipe(fds), 0);
  const FileDescriptor read_end(fds[0]), write_end(fds[1]);
  int calls = 0;
  ASSERT_TRUE(loop_->add(read_end.get(), [&] {
    char byte = 0;
    EXPECT_EQ(::read(read_end.get(), &byte, 1), 1);
    if (++calls == 2) loop_->stop();
  }));
  ASSERT_EQ(::write(write_end.get(), "ab", 2), 2);
  loop_->run();
  EXPECT_EQ(calls, 2);
  loop_->remove(read_end.get());
}

TEST_F(EventLoopTest, DescriptorThatEpollDoesNotTake) {
  EXPECT_FALSE(loop_->add(-1, [] {}));
}

TEST_F(EventLoopTest, CallbackMayRemoveAnother) {
  int a[2], b[2];
  ASSERT_EQ(::pipe(a), 0);
  ASSERT_EQ(::pipe(b), 0);
  const FileDescriptor ar(a[0]), aw(a[1]), br(b[0]), bw(b[1]);
  int calls = 0;
  const auto first_wins = [&] {
    ++calls;
    loop_->remove(ar.get());
    loop_->remove(br.get());
    loop_->post([&] { loop_->stop(); });
  };
  ASSERT_TRUE(loop_->add(ar.get(), first_wins));
  ASSERT_TRUE(loop_->add(br.get(), first_wins));
  ASSERT_EQ(::write(aw.get(), "x", 1), 1);
  ASSERT_EQ(::write(bw.get(), "x", 1), 1);
  loop_->run();
  EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, TimerFiresOnceOrAgain) {
  int once = 0, again = 0;
  auto first = *Timer::create(*loop_, [&] { ++once; });
  auto second = *Timer::create(*loop_, [&] {
    if (++again == 3) loop_->stop();
  });
  first->once(milliseconds(0));
  second->every(milliseconds(2));
  loop_->run();
  EXPECT_EQ(once, 1);
  EXPECT_EQ(again, 3);
}

TEST_F(EventLoopTest, CancelledTimerDoesNotFire) {
  bool fired = false;
  auto timer = *Timer::create(*loop_, [&] { fired = true; });
  timer->once(milliseconds(1));
  timer->cancel();
  auto end = *Timer::create(*loop_, [&] { loop_->stop(); });
  end->once(milliseconds(10));
  loop_->run();
  EXPECT_FALSE(fired);
}

TEST_F(EventLoopTest, CallFromAnotherThread) {
  int value = 0;
  std::thread caller([&] {
    EXPECT_TRUE(loop_->call([&] { value = 7; }, milliseconds(10'000)));
    loop_->post([&] { loop_->stop(); });
  });
  loop_->run();
  caller.join();
  EXPECT_EQ(value, 7);
}

TEST_F(EventLoopTest, CallToABusyLoopTimesOut) {
  // The loop does not run at all.
  const auto result = loop_->call([] {}, milliseconds(5));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ETIMEDOUT);
}

TEST_F(EventLoopTest, CallAfterTheEndIsAnError) {
  loop_->post([&] { loop_->stop(); });
  loop_->run();
  const auto result = loop_->call([] {}, milliseconds(10'000));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "the agent is stopping");
}

TEST_F(EventLoopTest, CallThatWaitsAtTheEndIsAnError) {
  std::atomic<bool> answered{false};
  std::thread caller;
  loop_->post([&] {
    // Queued behind this very turn, which ends the loop.
    caller = std::thread([&] {
      EXPECT_FALSE(loop_->call([] { FAIL(); }, milliseconds(10'000)));
      answered = true;
    });
    loop_->stop();
  });
  loop_->run();
  caller.join();
  EXPECT_TRUE(answered);
}

}  // namespace
}  // namespace weir::agent
