#include "agent/outside/traffic.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "config/store.h"
#include "routing/build/table_builder.h"

namespace weir::agent {
namespace {

TEST(OutsideTraffic, PortsOfOthersAreNotTaken) {
  EXPECT_EQ(clash_of_ports(20000, 10000, 61000, 1000), "") << "up to 29999";
  EXPECT_EQ(clash_of_ports(20000, 10001, 61000, 1000),
            "--outside-ports 20000-30000 and Kubernetes' node ports (30000-32767) overlap");
  EXPECT_NE(clash_of_ports(32767, 1, 61000, 1000), "");
  EXPECT_EQ(clash_of_ports(32768, 100, 61000, 1000), "");
  EXPECT_EQ(clash_of_ports(61999, 100, 61000, 1000),
            "--outside-ports 61999-62098 and --proxy-ports 61000-61999 overlap");
  EXPECT_EQ(clash_of_ports(62000, 100, 61000, 1000), "");
}

TEST(OutsideTraffic, WithoutInterfacesItTouchesNothing) {
  OutsideTraffic outside({.bpffs_dir = "/nowhere/weir", .node = "n", .devices = {}, .node_addresses = {}});
  EXPECT_FALSE(outside.wanted());
  std::vector<std::string> warnings;
  outside.follow({}, warnings);
  EXPECT_TRUE(warnings.empty());
  EXPECT_FALSE(outside.state().attached);
  EXPECT_TRUE(outside.mend().empty());
}

TEST(OutsideTraffic, NothingIsAttachedBeforeAServiceNeedsIt) {
  OutsideTraffic outside(
      {.bpffs_dir = "/nowhere/weir", .node = "n", .devices = {{.name = "lo"}}, .node_addresses = {}});
  std::vector<std::string> warnings;
  outside.follow({}, warnings);
  EXPECT_TRUE(warnings.empty());
  EXPECT_TRUE(outside.state().wanted);
  EXPECT_FALSE(outside.state().attached);
}

TEST(OutsideTraffic, WhatCannotBeOpenedIsSaid) {
  OutsideTraffic outside(
      {.bpffs_dir = "/nowhere/weir", .node = "n", .devices = {{.name = "lo"}}, .node_addresses = {}});
  routing::Plan plan;
  auto service = std::make_shared<routing::ServicePlan>();
  service->frontends.push_back({.address = {}, .port = 1, .source = routing::kOutside});
  plan.services.push_back(service);
  std::vector<std::string> warnings;
  outside.follow(plan, warnings);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("is not all split"), std::string::npos);
  EXPECT_FALSE(outside.state().trouble.empty());
  EXPECT_FALSE(outside.state().attached);
  EXPECT_EQ(outside.state().frontends, 1U);
}

TEST(OutsideTraffic, KnowsWhatIsOnThisNode) {
  const OutsideTraffic outside(
      {.bpffs_dir = "/nowhere/weir", .node = "n", .devices = {{.name = "lo"}}, .node_addresses = {}});
  NetnsScan scan;
  const IpAddress pod = *IpAddress::parse("10.1.2.3");
  scan.cookie_of[pod] = 7;
  const auto facts = outside.facts(&scan, nullptr);
  EXPECT_EQ(facts.node, "n");
  EXPECT_TRUE(facts.node_addresses.empty()) << "nobody outside dials loopback";
  EXPECT_TRUE(std::ranges::is_sorted(facts.local_addresses));
  EXPECT_TRUE(std::ranges::binary_search(facts.local_addresses, pod));
  EXPECT_FALSE(std::ranges::binary_search(outside.facts(nullptr, nullptr).local_addresses, pod));
}

TEST(OutsideTraffic, PodsWhoseNodeIsKnownMakeNoDifference) {
  const OutsideTraffic outside(
      {.bpffs_dir = "/nowhere/weir", .node = "n", .devices = {{.name = "lo"}}, .node_addresses = {}});
  config::Store store;
  store.set(
      config::read_yaml("apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: default}\nspec: {nodeName: n}\n"
                        "status: {phase: Running, podIP: 10.1.2.3}\n---\napiVersion: v1\nkind: Pod\n"
                        "metadata: {name: b, namespace: default}\nstatus: {phase: Running, podIP: 10.1.2.4}\n",
                        "pods.yaml"));
  const auto table = routing::build_table(store);
  const IpAddress known = *IpAddress::parse("10.1.2.3"), unknown = *IpAddress::parse("10.1.2.4");
  NetnsScan scan;
  scan.cookie_of = {{known, 1}, {unknown, 2}};
  const auto local = outside.facts(&scan, table.get()).local_addresses;
  EXPECT_FALSE(std::ranges::binary_search(local, known));
  EXPECT_TRUE(std::ranges::binary_search(local, unknown));
}

}  // namespace
}  // namespace weir::agent
