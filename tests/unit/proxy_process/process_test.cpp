// The process as it is, in a child: without rights, in its sandbox, spoken to over its socket.

#include "proxy_process/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

#include "child.h"
#include "net/socket.h"
#include "proxy_process/channel.h"
#include "proxy_process/heartbeat.h"
#include "samples.h"
#include "tests/unit/support/temp_dir.h"

namespace weir::proxy_process {
namespace {

using namespace std::chrono_literals;

class ProcessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    address_.sun_family = AF_UNIX;
    std::strncpy(address_.sun_path, dir_.file("control").c_str(), sizeof address_.sun_path - 1);
    const FileDescriptor control(::socket(AF_UNIX, SOCK_SEQPACKET, 0));
    ASSERT_EQ(::bind(control.get(), reinterpret_cast<sockaddr*>(&address_), sizeof address_), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      if (drop_privileges(test::kNobody, test::kNobody) != 0) ::_exit(90);
      ::_exit(run_process({.control_fd = control.get(), .agent_uid = 0}));
    }
  }
  void TearDown() override {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  FileDescriptor connect() {
    FileDescriptor fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    const auto deadline = std::chrono::steady_clock::now() + 5s;
    while (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address_), sizeof address_) != 0 &&
           std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(2ms);
    return fd;
  }
  Message ask(Channel& channel, const Message& message, const std::vector<int>& fds = {}, std::string_view blob = {}) {
    const auto deadline = Channel::Clock::now() + 10s;
    const auto sent = channel.send(message, deadline, fds, blob);
    EXPECT_TRUE(sent) << sent.error().message;
    auto packet = channel.receive(deadline);
    EXPECT_TRUE(packet && *packet) << (packet ? "nothing came" : packet.error().message);
    return packet && *packet ? (*packet)->message : Message{};
  }
  int exit_code() {
    int status = -1;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  static constexpr ChannelLimits kLimits{.fds = 16, .blob_bytes = 1 << 20};

  weir::test::TempDir dir_;
  sockaddr_un address_{};
  pid_t pid_ = 0;
};

TEST_F(ProcessTest, ServesAndEnds) {
  Channel channel(connect(), kLimits);
  EXPECT_EQ(ask(channel, {"hello", 1, {}}).type, "hello");
  FileDescriptor beat(::memfd_create("beat", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(beat.get(), 4096), 0);
  auto listener = net::listen_tcp({*IpAddress::parse("127.0.0.1"), 0});
  Settings settings;
  settings.node = "n";
  ASSERT_EQ(ask(channel, {"start", 2, to_json(settings)}, {beat.get(), listener->get()}).type, "started");
  const auto ready = ask(channel, {"configure", 3, {}}, {}, to_blob(test::sample_configuration(4)));
  ASSERT_EQ(ready.type, "ready") << ready.body.dump() << ": its threads and loops must come to be in the sandbox";
  const auto page = BeatPage::map(beat.get());
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (page->read() == std::chrono::steady_clock::time_point{} && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(5ms);
  EXPECT_NE(page->read(), std::chrono::steady_clock::time_point{});
  EXPECT_EQ(ask(channel, {"stats", 4, {}}).type, "stats");
  EXPECT_EQ(ask(channel, {"stop", 5, {}}).type, "stopping");
  EXPECT_EQ(exit_code(), 0);
}

TEST_F(ProcessTest, TheKernelTellsItsPid) {
  const auto fd = connect();
  ucred peer{};
  socklen_t size = sizeof peer;
  ASSERT_EQ(::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size), 0);
  EXPECT_EQ(peer.pid, pid_);
  EXPECT_EQ(peer.uid, static_cast<uid_t>(test::kNobody));
}

TEST_F(ProcessTest, GarbageEndsThatConnectionOnly) {
  const auto bad = connect();
  Channel good(connect(), kLimits);
  EXPECT_EQ(ask(good, {"hello", 1, {}}).type, "hello");
  ASSERT_EQ(::send(bad.get(), "garbage", 7, MSG_NOSIGNAL), 7);
  char byte = 0;
  EXPECT_EQ(::recv(bad.get(), &byte, 1, 0), 0);
  EXPECT_EQ(ask(good, {"hello", 2, {}}).type, "hello");
}

TEST_F(ProcessTest, TheNewestOfManyConnectionsIsServed) {
  std::vector<FileDescriptor> others;
  for (int i = 0; i < 20; ++i) others.push_back(connect());
  Channel newest(connect(), kLimits);
  EXPECT_EQ(ask(newest, {"hello", 1, {}}).type, "hello");
}

TEST_F(ProcessTest, StrangersAreNotHeard) {
  ASSERT_EQ(::chmod(dir_.path().c_str(), 0755), 0);
  ASSERT_EQ(::chmod(address_.sun_path, 0666), 0);
  Channel ours(connect(), kLimits);
  ask(ours, {"hello", 1, {}});
  const int status = test::in_child([this] {
    if (drop_privileges(12'345, 12'345) != 0) return 50;
    const auto fd = connect();
    char byte = 0;
    return ::recv(fd.get(), &byte, 1, 0) == 0 ? 0 : 51;  // closed at once
  });
  EXPECT_EXIT_OK(status);
}

TEST_F(ProcessTest, SigtermDrains) {
  Channel channel(connect(), kLimits);
  ask(channel, {"hello", 1, {}});
  ::kill(pid_, SIGTERM);
  EXPECT_EQ(exit_code(), 0);
}

TEST(Process, WithRightsDoesNotStart) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const int status = test::in_child([] {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) return 50;
    return run_process({.control_fd = ends[0], .agent_uid = 0}) == 1 ? 0 : 51;
  });
  EXPECT_EXIT_OK(status);
}

}  // namespace
}  // namespace weir::proxy_process
