#pragma once
// A proxy that runs, and what it is told.

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>

#include "agent/proxy/launch.h"
#include "agent/proxy/link.h"
#include "agent/proxy/listeners.h"
#include "tests/unit/proxy_process/samples.h"
#include "tests/unit/support/temp_dir.h"

namespace weir::agent::test {

inline FileDescriptor beat_memory() {
  FileDescriptor fd(::memfd_create("beat", MFD_CLOEXEC));
  EXPECT_EQ(::ftruncate(fd.get(), 4096), 0);
  return fd;
}

inline proxy_process::Settings settings(size_t workers = 1) {
  proxy_process::Settings settings;
  settings.workers = workers;
  settings.loop = net::LoopKind::kEpoll;
  settings.node = "node";
  settings.proxy.timeouts.drain = std::chrono::seconds(2);
  return settings;
}

class RunningProxy : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    launch_.executable = WEIR_TEST_PROXY;
    launch_.run_dir = dir_.path().string();
    const auto launched = launch_proxy(launch_);
    ASSERT_TRUE(launched) << launched.error().message;
    launched_ = *launched;
    auto link = ProxyLink::connect(launched_.socket_path, std::chrono::seconds(10));
    ASSERT_TRUE(link) << link.error().message;
    link_ = std::move(*link);
  }
  void TearDown() override {
    if (launched_.pid <= 0) return;
    ::kill(launched_.pid, SIGKILL);
    ::waitpid(launched_.pid, nullptr, 0);
  }
  void start() {
    ASSERT_TRUE(fill_proxy_listeners(listeners_, 1));
    const auto started = link_->start(settings(), beat_.get(), -1, sockets_for_proxy(listeners_, 1), kLong);
    ASSERT_TRUE(started) << started.error().message;
    const auto taken = link_->configure(proxy_process::test::sample_configuration(3), kLong);
    ASSERT_TRUE(taken) << taken.error().message;
    ASSERT_EQ(*taken, 3U);
  }
  static constexpr ProxyLink::Timeout kLong{10'000};

  weir::test::TempDir dir_;
  ProxyLaunch launch_;
  LaunchedProxy launched_;
  std::unique_ptr<ProxyLink> link_;
  FileDescriptor beat_ = beat_memory();
  std::vector<FileDescriptor> listeners_;
};

}  // namespace weir::agent::test
