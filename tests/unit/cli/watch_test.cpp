#include "cli/watch.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <csignal>
#include <sstream>
#include <thread>

namespace weir::cli {
namespace {

class Watch : public ::testing::Test {
 protected:
  void SetUp() override {
    // Threads that the tests start inherit it: the signal waits until the watch asks for it.
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, &set, &before_), 0);
  }
  void TearDown() override { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  sigset_t before_{};
  std::istringstream in_;
  std::ostringstream out_, err_;
  Context context_{in_, out_, err_, false, {}};
};

TEST_F(Watch, OnceWithoutTheOption) {
  int shown = 0;
  EXPECT_EQ(show_or_watch(context_,
                          [&](Context& inner) {
                            ++shown;
                            inner.out << "x";
                            return kError;
                          }),
            kError);
  EXPECT_EQ(shown, 1);
  EXPECT_EQ(out_.str(), "x");
}

TEST_F(Watch, EndsWhenTheAgentIsGone) {
  context_.options.watch = true;
  int shown = 0;
  const int code = show_or_watch(context_, [&](Context& inner) {
    inner.out << "x\n";
    return ++shown < 3 ? kOk : kUnreachable;
  });
  EXPECT_EQ(code, kUnreachable);
  EXPECT_EQ(out_.str(), "x\n");  // not on a terminal: only when it changed
}

TEST_F(Watch, GoesOnWhileDegradedAndEndsAtAnInterrupt) {
  context_.options.watch = true;
  int code = -1, shown = 0;
  std::thread watcher([&] {
    code = show_or_watch(context_, [&](Context& inner) {
      inner.out << ++shown << "\n";
      ::pthread_kill(::pthread_self(), SIGINT);
      return kError;
    });
  });
  watcher.join();
  EXPECT_EQ(code, kError);
  EXPECT_EQ(out_.str(), "1\n");
}

TEST_F(Watch, TerminalIsDrawnOver) {
  context_.options.watch = true;
  context_.out_is_terminal = true;
  int shown = 0;
  show_or_watch(context_, [&](Context& inner) {
    inner.out << "x\n";
    return ++shown < 2 ? kOk : kUnreachable;
  });
  EXPECT_EQ(out_.str(), "\x1b[H\x1b[2Jx\n");
}

}  // namespace
}  // namespace weir::cli
