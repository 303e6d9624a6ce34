// Connections that go to a proxy: who gets there, who does not, and what each side sees.

#include <bpf/bpf.h>
#include <sched.h>
#include <sys/sysinfo.h>

#include <algorithm>

#include "lifecycle.h"
#include "proxy_fixture.h"

namespace weir::datapath::test {
namespace {

constexpr uint16_t kFirst = 61000;

TEST_F(ProxyTest, AConnectionIsRedirectedAndEachSideSeesWhatItShould) {
  auto datapath = start_with_proxy(proxied({make_service("a", kVip, 80, {{1, {servers.start('a')}}})}));
  const Connection connection = connect_to(kVip, 80);
  ASSERT_EQ(connection.error, 0) << to_text(*datapath.read());
  EXPECT_EQ(peer_of(connection.fd.get()), "127.9.0.1:80") << "the client sees the service";
  const Accepted accepted = listeners.accept();
  ASSERT_TRUE(accepted.fd);
  EXPECT_EQ(accepted.at, "127.0.0.1:61000") << "the proxy sees the frontend's port";
  EXPECT_EQ(accepted.from, name_of(connection.fd.get())) << "and the client";
  EXPECT_EQ(verdict(datapath, "redirected"), 1U);
  EXPECT_EQ(verdict(datapath, "proxy_handed"), 1U);
  EXPECT_EQ(verdict(datapath, "translated"), 0U);
  EXPECT_EQ(split_of(datapath, "a")->counts.picked, 0U);
}

TEST_F(ProxyTest, Version6AndVersion4OnADualStackSocket) {
  auto datapath = start_with_proxy(proxied({make_service("a", kVip6, 80, {{1, {servers.start('a', "::1")}}}),
                                            make_service("b", kVip, 80, {{1, {servers.start('b')}}})}));
  const auto ports = *datapath.reserve_proxy_ports(proxied({}));
  ASSERT_EQ(ports.size(), 2U);
  const Connection v6 = connect_to(kVip6, 80);
  ASSERT_EQ(v6.error, 0);
  EXPECT_EQ(peer_of(v6.fd.get()), "[fd00:9::1]:80");
  const Accepted six = listeners.accept();
  ASSERT_TRUE(six.fd);
  EXPECT_EQ(six.at,
            to_string(*IpAddress::parse("::1"), std::find_if(ports.begin(), ports.end(), [](const ProxyPort& port) {
                                                  return !port.address.is_v4();
                                                })->port));
  EXPECT_EQ(six.from, name_of(v6.fd.get()));
  const Connection mapped = connect_v6_socket(kVip, 80);
  ASSERT_EQ(mapped.error, 0);
  EXPECT_EQ(peer_of(mapped.fd.get()), "127.9.0.1:80");
  const Accepted four = listeners.accept();
  ASSERT_TRUE(four.fd);
  EXPECT_EQ(four.from, name_of(mapped.fd.get()));
  EXPECT_EQ(verdict(datapath, "redirected"), 2U);
}

TEST_F(ProxyTest, ConnectingStraightToAPortIsResetAndCounted) {
  auto datapath = start_with_proxy(proxied({make_service("a", kVip, 80, {{1, {servers.start('a')}}})}));
  EXPECT_EQ(connect_to("127.0.0.1", kFirst).error, ECONNREFUSED);
  EXPECT_EQ(connect_to("::1", kFirst).error, ECONNREFUSED);
  EXPECT_EQ(verdict(datapath, "proxy_direct"), 2U);
  EXPECT_EQ(connect_to("127.0.0.1", kFirst + 1).error, ECONNREFUSED);
  EXPECT_EQ(verdict(datapath, "proxy_direct"), 2U) << "a port that stands for nothing is none of ours";
  EXPECT_FALSE(listeners.accept().fd);
}

// The port that a redirected client had is free once it is gone, and may be somebody's who wants to get in.
TEST_F(ProxyTest, TheProofGoesWithItsSocket) {
  auto datapath = start_with_proxy(proxied({make_service("a", kVip, 80, {{1, {servers.start('a')}}})}));
  const auto from_port = [](int fd) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_port = htons(45454);
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    const linger reset{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    return bind(fd, reinterpret_cast<sockaddr*>(&own), sizeof(own));
  };
  FileDescriptor first(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(from_port(first.get()), 0);
  ASSERT_EQ(connect_socket(first.get(), AF_INET, kVip, 80), 0);
  first.reset();
  const FileDescriptor second(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(from_port(second.get()), 0);
  EXPECT_EQ(connect_socket(second.get(), AF_INET, "127.0.0.1", kFirst), ECONNREFUSED);
  EXPECT_EQ(verdict(datapath, "proxy_direct"), 1U);
  EXPECT_EQ(verdict(datapath, "record_released"), 1U);
}

TEST_F(ProxyTest, WithoutASignOfLifeTheDefaultRouteIsSplit) {
  auto datapath = start_with_proxy(proxied({make_service("a", kVip, 80, {{1, {servers.start('a')}}})}));
  Beat beat(datapath);
  beat.set_age(1'500'000'000);
  EXPECT_EQ(connect_to(kVip, 80).error, 0);
  EXPECT_EQ(verdict(datapath, "redirected"), 1U);
  beat.set_age(2'000'000'001);
  EXPECT_EQ(ask(kVip, 80), 'a');
  beat.set(0);
  EXPECT_EQ(ask(kVip, 80), 'a');
  beat.set_age(-3'600'000'000'000);
  EXPECT_EQ(ask(kVip, 80), 'a') << "a beat of the future is garbage";
  beat.set(UINT64_MAX);
  EXPECT_EQ(ask(kVip, 80), 'a');
  EXPECT_EQ(verdict(datapath, "proxy_down"), 4U);
  EXPECT_EQ(verdict(datapath, "redirected"), 1U);
  EXPECT_EQ(split_of(datapath, "a")->counts.picked, 4U);
  beat.set_age(0);
  ASSERT_EQ(connect_to(kVip, 80).error, 0);
  EXPECT_EQ(verdict(datapath, "redirected"), 2U) << "back at once";
}

TEST_F(ProxyTest, DisabledIsAsGoodAsDown) {
  auto datapath = start_with_proxy(proxied({make_service("a", kVip, 80, {{1, {servers.start('a')}}})}));
  auto off = place();
  off.enabled = false;
  set_place(datapath, off);
  EXPECT_EQ(ask(kVip, 80), 'a');
  EXPECT_EQ(verdict(datapath, "proxy_down"), 1U);
}

TEST_F(ProxyTest, WhereThereIsNothingToFallBackToItIsRefused) {
  auto datapath = start_with_proxy(proxied({make_service("a", kVip, 80, {{1, {}}})}));
  EXPECT_EQ(connect_to(kVip, 80).error, 0);
  Beat(datapath).set(0);
  EXPECT_EQ(connect_to(kVip, 80).error, EHOSTUNREACH);
  EXPECT_EQ(connect_v6_socket(kVip, 80).error, EHOSTUNREACH);
  EXPECT_EQ(verdict(datapath, "proxy_refused"), 2U);
  EXPECT_EQ(verdict(datapath, "proxy_down"), 0U) << "each connection is counted once";
}

TEST_F(ProxyTest, ToRefuseCanBeAskedFor) {
  auto plan = proxied({make_service("a", kVip, 80, {{1, {servers.start('a')}}})});
  auto service = std::make_shared<routing::ServicePlan>(*plan.services[0]);
  service->refuse_without_proxy = true;
  plan.services[0] = service;
  auto datapath = start_with_proxy(plan);
  EXPECT_EQ(connect_to(kVip, 80).error, 0);
  Beat(datapath).set(0);
  EXPECT_EQ(connect_to(kVip, 80).error, EHOSTUNREACH);
  EXPECT_EQ(verdict(datapath, "proxy_refused"), 1U);
}

// Otherwise what the proxy dials could be led back to it, for ever.
TEST_F(ProxyTest, TheProxysOwnConnectionsAreLeftAlone) {
  const std::string own = sandbox.cgroup() + "/proxy";
  ASSERT_EQ(mkdir(own.c_str(), 0755), 0);
  const auto a = servers.start('a');
  auto plan = proxied({make_service("a", "127.0.0.1", a.port, {{1, {servers.start('x')}}})});
  plan.services.push_back(make_service("k", kVip, 80, {{1, {a}}}));
  auto datapath = start_with_proxy(plan);
  auto where = place();
  where.cgroup_id = *cgroup_id(*open_cgroup(own));
  set_place(datapath, where);
  const pid_t child = fork();
  if (child == 0) {
    const FileDescriptor procs(open((own + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    if (write(procs.get(), "0", 1) != 1) _exit(1);
    if (ask("127.0.0.1", a.port) != 'a') _exit(2);
    if (connect_to(kVip, 80).error != ECONNREFUSED) _exit(3);  // services of the kernel neither
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(verdict(datapath, "proxy_exempt"), 2U);
  EXPECT_EQ(connect_to("127.0.0.1", a.port).error, 0);
  EXPECT_EQ(verdict(datapath, "redirected"), 1U) << "everybody else is sent to the proxy";
  EXPECT_EQ(rmdir(own.c_str()), 0);
}

TEST_F(ProxyTest, AFamilyWithoutNodeAddressFallsBack) {
  auto datapath = start_with_proxy(proxied({make_service("a", kVip, 80, {{1, {servers.start('a')}}}),
                                            make_service("b", kVip6, 80, {{1, {servers.start('6', "::1")}}})}));
  auto only_v4 = place();
  only_v4.v6.reset();
  set_place(datapath, only_v4);
  EXPECT_EQ(ask(kVip6, 80), '6');
  EXPECT_EQ(verdict(datapath, "proxy_no_way"), 1U);
  EXPECT_EQ(connect_to(kVip, 80).error, 0);
  EXPECT_EQ(verdict(datapath, "redirected"), 1U);
}

TEST_F(ProxyTest, FromAnotherNetworkNamespace) {
  const OtherNetns pod;
  if (!pod.ready()) GTEST_SKIP() << "needs ip and veth";
  auto six = make_service("b", kVip6, 80, {{1, {servers.start('6', "fd77::1")}}});
  auto datapath =
      start_with_proxy(proxied({make_service("a", kVip, 80, {{1, {servers.start('a', "10.77.0.1")}}}), six}));
  EXPECT_EQ(pod.run([] { return ask(kVip, 80); }), 'a') << "a loopback address of the node is not theirs";
  EXPECT_EQ(pod.run([] { return ask(kVip6, 80); }), '6');
  EXPECT_EQ(verdict(datapath, "proxy_no_way"), 2U);
  EXPECT_EQ(connect_to(kVip, 80).error, 0);
  EXPECT_EQ(verdict(datapath, "redirected"), 1U) << "but ours";
  ASSERT_TRUE(listeners.accept().fd);

  set_place(datapath, place("10.77.0.1", "fd77::1"));
  const Connection v4 = pod.run([] { return connect_to(kVip, 80); });
  ASSERT_EQ(v4.error, 0);
  EXPECT_EQ(peer_of(v4.fd.get()), "127.9.0.1:80");
  const Accepted four = listeners.accept();
  ASSERT_TRUE(four.fd);
  EXPECT_EQ(four.from, name_of(v4.fd.get()));
  EXPECT_TRUE(four.at.starts_with("10.77.0.1:6100")) << four.at;
  const Connection v6 = pod.run([] { return connect_to(kVip6, 80); });
  ASSERT_EQ(v6.error, 0);
  const Accepted other = listeners.accept();
  ASSERT_TRUE(other.fd);
  EXPECT_EQ(other.from, name_of(v6.fd.get()));
  EXPECT_EQ(pod.run([] { return connect_to("10.77.0.1", kFirst).error; }), ECONNREFUSED);
  EXPECT_EQ(pod.run([] { return connect_to("fd77::1", kFirst + 1).error; }), ECONNREFUSED);
  EXPECT_EQ(verdict(datapath, "proxy_direct"), 2U);
}

TEST_F(ProxyTest, NoListenerIsAReset) {
  auto datapath = start_with_proxy(proxied({make_service("a", kVip, 80, {{1, {servers.start('a')}}})}));
  ASSERT_TRUE(datapath.set_proxy_listeners({}));
  EXPECT_EQ(connect_to(kVip, 80).error, ECONNREFUSED);
  EXPECT_EQ(verdict(datapath, "proxy_no_socket"), 1U);
  ASSERT_TRUE(datapath.set_proxy_listeners(listeners.fds()));
  EXPECT_EQ(connect_to(kVip, 80).error, 0);
}

TEST_F(ProxyTest, ListenersAreReplacedAndShareTheClients) {
  auto datapath = start_with_proxy(proxied({make_service("a", kVip, 80, {{1, {servers.start('a')}}})}));
  std::vector<Connection> held;
  for (int i = 0; i < 200; ++i) held.push_back(connect_to(kVip, 80));
  const int one = listeners.accept_all(0), two = listeners.accept_all(1);
  EXPECT_EQ(one + two, 200);
  EXPECT_GT(std::min(one, two), 50);
  const Listeners next(3);
  ASSERT_TRUE(datapath.set_proxy_listeners(next.fds()));
  for (int i = 0; i < 100; ++i) held.push_back(connect_to(kVip, 80));
  EXPECT_EQ(listeners.accept_all(0) + listeners.accept_all(1), 0);
  int sum = 0;
  for (int i = 0; i < 3; ++i) sum += next.accept_all(i);
  EXPECT_EQ(sum, 100);
  ASSERT_TRUE(datapath.set_proxy_listeners(next.fds().first(1)));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(connect_to(kVip, 80).error, 0);
  EXPECT_EQ(next.accept_all(0), 10);
}

TEST_F(ProxyTest, WhatIsNoListenerIsRefused) {
  auto datapath = start_with_proxy(proxied({make_service("a", kVip, 80, {{1, {servers.start('a')}}})}));
  const FileDescriptor idle(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)), udp(socket(AF_INET, SOCK_DGRAM, 0));
  for (const int fd : {idle.get(), udp.get(), -1})
    EXPECT_FALSE(datapath.set_proxy_listeners(std::vector<int>{fd})) << fd;
  EXPECT_FALSE(datapath.set_proxy_listeners(std::vector<int>(300, listeners.fds()[0])));
  EXPECT_EQ(connect_to(kVip, 80).error, 0) << "what was there goes on";
  for (const auto& [v4, v6] : {std::pair("::1", "::1"),
                               {"127.0.0.1", "127.0.0.1"},
                               {"0.0.0.0", "::1"},
                               {"127.0.0.1", "::"},
                               {"127.0.0.1", "fe80::1"},
                               {"224.0.0.1", "::1"}})
    EXPECT_EQ(datapath.set_proxy(place(v4, v6)).error().code, EINVAL) << v4 << " " << v6;
}

// A socket that was redirected and dissolved connects elsewhere, and back again.
TEST_F(ProxyTest, ASocketIsUsedAgain) {
  const auto other = servers.start('o');
  auto plan = proxied({make_service("a", kVip, 80, {{1, {servers.start('a')}}})});
  plan.services.push_back(make_service("k", "127.9.0.2", 80, {{1, {servers.start('k')}}}));
  auto datapath = start_with_proxy(plan);
  const FileDescriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr unspecified{};
  unspecified.sa_family = AF_UNSPEC;
  const auto again = [&](const char* address, uint16_t port) {
    (void)connect(fd.get(), &unspecified, sizeof(unspecified));
    EXPECT_EQ(connect_socket(fd.get(), AF_INET, address, port), 0);
    return peer_of(fd.get());
  };
  EXPECT_EQ(again(kVip, 80), "127.9.0.1:80");
  EXPECT_EQ(again("127.0.0.1", other.port), "127.0.0.1:" + std::to_string(other.port));
  EXPECT_EQ(again(kVip, 80), "127.9.0.1:80");
  EXPECT_EQ(again("127.9.0.2", 80), "127.9.0.2:80");
  EXPECT_EQ(split_of(datapath, "k")->counts.open(), 1U);
  EXPECT_EQ(again(kVip, 80), "127.9.0.1:80");
  EXPECT_EQ(split_of(datapath, "k")->counts.open(), 0U);
  EXPECT_EQ(again(kVip, 80), "127.9.0.1:80");
  EXPECT_EQ(verdict(datapath, "redirected"), 4U);
  EXPECT_EQ(verdict(datapath, "record_replaced"), 4U);
}

TEST_F(ProxyTest, CountersOfEndpointsDoNotSeeRedirectedSockets) {
  auto datapath = start_with_proxy(proxied({make_service("a", kVip, 80, {{1, {servers.start('a')}}})}));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(connect_to(kVip, 80).error, 0);
  const FileDescriptor counters(bpf_obj_get((sandbox.bpffs_dir() + "/maps/counters").c_str()));
  for (uint32_t id = 0; id < 4; ++id) {
    abi::counter counter{};
    ASSERT_EQ(bpf_map_lookup_elem(counters.get(), &id, &counter), 0);
    EXPECT_EQ(counter.picked + counter.opened + counter.closed, 0U) << id;
  }
  EXPECT_EQ(verdict(datapath, "record_released"), 5U);
  const auto view = *datapath.read();
  for (const auto& map : view.usage)
    if (map.name == "sockets" || map.name == "redirects") {
      EXPECT_EQ(map.used, 0U) << map.name;
    }
}

// A map full of somebody's records was a way past every rule, for everybody.
TEST_F(ProxyTest, WithoutRoomForARecordItIsSentToTheProxyAllTheSame) {
  Options options = sandbox.options();
  options.sizes.sockets = 4;
  auto datapath = start_with_proxy(proxied({make_service("a", kVip, 80, {{1, {servers.start('a')}}})}), options);
  std::vector<Connection> held;
  for (int i = 0; i < 40; ++i) {
    held.push_back(connect_to(kVip, 80));
    EXPECT_EQ(held.back().error, 0);
  }
  EXPECT_EQ(verdict(datapath, "redirected"), 40U);
  EXPECT_EQ(verdict(datapath, "proxy_handed"), 40U);
  EXPECT_EQ(verdict(datapath, "proxy_no_way"), 0U);
  EXPECT_GT(verdict(datapath, "record_full"), 0U);
}

// The proof lives from SYN to arrival: a map much smaller than the number of clients that are connected will do.
TEST_F(ProxyTest, ManyClientsAtOnceAndAMapOfProofsThatIsTooSmall) {
  Options options = sandbox.options();
  options.sizes.sockets = 8192;
  options.sizes.redirects = 128;
  auto datapath = start_with_proxy(proxied({make_service("a", kVip, 80, {{1, {servers.start('a')}}})}), options);
  constexpr int kThreads = 8, kEach = 250;
  std::atomic<int> connected = 0;
  std::vector<std::thread> threads;
  std::vector<std::vector<Connection>> held(kThreads);
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&, i] {
      for (int k = 0; k < kEach; ++k) {
        held[i].push_back(connect_to(kVip, 80));
        if (held[i].back().error == 0) ++connected;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(connected, kThreads * kEach);
  EXPECT_EQ(verdict(datapath, "redirected"), static_cast<uint64_t>(kThreads) * kEach);
  EXPECT_EQ(verdict(datapath, "proxy_direct"), 0U);
}

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

// The hooks see the TCP socket beneath.
TEST_F(ProxyTest, MultipathTcp) {
  auto datapath = start_with_proxy(proxied({make_service("a", kVip, 80, {{1, {servers.start('a')}}})}));
  Connection connection;
  connection.fd.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP));
  if (!connection.fd) GTEST_SKIP() << "this kernel has no MPTCP";
  connection.error = connect_socket(connection.fd.get(), AF_INET, kVip, 80);
  EXPECT_EQ(connection.error, 0);
  EXPECT_EQ(verdict(datapath, "proxy_handed"), 1U);
  EXPECT_EQ(peer_of(connection.fd.get()), "127.9.0.1:80");
  listeners.accept().fd.reset();
  connection.fd.reset();
  const auto view = *datapath.read();
  for (const MapUsage& map : view.usage)
    if (map.name == "sockets" || map.name == "redirects") {
      EXPECT_EQ(map.used, 0U) << map.name;
    }
}

// New programs and old ones, on new maps and old ones: whoever connects meanwhile must find what vouches for it.
TEST_F(ProxyTest, NobodyGoesPastTheProxyWhileMapsChangeTheirSize) {
  const auto plan = proxied({make_service("a", kVip, 80, {{1, {servers.start('a')}}})});
  Options options = sandbox.options();
  std::optional<Datapath> datapath(start_with_proxy(plan, options));
  Beat beat(*datapath);
  std::atomic<bool> stop = false;
  std::atomic<int> connected = 0, failed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i)
    threads.emplace_back([&, i] {
      // Nothing may come late: a packet of a connection that has ended is looked up like one that was not redirected,
      // and counted. So it is the client that ends it, with a reset, and all its packets are in one processor's queue.
      cpu_set_t processor;
      CPU_ZERO(&processor);
      CPU_SET(i % get_nprocs(), &processor);
      sched_setaffinity(0, sizeof(processor), &processor);
      while (!stop) {
        beat.set_age(0);
        Connection connection = connect_to(kVip, 80);
        ++(connection.error == 0 ? connected : failed);
        const linger at_once{.l_onoff = 1, .l_linger = 0};
        setsockopt(connection.fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        connection.fd.reset();
        for (Accepted one = listeners.accept(); one.fd; one = listeners.accept()) {
          char byte = 0;
          (void)!read(one.fd.get(), &byte, 1);
        }
      }
    });
  using Size = uint32_t MapSizes::*;
  for (const Size size : {&MapSizes::sockets, &MapSizes::splits, &MapSizes::redirects, &MapSizes::counters}) {
    const int before = connected;
    datapath.reset();
    options.sizes.*size *= 2;
    datapath.emplace(start(plan, options));
    while (connected < before + 50) std::this_thread::yield();
  }
  stop = true;
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(verdict(*datapath, "proxy_down"), 0U);
  EXPECT_EQ(verdict(*datapath, "proxy_direct"), 0U);
  EXPECT_EQ(verdict(*datapath, "redirected"), static_cast<uint64_t>(connected.load()));
}

// Sockets that are bound to an address have one family: then there is one for each.
TEST_F(ProxyTest, ListenersOfOneFamilyEach) {
  auto datapath = start_with_proxy(proxied({make_service("a", kVip6, 80, {{1, {servers.start('a', "::1")}}}),
                                            make_service("b", kVip, 80, {{1, {servers.start('b')}}})}));
  const auto listener = [](int family) {
    FileDescriptor fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_addr = in6addr_loopback;
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool bound = family == AF_INET ? bind(fd.get(), reinterpret_cast<sockaddr*>(&v4), sizeof(v4)) == 0
                                         : bind(fd.get(), reinterpret_cast<sockaddr*>(&v6), sizeof(v6)) == 0;
    EXPECT_TRUE(bound && listen(fd.get(), 16) == 0);
    return fd;
  };
  const FileDescriptor v4 = listener(AF_INET), v6 = listener(AF_INET6);
  ASSERT_TRUE(datapath.set_proxy_listeners(std::vector<int>{v4.get(), v6.get()}));
  const Connection six = connect_to(kVip6, 80), four = connect_to(kVip, 80);
  EXPECT_EQ(six.error, 0);
  EXPECT_EQ(four.error, 0);
  EXPECT_TRUE(FileDescriptor(accept(v4.get(), nullptr, nullptr)));
  EXPECT_TRUE(FileDescriptor(accept(v6.get(), nullptr, nullptr)));
  ASSERT_TRUE(datapath.set_proxy_listeners(std::vector<int>{v4.get()}));
  EXPECT_EQ(connect_to(kVip, 80).error, 0);
  EXPECT_EQ(connect_to(kVip6, 80).error, ECONNREFUSED);
  EXPECT_EQ(verdict(datapath, "proxy_no_socket"), 1U);
}

TEST_F(ProxyTest, NonBlockingAndFastOpen) {
  auto datapath = start_with_proxy(proxied({make_service("a", kVip, 80, {{1, {servers.start('a')}}})}));
  const FileDescriptor lazy(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  constexpr int kFastOpenConnect = 30;  // TCP_FASTOPEN_CONNECT: the SYN leaves with the first write
  setsockopt(lazy.get(), IPPROTO_TCP, kFastOpenConnect, &on, sizeof(on));
  ASSERT_EQ(connect_socket(lazy.get(), AF_INET, kVip, 80), 0);
  ASSERT_EQ(send(lazy.get(), "x", 1, MSG_NOSIGNAL), 1);
  Connection eager;
  eager.fd.reset(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  EXPECT_EQ(connect_socket(eager.fd.get(), AF_INET, kVip, 80), EINPROGRESS);
  EXPECT_TRUE(listeners.accept().fd);
  EXPECT_TRUE(listeners.accept().fd);
  EXPECT_EQ(verdict(datapath, "proxy_handed"), 2U);
}

// A client that some rule tells apart has its own way.
TEST_F(ProxyTest, AFrontendOfOneClient) {
  const OtherNetns pod;
  if (!pod.ready()) GTEST_SKIP() << "needs ip and veth";
  auto service = make_service("a", kVip, 80, {{1, {servers.start('a', "10.77.0.1")}}});
  routing::PlanFrontend for_pod = service->frontends[0];
  service->frontends[0].proxied = true;
  for_pod.source = 7;
  service->frontends.push_back(for_pod);
  auto datapath = start_with_proxy(make_plan({service}));
  set_place(datapath, place("10.77.0.1", "fd77::1"));
  const uint64_t cookie = pod.run([] {
    uint64_t value = 0;
    socklen_t length = sizeof(value);
    const FileDescriptor fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    getsockopt(fd.get(), SOL_SOCKET, 71, &value, &length);
    return value;
  });
  ASSERT_TRUE(datapath.set_sources(std::vector<SourceEntry>{{cookie, 7}}));
  EXPECT_EQ(pod.run([] { return ask(kVip, 80); }), 'a');
  EXPECT_EQ(verdict(datapath, "source_matched"), 1U);
  EXPECT_EQ(verdict(datapath, "redirected"), 0U);
  EXPECT_EQ(connect_to(kVip, 80).error, 0);
  EXPECT_EQ(verdict(datapath, "redirected"), 1U);
}

}  // namespace
}  // namespace weir::datapath::test
