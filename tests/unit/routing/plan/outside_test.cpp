#include "routing/plan/outside.h"

#include <algorithm>

#include "routing/codes.h"
#include "support.h"

namespace weir::routing {
namespace {

const std::string kWeb = "web.default.svc.cluster.local";
const std::string kToAll = "  http:\n  - route: [{destination: {host: web}}]\n";

IpAddress address(const std::string& text) {
  return *IpAddress::parse(text);
}

Outside here() {
  return {.node = "n1", .node_addresses = {address("192.0.2.1"), address("2001:db8::1")}, .local_addresses = {}};
}

std::shared_ptr<const Table> built(const std::string& yaml, const std::optional<Outside>& outside = here()) {
  config::Store store;
  TableBuilder builder{{}};
  const auto delta = store.set(read(yaml));
  if (outside) builder.set_outside(*outside);
  return builder.update(store.mesh(), delta);
}

/// A Service with three endpoints, all on node n1, with `more` in its spec and `port` in its port.
std::string web(const std::string& port, const std::string& more, const std::string& status = "") {
  std::string yaml = service_yaml("web", "default", "10.0.0.2");
  yaml.replace(yaml.find("port: 80,"), 9, "port: 80, " + port);
  yaml.replace(yaml.find("  selector: {app: web}\n"), 0, more);
  const std::string end = "---\napiVersion: discovery";
  return yaml.replace(yaml.find(end), 0, status) + subsets_yaml("web", "default", "web");
}

/// "192.0.2.1:30080=default/web:80/web#0/v4" of each frontend for outside.
std::vector<std::string> outside_of(const Table& table) {
  std::vector<std::string> list;
  const ServicePlan* plan = plan_of(table, kWeb);
  if (!plan) return list;
  for (const PlanFrontend& frontend : plan->frontends)
    if (frontend.source == kOutside)
      list.push_back(weir::to_string(frontend.address, frontend.port) + "=" +
                     (frontend.split == kNoSplit ? "-" : plan->splits.at(frontend.split).name));
  return list;
}

size_t conditions(const Table& table, config::Level level) {
  const auto all = table.conditions();
  return static_cast<size_t>(std::count_if(all.begin(), all.end(), [&](const auto& condition) {
    return condition.code == std::string_view(code::kOutsideNotSplit) && condition.level == level;
  }));
}

TEST(PlanOutside, EveryAddressOfAServiceWithARule) {
  const auto table = built(web("nodePort: 30080,", "  externalIPs: [203.0.113.5, 203.0.113.6]\n",
                               "status: {loadBalancer: {ingress: [{ip: 203.0.113.6}, {ip: 203.0.113.7}]}}\n") +
                           rule_yaml("web", "default", "web", kToAll));
  EXPECT_EQ(
      outside_of(*table),
      (std::vector<std::string>{"203.0.113.5:80=default/web:80/web#0/v4", "203.0.113.6:80=default/web:80/web#0/v4",
                                "203.0.113.7:80=default/web:80/web#0/v4", "192.0.2.1:30080=default/web:80/web#0/v4"}))
      << "each once; none of IPv6, which the service does not have";
  EXPECT_EQ(plan_of(*table, kWeb)->splits.size(), 1U) << "one cursor for all";
  EXPECT_EQ(conditions(*table, config::Level::kInfo), 0U);
}

TEST(PlanOutside, NothingForAServiceThatIsNotSplit) {
  const std::string service = web("nodePort: 30080,", "");
  EXPECT_TRUE(outside_of(*built(service)).empty()) << "no rule";
  EXPECT_TRUE(outside_of(*built(service + rule_yaml("web", "default", "web", "  gateways: [gate]\n" + kToAll))).empty())
      << "a rule for a gateway only";
  EXPECT_TRUE(outside_of(*built(service + rule_yaml("web", "default", "web",
                                                    "  http:\n  - match: [{sourceLabels: {app: a}}]\n    route: "
                                                    "[{destination: {host: web}}]\n")))
                  .empty())
      << "a rule for certain pods: who is outside is none of them";
  EXPECT_TRUE(outside_of(*built(web("", "") + rule_yaml("web", "default", "web", kToAll))).empty()) << "no address";
}

TEST(PlanOutside, WithoutInterfacesItIsSaid) {
  const auto table =
      built(web("nodePort: 30080,", "  externalIPs: [203.0.113.5]\n") + rule_yaml("web", "default", "web", kToAll), {});
  EXPECT_TRUE(outside_of(*table).empty());
  ASSERT_EQ(conditions(*table, config::Level::kInfo), 1U);
  const auto all = table->conditions();
  const auto said = std::find_if(all.begin(), all.end(), [](const auto& condition) {
    return condition.code == std::string_view(code::kOutsideNotSplit);
  });
  EXPECT_NE(said->message.find("node port 30080, 203.0.113.5:80"), std::string::npos) << said->message;
  EXPECT_EQ(conditions(*built(web("", "") + rule_yaml("web", "default", "web", kToAll), {}), config::Level::kInfo), 0U);
}

TEST(PlanOutside, LocalPolicyLeavesOutEndpointsElsewhere) {
  std::string yaml = web("nodePort: 30080,", "  externalTrafficPolicy: Local\n") +
                     rule_yaml("web", "default", "web",
                               "  http:\n  - route: [{destination: {host: web, subset: v1}, weight: 50},\n"
                               "      {destination: {host: web, subset: v2}, weight: 50}]\n");
  EXPECT_EQ(outside_of(*built(yaml)), std::vector<std::string>{"192.0.2.1:30080=default/web:80/web#0/v4"});
  const auto at = yaml.rfind("nodeName: n1", yaml.find("podIP: 10.1.2.2"));
  yaml.replace(at, 12, "nodeName: n2");
  const auto table = built(yaml);
  ASSERT_EQ(outside_of(*table), std::vector<std::string>{"192.0.2.1:30080=default/web:80/web#0/v4/outside"});
  const ServicePlan* plan = plan_of(*table, kWeb);
  ASSERT_EQ(plan->splits.size(), 2U);
  EXPECT_EQ(plan->splits[0].destinations[1].endpoints.size(), 1U) << "the mesh still has it";
  EXPECT_FALSE(plan->splits[0].destinations[1].endpoints[0].local);
  EXPECT_EQ(plan->splits[1].destinations[0].endpoints.size(), 1U);
  EXPECT_TRUE(plan->splits[1].destinations[0].endpoints[0].local);
  EXPECT_TRUE(plan->splits[1].destinations[1].endpoints.empty()) << "its share is refused, as kube-proxy would";
}

TEST(PlanOutside, WhereAnEndpointIsWithoutANodesName) {
  std::string yaml = web("nodePort: 30080,", "") + rule_yaml("web", "default", "web", kToAll);
  for (size_t at; (at = yaml.find("spec: {nodeName: n1}\n")) != std::string::npos;) yaml.erase(at, 21);
  Outside outside = here();
  outside.local_addresses = {address("10.1.2.2")};
  const auto table = built(yaml, outside);
  const auto& endpoints = plan_of(*table, kWeb)->splits[0].destinations[0].endpoints;
  ASSERT_EQ(endpoints.size(), 3U);
  EXPECT_FALSE(endpoints[0].local);
  EXPECT_TRUE(endpoints[1].local);
  EXPECT_FALSE(endpoints[2].local);
}

TEST(PlanOutside, EndpointsOnLoopbackGetNothing) {
  std::string yaml = web("nodePort: 30080,", "") + rule_yaml("web", "default", "web", kToAll);
  for (size_t at; (at = yaml.find("10.1.2.1")) != std::string::npos;) yaml.replace(at, 8, "127.1.2.1");
  const auto table = built(yaml);
  ASSERT_EQ(outside_of(*table), std::vector<std::string>{"192.0.2.1:30080=default/web:80/web#0/v4/outside"});
  EXPECT_EQ(plan_of(*table, kWeb)->splits[1].destinations[0].endpoints.size(), 2U);
  EXPECT_EQ(conditions(*table, config::Level::kWarning), 1U);
}

TEST(PlanOutside, ARuleThatNeedsTheRequestHasTheProxysPortOfTheServiceItself) {
  const auto table =
      built(web("nodePort: 30080,", "") +
            rule_yaml("web", "default", "web",
                      "  http:\n  - match: [{headers: {x: {exact: '1'}}}]\n    route: [{destination: "
                      "{host: web, subset: v2}}]\n  - route: [{destination: {host: web, subset: v1}}]\n"));
  const ServicePlan* plan = plan_of(*table, kWeb);
  ASSERT_EQ(plan->frontends.size(), 2U);
  const PlanFrontend& frontend = plan->frontends[1];
  EXPECT_EQ(frontend.source, kOutside);
  EXPECT_TRUE(frontend.proxied);
  EXPECT_EQ(frontend.like, 0U);
  EXPECT_EQ(plan->frontends[frontend.like].source, 0U);
}

TEST(PlanOutside, AChangeOfTheNodesAddressesReachesThePlan) {
  config::Store store;
  TableBuilder builder{{}};
  builder.set_outside(here());
  builder.update(store.mesh(),
                 store.set(read(web("nodePort: 30080,", "") + rule_yaml("web", "default", "web", kToAll))));
  Outside moved = here();
  moved.node_addresses = {address("192.0.2.77")};
  builder.set_outside(moved);
  EXPECT_EQ(outside_of(*builder.update(store.mesh(), {})),
            std::vector<std::string>{"192.0.2.77:30080=default/web:80/web#0/v4"});
}

}  // namespace
}  // namespace weir::routing
