#include "routing/build/virtual_services.h"

#include "support.h"

namespace weir::routing {
namespace {

const std::string kRoute = "  http:\n  - route: [{destination: {host: web}}]\n";

TEST(CompileVirtualService, CompletesHostsAndGateways) {
  const auto table = table_of(
      rule_yaml("web", "prod", "web, WEB.prod.svc.cluster.local, other.example.com, '*.wild.com'",
                "  gateways: [mesh, main, other/gw, ./own]\n" + kRoute, "annotations: {weir.dev/split: request}"));
  ASSERT_EQ(table->all_rules().size(), 1U);
  const RuleSet& rule = *table->all_rules()[0];
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
  EXPECT_TRUE(table->all_rules()[0]->binds("mesh"));
}

TEST(CompileVirtualService, CompilesItsMatches) {
  const auto table = table_of(rule_yaml("web", "default", "web", R"(  http:
  - match: [{headers: {end-user: {exact: jason}}}, {uri: {regex: '/a.*'}}]
    route: [{destination: {host: web}}]
)"));
  const HttpRule& route = table->all_rules()[0]->http[0];
  ASSERT_EQ(route.match.size(), 2U);
  ASSERT_NE(route.match[0].matcher, nullptr);
  EXPECT_FALSE(route.match[0].matcher->takes_every_request());
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
  EXPECT_EQ(compiled.rules->http[0].match[0].matcher, nullptr);
  ASSERT_EQ(compiled.conditions.size(), 1U);
  EXPECT_EQ(compiled.conditions[0].level, config::Level::kError);
}

TEST(CompileVirtualService, L4RoutesKeepTheirIndexes) {
  const auto table = table_of(rule_yaml("t", "default", "t", R"(  tcp:
  - match: [{port: 1, gateways: [mesh, gw]}]
    route: [{destination: {host: t}}]
  - route: [{destination: {host: t}}]
)"));
  const RuleSet& rule = *table->all_rules()[0];
  ASSERT_EQ(rule.tcp.size(), 2U);
  EXPECT_EQ(rule.tcp[1].origin.index, 1);
  EXPECT_EQ(rule.tcp[0].match[0].selector.gateways, (std::vector<std::string>{"mesh", "default/gw"}));
}

}  // namespace
}  // namespace weir::routing
