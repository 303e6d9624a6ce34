// The supervisor with a real proxy and a kernel of the test's own. Covers proxy_supervisor_watch.cpp too.

#include "agent/proxy/supervisor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "datapath/cgroup.h"
#include "net/socket.h"
#include "sample.h"

namespace weir::agent {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using What = ProxyState::What;

/// Remembers what it was told.
class FakeKernel : public ProxyKernel {
 public:
  std::string why_no_proxy() override { return why; }
  Result<void> set_proxy(const datapath::ProxyPlace& place) override {
    places.push_back(place);
    return {};
  }
  Result<void> set_proxy_listeners(std::span<const int> fds) override {
    std::vector<uint16_t> ports;
    for (const int fd : fds) ports.push_back(net::local_address(fd)->port);
    listeners.push_back(std::move(ports));
    return {};
  }
  Result<FileDescriptor> proxy_beat() override { return FileDescriptor(::dup(beat.get())); }

  std::string why;
  std::vector<datapath::ProxyPlace> places;
  std::vector<std::vector<uint16_t>> listeners;
  FileDescriptor beat = test::beat_memory();
};

class ProxySupervisorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto root = datapath::find_cgroup2_root();
    if (!root || ::geteuid() != 0) GTEST_SKIP() << "needs root and cgroup2";
    options_.cgroup = *root + "/weir-supervisor-" + std::to_string(::getpid());
    ASSERT_EQ(::mkdir(options_.cgroup.c_str(), 0755), 0);
    options_.launch.executable = WEIR_TEST_PROXY;
    options_.launch.run_dir = dir_.path().string();
    options_.settings = test::settings();
    options_.build_id = build_of_test_proxy();
    options_.addresses.v4 = IpAddress::parse("127.0.0.1");
    loop_ = std::move(*EventLoop::create());
    ASSERT_TRUE(create());
  }
  void TearDown() override {
    supervisor_.reset();
    for (const auto& path : proxy_sockets(dir_.path().string()))
      if (const auto link = ProxyLink::connect(path, 0ms)) (*link)->kill();
    for (int tries = 0; tries < 500 && !options_.cgroup.empty(); ++tries) {
      while (::waitpid(-1, nullptr, WNOHANG) > 0) {}
      ::rmdir((options_.cgroup + "/weir-proxy").c_str());
      if (::rmdir(options_.cgroup.c_str()) == 0) break;
      std::this_thread::sleep_for(5ms);
    }
  }
  static std::string build_of_test_proxy() {
    weir::test::TempDir dir;
    ProxyLaunch launch;
    launch.executable = WEIR_TEST_PROXY;
    launch.run_dir = dir.path().string();
    const auto launched = launch_proxy(launch);
    const auto link = ProxyLink::connect(launched->socket_path, 10s);
    const auto hello = (*link)->hello(10s);
    ::kill(launched->pid, SIGKILL);
    ::waitpid(launched->pid, nullptr, 0);
    return hello ? hello->build : "";
  }
  bool create() {
    auto made = ProxySupervisor::create(options_, *loop_, kernel_, files_, [this] { ++changes_; });
    EXPECT_TRUE(made) << made.error().message;
    if (made) supervisor_ = std::move(*made);
    return made.has_value();
  }
  void prepare(uint64_t generation, bool needed = true) {
    files_.take({{"app.yaml", std::make_shared<const config::ParsedFile>(
                                  config::read_yaml(proxy_process::test::sample_yaml(), "app.yaml"))}});
    supervisor_->prepare({generation, needed, {{61'000, *IpAddress::parse("10.96.0.2"), 80}}});
  }
  /// Lets the loop run until `condition`, at most 20 s.
  bool run_until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    auto poll = Timer::create(*loop_, [&] {
      if (condition() || std::chrono::steady_clock::now() > deadline) loop_->stop();
    });
    (*poll)->every(5ms);
    loop_->run();
    return condition();
  }
  const ProxyState& state() { return supervisor_->state(); }
  static void signal_proxy(int pid, int signal) {
    ASSERT_GT(pid, 0) << "there is no proxy; 0 would be this process and all of its group";
    ::kill(pid, signal);
  }

  weir::test::TempDir dir_;
  ProxyOptions options_;
  std::unique_ptr<EventLoop> loop_;
  FakeKernel kernel_;
  FileObjects files_;
  int changes_ = 0;
  std::unique_ptr<ProxySupervisor> supervisor_;
};

TEST_F(ProxySupervisorTest, StartsNoneWhereNobodyNeedsOne) {
  prepare(1, false);
  EXPECT_EQ(state().what, What::kUnneeded);
  EXPECT_TRUE(proxy_sockets(dir_.path().string()).empty());
  EXPECT_TRUE(kernel_.places.empty());
}

TEST_F(ProxySupervisorTest, OneThatIsNeededServesWhenPrepareReturns) {
  prepare(7);
  EXPECT_EQ(state().what, What::kUp) << state().why;
  EXPECT_EQ(state().generation, 7U);
  EXPECT_EQ(state().workers, 1U);
  EXPECT_EQ(state().loop, "epoll");
  EXPECT_TRUE(state().trouble.empty()) << state().trouble;
  ASSERT_EQ(kernel_.places.size(), 1U);
  EXPECT_TRUE(kernel_.places[0].enabled);
  EXPECT_EQ(kernel_.places[0].v4, IpAddress::parse("127.0.0.1"));
  EXPECT_NE(kernel_.places[0].cgroup_id, 0U);
  ASSERT_EQ(kernel_.listeners.size(), 1U);
  EXPECT_GE(kernel_.listeners[0].size(), 1U);
  EXPECT_TRUE(run_until([&] { return supervisor_->beat_age().has_value(); }));
  EXPECT_LT(*supervisor_->beat_age(), 2s);
  const auto report = supervisor_->report();
  ASSERT_TRUE(report && *report);
  EXPECT_EQ((*report)->generation, 7U);
}

TEST_F(ProxySupervisorTest, IsToldEveryChange) {
  prepare(1);
  const int pid = state().pid;
  for (uint64_t generation = 2; generation < 6; ++generation) {
    prepare(generation);
    EXPECT_EQ(state().generation, generation);
  }
  prepare(6, false);
  EXPECT_EQ(state().generation, 6U) << "kept, and told, when the last service that needed it is gone";
  EXPECT_EQ(state().pid, pid);
}

TEST_F(ProxySupervisorTest, AKilledOneIsReplacedOverTheSameSockets) {
  prepare(3);
  const int pid = state().pid;
  signal_proxy(pid, SIGKILL);
  bool was_down = false;
  EXPECT_TRUE(run_until([&] {
    if (state().what == What::kDown) {
      was_down = true;
      EXPECT_THAT(state().why, HasSubstr("signal 9"));
    }
    return was_down && state().what == What::kUp;
  }));
  EXPECT_NE(state().pid, pid);
  EXPECT_EQ(state().restarts, 1U);
  EXPECT_EQ(state().generation, 3U) << "told what holds";
  EXPECT_EQ(kernel_.listeners.back(), kernel_.listeners.front()) << "who waits in the queue is served";
}

TEST_F(ProxySupervisorTest, AStoppedOneIsEndedAndReplaced) {
  prepare(3);
  const int pid = state().pid;
  signal_proxy(pid, SIGSTOP);
  bool was_silent = false;
  EXPECT_TRUE(run_until([&] {
    was_silent = was_silent || state().silent;
    return state().pid != pid && state().what == What::kUp;
  }));
  EXPECT_TRUE(was_silent);
  EXPECT_FALSE(state().silent);
}

TEST_F(ProxySupervisorTest, AStoppedOneHoldsAChangeUpForASecondAtMost) {
  prepare(1);
  signal_proxy(state().pid, SIGSTOP);
  const auto before = std::chrono::steady_clock::now();
  prepare(2);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 3s);
  EXPECT_THAT(state().trouble, HasSubstr("generation 2"));
  EXPECT_EQ(state().generation, 1U);
  signal_proxy(state().pid, SIGCONT);
  EXPECT_TRUE(run_until([&] { return state().generation == 2 && state().trouble.empty(); }));
}

TEST_F(ProxySupervisorTest, IsReplacedWithoutAGap) {
  prepare(4);
  const int old = state().pid;
  const auto replaced = supervisor_->replace("test");
  ASSERT_TRUE(replaced) << replaced.error().message;
  EXPECT_NE(state().pid, old);
  EXPECT_EQ(state().generation, 4U);
  EXPECT_EQ(state().draining, std::vector<int>{old});
  EXPECT_EQ(kernel_.listeners.back(), kernel_.listeners.front());
  EXPECT_TRUE(run_until([&] { return state().draining.empty(); }));
  EXPECT_EQ(state().what, What::kUp) << "the end of the old one is not the new one's";
  EXPECT_EQ(state().restarts, 0U);
  EXPECT_EQ(proxy_sockets(dir_.path().string()).size(), 1U);
}

TEST_F(ProxySupervisorTest, ANewOneThatCannotBeStartedLeavesTheOld) {
  prepare(4);
  const int old = state().pid;
  supervisor_.reset();
  options_.launch.executable = "/bin/false";
  options_.settings.workers = 2;  // another digest: to be replaced
  ASSERT_TRUE(create());
  EXPECT_EQ(state().pid, old);
  prepare(5);
  EXPECT_EQ(state().pid, old);
  EXPECT_EQ(state().what, What::kUp);
  EXPECT_EQ(state().generation, 5U) << "it is told all the same";
}

TEST_F(ProxySupervisorTest, TheNextAgentAdoptsIt) {
  prepare(4);
  const int pid = state().pid;
  supervisor_.reset();
  ASSERT_TRUE(create());
  EXPECT_EQ(state().what, What::kUp);
  EXPECT_EQ(state().pid, pid);
  EXPECT_TRUE(state().adopted);
  EXPECT_EQ(state().generation, 4U);
  prepare(5);
  EXPECT_EQ(state().pid, pid);
  EXPECT_EQ(state().generation, 5U);
  EXPECT_EQ(kernel_.listeners.back(), kernel_.listeners.front());
}

// The kernel reads another map than the proxy writes: every header rule was bypassed, and health said healthy.
TEST_F(ProxySupervisorTest, OneThatBeatsWhereTheKernelDoesNotLookIsSaidAndReplaced) {
  prepare(4);
  const int old = state().pid;
  supervisor_.reset();
  kernel_.beat = test::beat_memory();
  ASSERT_TRUE(create());
  EXPECT_EQ(state().pid, old);
  prepare(5);
  bool said = false;
  EXPECT_TRUE(run_until([&] {
    said = said || state().silent;
    return state().what == What::kUp && state().pid != old && supervisor_->beat_age().value_or(1h) < 2s;
  }));
  EXPECT_TRUE(said) << "nobody has noticed";
  EXPECT_FALSE(state().silent);
}

TEST_F(ProxySupervisorTest, OneOfAnotherBuildIsReplacedOverTheSameSockets) {
  prepare(4);
  const int old = state().pid;
  supervisor_.reset();
  options_.build_id = "another";
  ASSERT_TRUE(create());
  EXPECT_EQ(state().pid, old) << "until there is a configuration for the new one";
  prepare(5);
  EXPECT_NE(state().pid, old);
  EXPECT_EQ(state().generation, 5U);
  EXPECT_EQ(state().draining, std::vector<int>{old});
  EXPECT_EQ(kernel_.listeners.back(), kernel_.listeners.front());
}

TEST_F(ProxySupervisorTest, MoreWorkersGetMoreSockets) {
  prepare(4);
  supervisor_.reset();
  options_.settings.workers = 3;
  ASSERT_TRUE(create());
  prepare(5);
  ASSERT_EQ(kernel_.listeners.back().size(), 3 * kernel_.listeners.front().size());
  for (const uint16_t port : kernel_.listeners.front())
    EXPECT_THAT(kernel_.listeners.back(), ::testing::Contains(port));
  EXPECT_EQ(state().workers, 3U);
}

TEST_F(ProxySupervisorTest, SocketsOfDeadOnesAreCleared) {
  prepare(4);
  const int pid = state().pid;
  supervisor_.reset();
  signal_proxy(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  EXPECT_EQ(proxy_sockets(dir_.path().string()).size(), 1U);
  ASSERT_TRUE(create());
  EXPECT_TRUE(proxy_sockets(dir_.path().string()).empty());
  EXPECT_EQ(state().what, What::kUnneeded);
}

TEST_F(ProxySupervisorTest, OneThatCannotBeStartedIsTriedAgain) {
  supervisor_.reset();
  options_.launch.executable = "/bin/false";
  ASSERT_TRUE(create());
  prepare(4);
  EXPECT_EQ(state().what, What::kDown);
  EXPECT_THAT(state().why, HasSubstr("cannot be started"));
  const int changes = changes_;
  EXPECT_TRUE(run_until([&] { return changes_ >= changes + 3; })) << "with growing pauses";
  EXPECT_EQ(state().what, What::kDown);
  EXPECT_TRUE(proxy_sockets(dir_.path().string()).empty());
}

TEST_F(ProxySupervisorTest, WhoWaitsForOneThatDoesNotComeBackIsTold) {
  const std::string program = dir_.file("proxy");
  std::filesystem::copy_file(WEIR_TEST_PROXY, program);
  supervisor_.reset();
  options_.launch.executable = program;
  ASSERT_TRUE(create());
  prepare(1);
  ASSERT_EQ(state().what, What::kUp) << state().why;
  const auto before = kernel_.listeners.size();
  std::filesystem::remove(program);
  signal_proxy(state().pid, SIGKILL);
  EXPECT_TRUE(run_until([&] { return kernel_.listeners.size() > before; }));
  EXPECT_NE(kernel_.listeners.back(), kernel_.listeners.front()) << "new sockets: the old queue is reset";
}

TEST_F(ProxySupervisorTest, AKernelThatCannotIsSaidSo) {
  supervisor_.reset();
  kernel_.why = "Linux 5.9 or later is needed";
  ASSERT_TRUE(create());
  prepare(1);
  EXPECT_EQ(state().what, What::kUnsupported);
  EXPECT_THAT(state().why, HasSubstr("5.9"));
  EXPECT_TRUE(proxy_sockets(dir_.path().string()).empty());
}

TEST_F(ProxySupervisorTest, TheAccessLogIsOpenedAnew) {
  supervisor_.reset();
  options_.access_log = dir_.file("access.log");
  options_.settings.proxy.access_log = proxy::AccessLogFormat::kText;
  ASSERT_TRUE(create());
  prepare(1);
  ASSERT_EQ(state().what, What::kUp) << state().why;
  std::filesystem::rename(dir_.file("access.log"), dir_.file("access.log.1"));
  supervisor_->reopen_log();
  EXPECT_TRUE(std::filesystem::exists(dir_.file("access.log")));
  const std::string folder = "/proc/" + std::to_string(state().pid) + "/fd";
  std::set<std::string> open;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    open.insert(std::filesystem::read_symlink(entry.path()).string());
  EXPECT_TRUE(open.contains(dir_.file("access.log")));
  EXPECT_FALSE(open.contains(dir_.file("access.log.1"))) << "a rotated log is let go";
}

TEST_F(ProxySupervisorTest, ALogThatCannotBeOpenedIsAnErrorAtOnce) {
  supervisor_.reset();
  options_.access_log = dir_.file("no/such/folder");
  EXPECT_FALSE(ProxySupervisor::create(options_, *loop_, kernel_, files_, [] {}));
}

}  // namespace
}  // namespace weir::agent
