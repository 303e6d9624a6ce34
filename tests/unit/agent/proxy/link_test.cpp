#include "agent/proxy/link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <thread>

#include "net/socket.h"
#include "proxy_process/build.h"
#include "sample.h"

namespace weir::agent {
namespace {

using namespace std::chrono_literals;
using proxy_process::Channel;
using proxy_process::Json;
using ::testing::HasSubstr;

using ProxyLinkTest = test::RunningProxy;

TEST_F(ProxyLinkTest, AsksAndGetsAnswers) {
  EXPECT_EQ(link_->pid(), launched_.pid) << "the kernel's word";
  const auto before = link_->hello(kLong);
  ASSERT_TRUE(before);
  EXPECT_EQ(before->workers, 0U);
  start();
  const auto after = link_->hello(kLong);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->workers, 1U);
  EXPECT_EQ(after->generation, 3U);
  EXPECT_EQ(after->settings, digest(test::settings()));
  const auto listeners = link_->listeners(kLong);
  ASSERT_TRUE(listeners) << listeners.error().message;
  EXPECT_EQ(listeners->size(), listeners_.size());
  const auto report = link_->report(kLong);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->generation, 3U);
  EXPECT_FALSE(link_->ended());
  ASSERT_TRUE(link_->stop(kLong));
  for (int i = 0; i < 1000 && !link_->ended(); ++i) std::this_thread::sleep_for(5ms);
  EXPECT_TRUE(link_->ended());
  EXPECT_EQ(link_->hello(kLong).error().code, EPIPE);
}

TEST_F(ProxyLinkTest, AFailureIsToldInTheProxysWords) {
  const auto taken = link_->configure(proxy_process::test::sample_configuration(), kLong);
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, HasSubstr("not started"));
  EXPECT_TRUE(link_->hello(kLong)) << "that is no reason to part";
}

TEST_F(ProxyLinkTest, AStoppedProxyIsNotWaitedFor) {
  ::kill(launched_.pid, SIGSTOP);
  const auto before = ProxyLink::Clock::now();
  EXPECT_EQ(link_->hello(100ms).error().code, ETIMEDOUT);
  EXPECT_LT(ProxyLink::Clock::now() - before, 2s);
  ::kill(launched_.pid, SIGCONT);
  EXPECT_TRUE(link_->hello(kLong)) << "the late answer is not taken for this one's";
  link_->kill();
  for (int i = 0; i < 1000 && !link_->ended(); ++i) std::this_thread::sleep_for(5ms);
  EXPECT_TRUE(link_->ended());
}

TEST_F(ProxyLinkTest, ALateConfigurationIsNoticed) {
  start();
  ::kill(launched_.pid, SIGSTOP);
  EXPECT_EQ(link_->configure(proxy_process::test::sample_configuration(4), 50ms).error().code, ETIMEDOUT);
  EXPECT_TRUE(link_->late().empty());
  ::kill(launched_.pid, SIGCONT);
  std::vector<proxy_process::Message> late;
  for (int i = 0; i < 1000 && late.empty(); ++i) {
    std::this_thread::sleep_for(5ms);
    late = link_->late();
  }
  ASSERT_EQ(late.size(), 1U);
  EXPECT_EQ(late[0].body["generation"], 4);
}

/// A proxy that was taken over: answers each message as it likes.
class HostileProxy {
 public:
  using Answer = std::function<void(Channel& channel, const proxy_process::Packet& packet)>;
  HostileProxy(const std::string& path, Answer answer) : answer_(std::move(answer)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    listener_.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_.get(), 1), 0);
    thread_ = std::thread([this] { run(); });
  }
  ~HostileProxy() { thread_.join(); }

 private:
  void run() {
    Channel channel(FileDescriptor(::accept(listener_.get(), nullptr, nullptr)), {.fds = 16, .blob_bytes = 1 << 20});
    for (;;) {
      auto packet = channel.receive(Channel::Clock::now() + 5s);
      if (!packet || !*packet) return;
      answer_(channel, **packet);
    }
  }
  Answer answer_;
  FileDescriptor listener_;
  std::thread thread_;
};

class HostileTest : public ::testing::Test {
 protected:
  std::unique_ptr<ProxyLink> link_to(HostileProxy::Answer answer) {
    proxy_ = std::make_unique<HostileProxy>(dir_.file("x.sock"), std::move(answer));
    auto link = ProxyLink::connect(dir_.file("x.sock"), 5s);
    EXPECT_TRUE(link);
    return link ? std::move(*link) : nullptr;
  }
  static Channel::Clock::time_point soon() { return Channel::Clock::now() + 5s; }
  weir::test::TempDir dir_;
  std::unique_ptr<HostileProxy> proxy_;
};

TEST_F(HostileTest, AnotherAnswerThanAskedForIsRefused) {
  auto link = link_to([](Channel& channel, const auto& packet) {
    ASSERT_TRUE(channel.send({"ready", packet.message.id, {{"generation", 9}}}, soon()));
  });
  EXPECT_EQ(link->hello(2s).error().code, EPROTO);
  link.reset();
}

TEST_F(HostileTest, AnswersToNothingAreRefused) {
  auto link = link_to([](Channel& channel, const auto& packet) {
    ASSERT_TRUE(channel.send({"hello", packet.message.id + 1, Json::object()}, soon()));
  });
  EXPECT_EQ(link->hello(2s).error().code, EPROTO);
  link.reset();
}

TEST_F(HostileTest, AHelloOfNonsenseIsRefused) {
  auto link = link_to([](Channel& channel, const auto& packet) {
    ASSERT_TRUE(channel.send({"hello", packet.message.id, {{"workers", -1}}}, soon()));
  });
  EXPECT_EQ(link->hello(2s).error().code, EPROTO);
  link.reset();
}

TEST_F(HostileTest, OtherDescriptorsThanListenersAreRefused) {
  auto link = link_to([](Channel& channel, const auto& packet) {
    const std::vector<int> fds = {STDERR_FILENO};
    ASSERT_TRUE(channel.send({"listeners", packet.message.id, Json::object()}, soon(), fds));
  });
  EXPECT_EQ(link->listeners(2s).error().code, EPROTO);
  link.reset();
}

TEST_F(HostileTest, AReportOfNonsenseIsRefused) {
  auto link = link_to([](Channel& channel, const auto& packet) {
    ASSERT_TRUE(channel.send({"stats", packet.message.id, Json::object()}, soon(), {}, "[[[[[[[["));
  });
  EXPECT_EQ(link->report(2s).error().code, EPROTO);
  link.reset();
}

TEST_F(HostileTest, FailuresCannotPassForOurOwn) {
  auto link = link_to([](Channel& channel, const auto& packet) {
    ASSERT_TRUE(channel.send({"failed", packet.message.id, {{"message", "x"}, {"code", ETIMEDOUT}}}, soon()));
  });
  const auto hello = link->hello(2s);
  ASSERT_FALSE(hello);
  EXPECT_EQ(hello.error().code, 0);
  link.reset();
}

TEST_F(HostileTest, EndlessOldAnswersDoNotHoldUs) {
  auto link = link_to([](Channel& channel, const auto&) {
    const auto until = Channel::Clock::now() + 600ms;
    while (Channel::Clock::now() < until)
      if (!channel.send({"ready", 0, {{"generation", 1}}}, until)) break;
  });
  const auto before = ProxyLink::Clock::now();
  EXPECT_EQ(link->hello(200ms).error().code, ETIMEDOUT);
  EXPECT_LT(ProxyLink::Clock::now() - before, 3s);
  EXPECT_LE(link->late().size(), 16U);
  link.reset();
}

TEST(ProxyLink, WithoutAnybodyIsRefused) {
  const weir::test::TempDir dir;
  EXPECT_EQ(ProxyLink::connect(dir.file("x.sock"), 10ms).error().code, ENOENT);
  EXPECT_EQ(ProxyLink::connect(dir.file(std::string(200, 'x')), 10ms).error().code, ENAMETOOLONG);
}

TEST(CheckListener, TakesListeningTcpSocketsOnly) {
  const auto good = net::listen_tcp({*IpAddress::parse("127.0.0.1"), 0});
  EXPECT_TRUE(check_listener(good->get()));
  const auto quiet = net::tcp_socket({*IpAddress::parse("127.0.0.1"), 0});
  EXPECT_FALSE(check_listener(quiet->get()));
  const FileDescriptor udp(::socket(AF_INET, SOCK_DGRAM, 0)), local(::socket(AF_UNIX, SOCK_STREAM, 0));
  EXPECT_FALSE(check_listener(udp.get()));
  EXPECT_FALSE(check_listener(local.get()));
  EXPECT_FALSE(check_listener(STDERR_FILENO));
  EXPECT_FALSE(check_listener(-1));
}

}  // namespace
}  // namespace weir::agent
