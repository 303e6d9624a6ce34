#include "proxy_process/heartbeat.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "child.h"
#include "proxy_process/sandbox.h"
#include "samples.h"

namespace weir::proxy_process {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Verdict = Silence::Verdict;

TEST(Silence, OfAWorkerThatTurnsIsNone) {
  Silence silence;
  auto now = Clock::time_point(1h);
  for (int i = 0; i < 100; ++i, now += kBeatPeriod) EXPECT_EQ(silence.look(now, now - 10ms), Verdict::kWell);
}

TEST(Silence, GrowsFromWellToLateToStuck) {
  Silence silence;
  const auto turned = Clock::time_point(1h);
  auto now = turned;
  std::vector<Verdict> seen;
  for (int i = 0; i <= 21; ++i, now += kBeatPeriod) seen.push_back(silence.look(now, turned));
  EXPECT_EQ(seen[0], Verdict::kWell);
  EXPECT_EQ(seen[3], Verdict::kWell);
  EXPECT_EQ(seen[4], Verdict::kLate) << "1 s";
  EXPECT_EQ(seen[19], Verdict::kLate);
  EXPECT_EQ(seen[20], Verdict::kStuck) << "5 s";
  EXPECT_EQ(silence.look(now, now), Verdict::kWell) << "it came back";
}

TEST(Silence, OfAProcessThatWasStoppedIsNotTheWorkers) {
  Silence silence;
  const auto turned = Clock::time_point(1h);
  silence.look(turned, turned);
  EXPECT_EQ(silence.look(turned + 10min, turned), Verdict::kWell) << "SIGSTOP, SIGCONT: it was not asked meanwhile";
  EXPECT_EQ(silence.look(turned + 10min + kBeatPeriod, turned), Verdict::kWell);
}

class HeartbeatTest : public ::testing::Test {
 protected:
  void SetUp() override {
    memory_.reset(::memfd_create("beat", MFD_CLOEXEC));
    ASSERT_EQ(::ftruncate(memory_.get(), 4096), 0);
    WorkerThread::Setup setup;
    setup.loop = net::LoopKind::kEpoll;
    setup.snapshot = test::empty_snapshot();
    auto worker = WorkerThread::start(std::move(setup));
    ASSERT_TRUE(worker) << worker.error().message;
    worker_ = std::move(*worker);
  }
  BeatPage page() {
    auto page = BeatPage::map(memory_.get());
    EXPECT_TRUE(page);
    return std::move(*page);
  }
  bool wait(const std::function<bool()>& condition) {
    const auto deadline = Clock::now() + 20s;
    while (!condition() && Clock::now() < deadline) std::this_thread::sleep_for(5ms);
    return condition();
  }

  FileDescriptor memory_;
  std::unique_ptr<WorkerThread> worker_;
};

TEST_F(HeartbeatTest, BeatsOnceItHasBegunAndUntilItIsQuiet) {
  const BeatPage seen = page();
  Heartbeat heartbeat(page(), {worker_.get()}, [](WorkerThread&) {});
  std::this_thread::sleep_for(2 * kBeatPeriod);
  EXPECT_EQ(seen.read(), Clock::time_point{}) << "nobody is to come before there is a configuration";
  heartbeat.begin();
  ASSERT_NE(seen.read(), Clock::time_point{}) << "at once: the kernel follows the configuration right after";
  const auto first = seen.read();
  EXPECT_LE(first, Clock::now());
  EXPECT_TRUE(wait([&] { return seen.read() > first; }));
  heartbeat.quiet();
  std::this_thread::sleep_for(kBeatPeriod);
  const auto last = seen.read();
  std::this_thread::sleep_for(3 * kBeatPeriod);
  EXPECT_EQ(seen.read(), last);
}

TEST_F(HeartbeatTest, AStuckWorkerIsToldOnce) {
  std::atomic<int> told{0};
  std::atomic<bool> release{false};
  const BeatPage seen = page();
  worker_->run_in_loop([&release] {
    while (!release) std::this_thread::sleep_for(1ms);
  });
  Heartbeat heartbeat(page(), {worker_.get()}, [&told](WorkerThread&) { ++told; });
  heartbeat.begin();
  EXPECT_TRUE(wait([&] { return told > 0; }));
  EXPECT_LT(seen.read(), Clock::now() - kStuck + kLate + 1s) << "no beat for it";
  release = true;
}

/// What a child wrote to stderr, and how it ended.
std::pair<std::string, int> run_and_read(const std::function<int()>& work) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const FileDescriptor read(ends[0]);
  FileDescriptor write(ends[1]);
  const int status = test::in_child_without_rights([&] {
    ::dup2(write.get(), STDERR_FILENO);
    return work();
  });
  write.reset();
  std::string text(65536, '\0');
  const ssize_t count = ::read(read.get(), text.data(), text.size());
  text.resize(count > 0 ? static_cast<size_t>(count) : 0);
  return {text, status};
}

TEST(StackOfAStuckWorker, GoesToTheLogAndTheProcessEnds) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const auto [text, status] = run_and_read([] {
    prepare_stack_dump();
    if (!enter_sandbox()) return 1;
    WorkerThread::Setup setup;
    setup.loop = net::LoopKind::kEpoll;
    setup.snapshot = test::empty_snapshot();
    auto worker = WorkerThread::start(std::move(setup));
    if (!worker) return 2;
    (*worker)->run_in_loop([] {
      for (;;) std::this_thread::sleep_for(1ms);
    });
    abort_with_stack(**worker);
  });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) << status;
  EXPECT_THAT(text, ::testing::HasSubstr("stuck"));
  EXPECT_THAT(text, ::testing::HasSubstr("proxy_process_test(+0x")) << "frames, in the sandbox too";
}

TEST(BeatPage, WhatCannotBeMappedIsAnError) {
  EXPECT_FALSE(BeatPage::map(-1));
}

}  // namespace
}  // namespace weir::proxy_process
