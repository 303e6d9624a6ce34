#include "routing/build/rules.h"

#include "support.h"

namespace weir::routing {
namespace {

const std::string kRoute = "  http:\n  - route: [{destination: {host: web}}]\n";

TEST(CompileVirtualService, CompletesHostsAndGateways) {
  const auto table = table_of(
      rule_yaml("web", "prod", "web, WEB.prod.svc.cluster.local, other.example.com, '*.wild.com'",
                "  gateways: [mesh, main, other/gw, ./own]\n" + kRoute, "annotations: {weir.dev/split: request}"));
  ASSERT_EQ(table->all_virtual_services().size(), 1U);
  const VirtualService& rule = *table->all_virtual_services()[0];
  EXPECT_EQ(rule.hosts, (std::vector<std::string>{"web.prod.svc.cluster.local", "other.example.com", "*.wild.com"}));
  EXPECT_EQ(rule.gateways, (std::vector<std::string>{"mesh", "prod/main", "other/gw", "prod/own"}));
  EXPECT_TRUE(rule.split_by_request);
  EXPECT_TRUE(rule.binds("mesh"));
  EXPECT_FALSE(rule.binds("main"));
  EXPECT_EQ(rule.http[0].origin.index, 0);
  EXPECT_EQ(rule.http[0].origin.file, "test.yaml");
}

TEST(CompileVirtualService, WithoutGatewaysIsTheMeshs) {
  const auto table = table_of(rule_yaml("web", "default", "web", kRoute));
  EXPECT_TRUE(table->all_virtual_services()[0]->binds("mesh"));
}

TEST(CompileVirtualService, CompilesItsMatches) {
  const auto table = table_of(rule_yaml("web", "default", "web", R"(  http:
  - match: [{headers: {end-user: {exact: jason}}}, {uri: {regex: '/a.*'}}]
    route: [{destination: {host: web}}]
)"));
  const HttpRoute& route = table->all_virtual_services()[0]->http[0];
  ASSERT_EQ(route.match.size(), 2U);
  ASSERT_NE(route.match[0].matcher, nullptr);
  EXPECT_TRUE(route.match[0].matcher->needs_request());
  EXPECT_NE(route.match[1].matcher, nullptr);
}

// A match that cannot be compiled must not become one that always holds.
TEST(CompileVirtualService, AMatchThatCannotBeCompiledNeverHoldsAndIsSaid) {
  config::VirtualService rule;
  rule.meta.kind = config::Kind::kVirtualService;
  rule.meta.namespace_ = "default";
  rule.meta.name = "web";
  rule.hosts.push_back({"web", {}});
  config::HttpMatch match;
  match.uri = config::StringMatch{config::StringMatch::Type::kRegex, "(", {}};
  rule.http.emplace_back().match.push_back(match);
  const auto object = std::make_shared<const config::AnyObject>(rule);
  const auto compiled = compile_virtual_service(object, {}, [](std::string_view) { return nullptr; });
  EXPECT_EQ(compiled.rule->http[0].match[0].matcher, nullptr);
  ASSERT_EQ(compiled.conditions.size(), 1U);
  EXPECT_EQ(compiled.conditions[0].level, config::Level::kError);
}

TEST(CompileVirtualService, L4RoutesKeepTheirIndexes) {
  const auto table = table_of(rule_yaml("t", "default", "t", R"(  tcp:
  - match: [{port: 1, gateways: [mesh, gw]}]
    route: [{destination: {host: t}}]
  - route: [{destination: {host: t}}]
)"));
  const VirtualService& rule = *table->all_virtual_services()[0];
  ASSERT_EQ(rule.tcp.size(), 2U);
  EXPECT_EQ(rule.tcp[1].origin.index, 1);
  EXPECT_EQ(rule.tcp[0].match[0].gateways, (std::vector<std::string>{"mesh", "default/gw"}));
}

std::string destination_rule(const std::string& name, const std::string& age, const std::string& spec) {
  return "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: " + name +
         ", namespace: default, creationTimestamp: '2024-0" + age + "-01T00:00:00Z'}\nspec:\n  host: web\n" + spec;
}

std::string merged(const Table& table) {
  std::string text;
  const auto& rules = table.destination_rules.find("default/web.default.svc.cluster.local");
  if (!rules) return "-";
  for (const DestinationRule& rule : rules->rules) {
    text += (text.empty() ? "" : " ") + rule.name + ":";
    for (const auto& subset : rule.subsets)
      text += subset.config->name.value + "=" + subset.config->labels.at("version") + ",";
    if (rule.traffic_policy)
      text += rule.traffic_policy->load_balancer->simple == config::LoadBalancer::Simple::kRandom ? "random" : "other";
  }
  return text;
}

// semantics 1.4, istio-facts 27.
TEST(CompileDestinationRules, OfOneHostAndNamespaceAreMergedOldestFirst) {
  const auto table =
      table_of(destination_rule("young", "3",
                                "  subsets: [{name: b, labels: {version: v2}}, {name: a, labels: {version: v9}}]\n"
                                "  trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}\n") +
               destination_rule("middle", "2", "  trafficPolicy: {loadBalancer: {simple: RANDOM}}\n") +
               destination_rule("old", "1", "  subsets: [{name: a, labels: {version: v1}}]\n"));
  EXPECT_EQ(merged(*table), "old:a=v1,b=v2,random");
  EXPECT_NE(conditions_of(*table).find("subset a is ignored"), std::string::npos) << conditions_of(*table);
}

TEST(CompileDestinationRules, ThatHoldForDifferentClientsAreNotMerged) {
  const auto table = table_of(
      destination_rule("all", "1", "  subsets: [{name: a, labels: {version: v1}}]\n") +
      destination_rule("own", "2", "  exportTo: ['.']\n  subsets: [{name: b, labels: {version: v2}}]\n") +
      destination_rule("some", "3",
                       "  workloadSelector: {matchLabels: {app: x}}\n  subsets: [{name: c, labels: {version: v3}}]\n") +
      destination_rule("some2", "4",
                       "  workloadSelector: {matchLabels: {app: x}}\n  subsets: [{name: d, labels: {version: v4}}]\n"));
  EXPECT_EQ(merged(*table), "all:a=v1, own:b=v2, some:c=v3,d=v4,");
}

}  // namespace
}  // namespace weir::routing
