// What a client sees of a split: every kind of connect().

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "fixture.h"

namespace weir::datapath::test {
namespace {

constexpr const char* kVip = "127.9.0.1";
constexpr const char* kVip6 = "fd00:9::1";

using ConnectTest = LiveTest;

int disconnect(int fd) {
  sockaddr unspecified{};
  unspecified.sa_family = AF_UNSPEC;
  return connect(fd, &unspecified, sizeof(unspecified));
}

TEST_F(ConnectTest, ReachesAnEndpoint) {
  auto datapath = start(make_plan({make_service("a", kVip, 80, {{1, {servers.start('a')}}})}));
  EXPECT_EQ(ask(kVip, 80), 'a');
  EXPECT_EQ(verdict(datapath, "translated"), 1U);
}

TEST_F(ConnectTest, OtherAddressesAndPortsAreLeftAlone) {
  const auto own = servers.start('o');
  auto datapath = start(make_plan({make_service("a", kVip, 80, {{1, {servers.start('a')}}})}));
  EXPECT_EQ(ask("127.0.0.1", own.port), 'o');
  EXPECT_EQ(connect_to(kVip, 81).error, ECONNREFUSED);
  EXPECT_EQ(connect_to("127.9.0.2", 80).error, ECONNREFUSED);
  EXPECT_EQ(verdict(datapath, "not_ours"), 3U);
}

TEST_F(ConnectTest, Version6) {
  auto datapath = start(make_plan({make_service("a", kVip6, 80, {{1, {servers.start('6', "::1")}}})}));
  EXPECT_EQ(ask(kVip6, 80), '6');
}

TEST_F(ConnectTest, Version4DialledOnADualStackSocket) {
  auto datapath = start(make_plan({make_service("a", kVip, 80, {{1, {servers.start('a')}}})}));
  const Connection connection = connect_v6_socket(kVip, 80);
  EXPECT_EQ(answer(connection), 'a');
  EXPECT_EQ(peer_of(connection.fd.get()), "127.9.0.1:80");
}

TEST_F(ConnectTest, NonBlocking) {
  auto datapath = start(make_plan({make_service("a", kVip, 80, {{1, {servers.start('a')}}})}));
  Connection connection;
  connection.fd.reset(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  EXPECT_EQ(connect_socket(connection.fd.get(), AF_INET, kVip, 80), EINPROGRESS);
  pollfd wait{.fd = connection.fd.get(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(poll(&wait, 1, 5000), 1);
  EXPECT_EQ(answer(connection), 'a');
}

TEST_F(ConnectTest, GetpeernameShowsTheService) {
  auto datapath = start(make_plan({make_service("a", kVip, 80, {{1, {servers.start('a')}}}),
                                   make_service("b", kVip6, 80, {{1, {servers.start('6', "::1")}}})}));
  EXPECT_EQ(peer_of(connect_to(kVip, 80).fd.get()), "127.9.0.1:80");
  EXPECT_EQ(peer_of(connect_to(kVip6, 80).fd.get()), "[fd00:9::1]:80");
}

TEST_F(ConnectTest, GetpeernameOfOthersIsLeftAlone) {
  const auto endpoint = servers.start('a');
  auto datapath = start(make_plan({make_service("a", kVip, 80, {{1, {endpoint}}})}));
  const Connection direct = connect_to("127.0.0.1", endpoint.port);
  EXPECT_EQ(peer_of(direct.fd.get()), "127.0.0.1:" + std::to_string(endpoint.port));
}

TEST_F(ConnectTest, NoEndpointIsRefusedAtOnce) {
  auto datapath = start(make_plan({make_service("a", kVip, 80, {{1, {}}}), make_service("b", kVip6, 80, {{1, {}}})}));
  EXPECT_EQ(connect_to(kVip, 80).error, EHOSTUNREACH);
  EXPECT_EQ(connect_to(kVip6, 80).error, EHOSTUNREACH);
  EXPECT_EQ(connect_v6_socket(kVip, 80).error, EHOSTUNREACH);
  EXPECT_EQ(verdict(datapath, "no_endpoint"), 3U);
}

TEST_F(ConnectTest, ADestinationWithoutEndpointsRefusesItsShareOnly) {
  auto datapath = start(make_plan({make_service("a", kVip, 80, {{3, {servers.start('a')}}, {1, {}}})}));
  const auto counts = ask_often(kVip, 80, 100);
  EXPECT_NEAR(counts.at('a'), 75, 1);
  EXPECT_NEAR(counts.at('!'), 25, 1);
}

TEST_F(ConnectTest, ADeadEndpointIsTheClientsToSee) {
  auto dead = servers.start('a');
  dead.address = *IpAddress::parse("127.0.0.99");  // nobody listens there
  auto datapath = start(make_plan({make_service("a", kVip, 80, {{1, {dead}}})}));
  EXPECT_EQ(connect_to(kVip, 80).error, ECONNREFUSED);
}

TEST_F(ConnectTest, ConnectedUdpIsNotOurs) {
  auto datapath = start(make_plan({make_service("a", kVip, 80, {{1, {servers.start('a')}}})}));
  const FileDescriptor udp(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(connect_socket(udp.get(), AF_INET, kVip, 80), 0);
  EXPECT_EQ(peer_of(udp.get()), "127.9.0.1:80");
  EXPECT_EQ(verdict(datapath, "translated"), 0U);
}

TEST_F(ConnectTest, CountsPickedOpenedClosed) {
  auto datapath = start(make_plan({make_service("a", kVip, 80, {{1, {servers.start('a')}}})}));
  {
    const Connection one = connect_to(kVip, 80), two = connect_to(kVip, 80);
    const auto split = split_of(datapath, "a");
    EXPECT_EQ(split->counts.picked, 2U);
    EXPECT_EQ(split->counts.open(), 2U);
  }
  const auto split = split_of(datapath, "a");
  EXPECT_EQ(split->counts.picked, 2U);
  EXPECT_EQ(split->counts.opened, 2U);
  EXPECT_EQ(split->counts.closed, 2U);
  EXPECT_EQ(verdict(datapath, "record_released"), 2U);
}

// A socket may be dissolved with AF_UNSPEC and connect elsewhere. The hook does not see the first; a record left behind
// must not make getpeername lie about the second.
TEST_F(ConnectTest, ReconnectElsewhereAfterDisconnect) {
  const auto other = servers.start('o');
  auto datapath = start(make_plan({make_service("a", kVip, 80, {{1, {servers.start('a')}}})}));
  Connection connection = connect_to(kVip, 80);
  ASSERT_EQ(answer(connection), 'a');
  ASSERT_EQ(disconnect(connection.fd.get()), 0);
  EXPECT_EQ(connect_socket(connection.fd.get(), AF_INET, "127.0.0.1", other.port), 0);
  EXPECT_EQ(answer(connection), 'o');
  EXPECT_EQ(peer_of(connection.fd.get()), "127.0.0.1:" + std::to_string(other.port));
  const auto split = split_of(datapath, "a");
  EXPECT_EQ(split->counts.open(), 0U);
  EXPECT_EQ(split->counts.closed, 1U);
  EXPECT_EQ(verdict(datapath, "record_replaced"), 1U);
}

TEST_F(ConnectTest, ReconnectToAnotherServiceAfterDisconnect) {
  auto datapath = start(make_plan({make_service("a", kVip, 80, {{1, {servers.start('a')}}}),
                                   make_service("b", "127.9.0.2", 80, {{1, {servers.start('b')}}})}));
  Connection connection = connect_to(kVip, 80);
  ASSERT_EQ(answer(connection), 'a');
  ASSERT_EQ(disconnect(connection.fd.get()), 0);
  EXPECT_EQ(connect_socket(connection.fd.get(), AF_INET, "127.9.0.2", 80), 0);
  EXPECT_EQ(answer(connection), 'b');
  EXPECT_EQ(peer_of(connection.fd.get()), "127.9.0.2:80");
  EXPECT_EQ(split_of(datapath, "a")->counts.open(), 0U);
  EXPECT_EQ(split_of(datapath, "b")->counts.open(), 1U);
}

TEST_F(ConnectTest, RetryOnTheSameSocketAfterRefusal) {
  auto dead = servers.start('x');
  dead.address = *IpAddress::parse("127.0.0.99");
  const auto alive = servers.start('a');
  auto datapath = start(make_plan({make_service("a", kVip, 80, {{1, {dead}}})}));
  Connection connection = connect_to(kVip, 80);
  ASSERT_EQ(connection.error, ECONNREFUSED);
  ASSERT_TRUE(datapath.apply(make_plan({make_service("a", kVip, 80, {{1, {alive}}})}, 2)));
  connection.error = connect_socket(connection.fd.get(), AF_INET, kVip, 80);
  EXPECT_EQ(answer(connection), 'a');
  EXPECT_EQ(split_of(datapath, "a")->counts.open(), 1U);
}

TEST_F(ConnectTest, AFullRecordMapStillConnects) {
  Options options = sandbox.options();
  options.sizes.sockets = 4;
  auto datapath = start(make_plan({make_service("a", kVip, 80, {{1, {servers.start('a')}}})}), options);
  std::vector<Connection> held;
  for (int i = 0; i < 20; ++i) {
    held.push_back(connect_to(kVip, 80));
    ASSERT_EQ(answer(held.back()), 'a');
  }
  const auto split = split_of(datapath, "a");
  EXPECT_EQ(split->counts.picked, 20U);
  EXPECT_EQ(split->counts.opened + verdict(datapath, "record_full"), 20U);
  EXPECT_GT(verdict(datapath, "record_full"), 0U);
  held.clear();
  EXPECT_EQ(split_of(datapath, "a")->counts.open(), 0U);
}

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

// connect() and sock_ops see the subflow, getpeername() and release another socket: records stayed for ever.
TEST_F(ConnectTest, MultipathTcp) {
  auto datapath = start(make_plan({make_service("a", kVip, 80, {{1, {servers.start('a')}}}),
                                   make_service("b", kVip6, 80, {{1, {servers.start('6', "::1")}}})}));
  const auto open_one = [](int family, const char* address) {
    Connection connection;
    connection.fd.reset(socket(family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP));
    if (connection.fd) connection.error = connect_socket(connection.fd.get(), family, address, 80);
    return connection;
  };
  if (!open_one(AF_INET, kVip).fd) GTEST_SKIP() << "this kernel has no MPTCP";
  {
    const Connection four = open_one(AF_INET, kVip), six = open_one(AF_INET6, kVip6);
    const Connection mapped = open_one(AF_INET6, kVip), plain = connect_to(kVip, 80);
    for (const Connection* one : {&four, &six, &mapped, &plain}) EXPECT_EQ(one->error, 0);
    EXPECT_EQ(peer_of(four.fd.get()), "127.9.0.1:80");
    EXPECT_EQ(peer_of(six.fd.get()), "[fd00:9::1]:80");
    EXPECT_EQ(peer_of(mapped.fd.get()), "127.9.0.1:80");
    EXPECT_EQ(split_of(datapath, "a")->counts.open(), 3U);
  }
  EXPECT_EQ(split_of(datapath, "a")->counts.open(), 0U);
  EXPECT_EQ(split_of(datapath, "b")->counts.open(), 0U);
  const auto view = *datapath.read();
  for (const MapUsage& map : view.usage)
    if (map.name == "sockets" || map.name == "redirects") {
      EXPECT_EQ(map.used, 0U) << map.name;
    }
}

// Hairpin: a process that serves connects to its own service.
TEST_F(ConnectTest, AServerReachesItself) {
  const auto endpoint = servers.start('h');
  auto datapath = start(make_plan({make_service("a", kVip, 80, {{1, {endpoint}}})}));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ask(kVip, 80), 'h');
}

// The endpoint's own address is a frontend of another service: translated once, not again.
TEST_F(ConnectTest, EndpointsAreNotTranslatedAgain) {
  const auto endpoint = servers.start('a');
  auto datapath = start(make_plan({make_service("a", kVip, 80, {{1, {endpoint}}}),
                                   make_service("b", "127.0.0.1", endpoint.port, {{1, {servers.start('b')}}})}));
  EXPECT_EQ(ask(kVip, 80), 'a');
  EXPECT_EQ(ask("127.0.0.1", endpoint.port), 'b');
}

TEST_F(ConnectTest, WeightedEndpoints) {
  auto heavy = servers.start('h'), light = servers.start('l'), middle = servers.start('m');
  heavy.weight = 6;
  light.weight = 1;
  middle.weight = 3;
  auto datapath = start(make_plan({make_service("a", kVip, 80, {{1, {heavy, light, middle}}})}));
  const auto counts = ask_often(kVip, 80, 1000);
  EXPECT_NEAR(counts.at('h'), 600, 2);
  EXPECT_NEAR(counts.at('l'), 100, 2);
  EXPECT_NEAR(counts.at('m'), 300, 2);
}

TEST_F(ConnectTest, ProcessesOutsideTheCgroupAreNotTouched) {
  const auto endpoint = servers.start('a');
  Options options = sandbox.options();
  options.cgroup += "/inner";
  ASSERT_EQ(mkdir(options.cgroup.c_str(), 0755), 0);
  {
    auto datapath = start(make_plan({make_service("a", kVip, 80, {{1, {endpoint}}})}), options);
    EXPECT_EQ(connect_to(kVip, 80).error, ECONNREFUSED);
    EXPECT_EQ(verdict(datapath, "lookups"), 0U);
    EXPECT_TRUE(uninstall(sandbox.bpffs_dir()).error().code == EBUSY);
  }
  EXPECT_TRUE(uninstall(sandbox.bpffs_dir()));
  rmdir(options.cgroup.c_str());
}

}  // namespace
}  // namespace weir::datapath::test
