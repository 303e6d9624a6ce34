#include "datapath/proxy_ports.h"

#include <gtest/gtest.h>

#include <random>

#include "bpf/abi.h"
#include "support.h"

namespace weir::datapath {
namespace {

/// Services at 10.0.0.<number>:80.
routing::Plan plan_of(const std::vector<int>& numbers, bool proxied = true) {
  routing::Plan plan;
  for (const int number : numbers) {
    auto service = service_of("s" + std::to_string(number), "10.0.0." + std::to_string(number), {});
    service->frontends[0].proxied = proxied;
    plan.services.push_back(service);
  }
  return plan;
}

uint16_t port_of(const ProxyPorts& ports, int number) {
  return ports.find(*IpAddress::parse("10.0.0." + std::to_string(number)), 80);
}

TEST(ProxyPorts, AreGivenInOrderAndKept) {
  ProxyPorts ports(61000, 10);
  ASSERT_TRUE(ports.reserve(plan_of({5, 3}), 1));
  EXPECT_EQ(port_of(ports, 3), 61000);
  EXPECT_EQ(port_of(ports, 5), 61001);
  ASSERT_TRUE(ports.reserve(plan_of({1, 3, 5}), 2));
  EXPECT_EQ(port_of(ports, 3), 61000);
  EXPECT_EQ(port_of(ports, 5), 61001);
  EXPECT_EQ(port_of(ports, 1), 61002);
  EXPECT_EQ(port_of(ports, 7), 0);
}

TEST(ProxyPorts, WhoIsOutsideHasOneForAllAddressesOfAService) {
  auto plan = plan_of({3});
  auto service = std::make_shared<routing::ServicePlan>(*plan.services[0]);
  for (const char* address : {"203.0.113.1", "203.0.113.2"}) {
    routing::PlanFrontend outside = service->frontends[0];
    outside.address = *IpAddress::parse(address);
    outside.port = 30080;
    outside.source = routing::kOutside;
    service->frontends.push_back(outside);
  }
  plan.services[0] = service;
  ProxyPorts ports(61000, 10);
  ASSERT_TRUE(ports.reserve(plan, 1));
  ASSERT_EQ(ports.entries().size(), 2U);
  const IpAddress own = *IpAddress::parse("10.0.0.3");
  EXPECT_EQ(ports.find(own, 80), 61000);
  EXPECT_EQ(ports.find(own, 80, true), 61001);
  EXPECT_EQ(ports.find(*IpAddress::parse("203.0.113.1"), 30080, true), 0);
  EXPECT_EQ(ports.list()[1], (ProxyPort{61001, own, 80, true}));
  EXPECT_EQ(to_text(61001, ports.entries().at(61001)), "61001 = 10.0.0.3:80 from outside");
  ProxyPorts restored(61000, 10);
  restored.restore(ports.entries());
  EXPECT_EQ(restored.find(own, 80, true), 61001);
  ASSERT_TRUE(ports.reserve(plan_of({3}), 2));
  EXPECT_EQ(ports.entries().at(61000).unused_since, 0U);
  EXPECT_EQ(ports.entries().at(61001).unused_since, 2U);
}

TEST(ProxyPorts, OnlyForWhatIsProxiedAndOnceForAllClients) {
  ProxyPorts ports(61000, 1);
  auto plan = plan_of({1});
  auto twice = service_of("s", "10.0.0.1", {});
  twice->frontends[0].proxied = true;
  twice->frontends[0].source = 9;
  plan.services.push_back(twice);
  plan.services.push_back(plan_of({2}, false).services[0]);
  ASSERT_TRUE(ports.reserve(plan, 1));
  EXPECT_EQ(ports.list(), (std::vector<ProxyPort>{{61000, *IpAddress::parse("10.0.0.1"), 80}}));
}

TEST(ProxyPorts, WhoComesBackGetsItsPortBack) {
  ProxyPorts ports(61000, 3);
  ASSERT_TRUE(ports.reserve(plan_of({1, 2}), 1));
  ASSERT_TRUE(ports.reserve(plan_of({2}), 5));
  EXPECT_EQ(ports.entries().at(61000).unused_since, 5U);
  EXPECT_EQ(to_text(61000, ports.entries().at(61000)), "61000 = 10.0.0.1:80 unused");
  ASSERT_TRUE(ports.reserve(plan_of({2}), 9));
  EXPECT_EQ(ports.entries().at(61000).unused_since, 5U) << "since then, not since last looked at";
  ASSERT_TRUE(ports.reserve(plan_of({1, 2, 3}), 10));
  EXPECT_EQ(port_of(ports, 1), 61000);
  EXPECT_EQ(port_of(ports, 3), 61002);
}

TEST(ProxyPorts, TheLongestUnusedIsRecycledWhenTheRangeIsFull) {
  ProxyPorts ports(61000, 3);
  ASSERT_TRUE(ports.reserve(plan_of({1, 2, 3}), 1));
  ASSERT_TRUE(ports.reserve(plan_of({1, 3}), 2));
  ASSERT_TRUE(ports.reserve(plan_of({3}), 3));
  ASSERT_TRUE(ports.reserve(plan_of({3, 4}), 4));
  EXPECT_EQ(port_of(ports, 4), 61001) << "2 went first";
  EXPECT_EQ(port_of(ports, 2), 0);
  EXPECT_EQ(port_of(ports, 1), 61000) << "kept";
}

TEST(ProxyPorts, ARangeThatIsTooSmallChangesNothing) {
  ProxyPorts ports(61000, 2);
  ASSERT_TRUE(ports.reserve(plan_of({1}), 1));
  const auto refused = ports.reserve(plan_of({1, 2, 3}), 2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ENOSPC);
  EXPECT_EQ(
      refused.error().message,
      "ports of the proxy: 3 needed, one for each address and port whose rules need the request; the range has 2");
  EXPECT_EQ(ports.list().size(), 1U);
}

TEST(ProxyPorts, WhatIsRestoredIsKeptUnlessItMakesNoSense) {
  const auto address = *IpAddress::parse("10.0.0.1");
  ProxyPorts ports(61000, 4);
  ports.restore({{60999, {address, 80, 0}},
                 {61001, {address, 80, 7}},
                 {61002, {address, 80, 0}},
                 {61003, {IpAddress(), 80, 0}},
                 {61004, {*IpAddress::parse("10.0.0.2"), 80, 0}}});
  EXPECT_EQ(ports.list(), (std::vector<ProxyPort>{{61001, address, 80}}));
  ASSERT_TRUE(ports.reserve(plan_of({1, 2}), 9));
  EXPECT_EQ(port_of(ports, 1), 61001);
  EXPECT_EQ(port_of(ports, 2), 61000);
}

TEST(ProxyPorts, Ranges) {
  EXPECT_TRUE(ProxyPorts::check_range(61000, 1000));
  EXPECT_TRUE(ProxyPorts::check_range(65535, 1));
  EXPECT_TRUE(ProxyPorts::check_range(1, abi::MAX_PROXY_PORTS));
  EXPECT_FALSE(ProxyPorts::check_range(0, 5));
  EXPECT_FALSE(ProxyPorts::check_range(61000, 0));
  EXPECT_FALSE(ProxyPorts::check_range(65535, 2));
  EXPECT_FALSE(ProxyPorts::check_range(1, abi::MAX_PROXY_PORTS + 1));
}

// Whatever comes and goes: each frontend of the plan has a port of its own, and keeps it while it stays.
TEST(ProxyPorts, RandomPlans) {
  std::mt19937 random(3);
  ProxyPorts ports(65500, 36);
  std::map<int, uint16_t> before;
  for (uint64_t turn = 1; turn <= 500; ++turn) {
    std::vector<int> numbers;
    for (int number = 1; number <= 60; ++number)
      if (random() % 2 == 0 && numbers.size() < 36) numbers.push_back(number);
    ASSERT_TRUE(ports.reserve(plan_of(numbers), turn));
    std::map<int, uint16_t> now;
    std::set<uint16_t> taken;
    for (const int number : numbers) {
      now[number] = port_of(ports, number);
      ASSERT_GE(now[number], 65500);
      ASSERT_TRUE(taken.insert(now[number]).second);
      if (before.contains(number)) {
        ASSERT_EQ(now[number], before[number]);
      }
    }
    ASSERT_LE(ports.entries().size(), 36U);
    before = now;
    ProxyPorts restored(65500, 36);
    restored.restore(ports.entries());
    ASSERT_EQ(restored.entries(), ports.entries());
  }
}

}  // namespace
}  // namespace weir::datapath
