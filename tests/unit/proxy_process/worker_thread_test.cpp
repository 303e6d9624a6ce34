#include "proxy_process/worker_thread.h"

#include <gtest/gtest.h>

#include "net/socket.h"
#include "samples.h"

namespace weir::proxy_process {
namespace {

using namespace std::chrono_literals;

bool wait(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!condition() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(2ms);
  return condition();
}

Result<std::unique_ptr<WorkerThread>> start(std::vector<FileDescriptor> listeners = {}) {
  WorkerThread::Setup setup;
  setup.loop = net::LoopKind::kEpoll;
  setup.snapshot = test::empty_snapshot();
  setup.listeners = std::move(listeners);
  return WorkerThread::start(std::move(setup));
}

TEST(WorkerThread, GivesASignOfLifeWhenAsked) {
  const auto worker = start();
  ASSERT_TRUE(worker);
  EXPECT_EQ((*worker)->loop_name(), "epoll");
  const auto first = (*worker)->last_turn();
  (*worker)->probe();
  EXPECT_TRUE(wait([&] { return (*worker)->last_turn() > first; }));
}

TEST(WorkerThread, OfAStuckLoopComesNoSignAndQuestionsDoNotPileUp) {
  const auto worker = start();
  ASSERT_TRUE(worker);
  std::atomic<bool> inside{false}, release{false};
  (*worker)->run_in_loop([&] {
    inside = true;
    while (!release) std::this_thread::sleep_for(1ms);
  });
  ASSERT_TRUE(wait([&] { return inside.load(); }));
  const auto before = (*worker)->last_turn();
  for (int i = 0; i < 1000; ++i) (*worker)->probe();
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ((*worker)->last_turn(), before);
  release = true;
  EXPECT_TRUE(wait([&] { return (*worker)->last_turn() > before; }));
}

TEST(WorkerThread, WithNothingUnderWayHasDrainedAtOnce) {
  const auto worker = start();
  ASSERT_TRUE(worker);
  EXPECT_FALSE((*worker)->drained());
  (*worker)->drain(10s);
  EXPECT_TRUE(wait([&] {
    (*worker)->probe();
    return (*worker)->drained();
  }));
}

TEST(WorkerThread, TakesWhoComesToItsListener) {
  auto listener = net::listen_tcp({*IpAddress::parse("127.0.0.1"), 0});
  ASSERT_TRUE(listener);
  const auto address = net::local_address(listener->get());
  std::vector<FileDescriptor> listeners;
  listeners.push_back(std::move(*listener));
  const auto worker = start(std::move(listeners));
  ASSERT_TRUE(worker);
  const auto client = net::tcp_socket(*address);
  const auto raw = net::to_raw(*address);
  ::connect(client->get(), raw.get(), raw.length);
  EXPECT_TRUE(wait([&] { return (*worker)->stats().refused_no_frontend.get() == 1; }))
      << "nothing is known of its port";
}

}  // namespace
}  // namespace weir::proxy_process
