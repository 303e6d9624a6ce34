#include "support.h"

namespace weir::routing {
namespace {

const std::string kRoute = "  http:\n  - route: [{destination: {host: web}}]\n";

TEST(Conditions, AreEmptyWhereAllIsWell) {
  EXPECT_EQ(
      conditions_of(*table_of(service_yaml("web", "default", "10.0.0.2") + rule_yaml("web", "default", "web", kRoute))),
      "");
}

TEST(Conditions, NameTheVirtualServiceThatHasTheHost) {
  const auto table = table_of(service_yaml("web", "default", "10.0.0.2") +
                              rule_yaml("old", "default", "web", kRoute, "creationTimestamp: '2024-01-01T00:00:00Z'") +
                              rule_yaml("new", "default", "web", kRoute, "creationTimestamp: '2024-01-02T00:00:00Z'"));
  const std::string said = conditions_of(*table);
  EXPECT_NE(said.find("(VirtualService default/new) its http rules for web.default.svc.cluster.local never hold"),
            std::string::npos)
      << said;
  EXPECT_EQ(said.find("(VirtualService default/old)"), std::string::npos) << said;
}

TEST(Conditions, NameHostsThatNoServiceDefines) {
  const auto table =
      table_of(service_yaml("web", "default", "10.0.0.2") + rule_yaml("ghost", "default", "ghost.example.com", kRoute) +
               rule_yaml("gw", "default", "gw.example.com", "  gateways: [gw]\n" + kRoute));
  const std::string said = conditions_of(*table);
  EXPECT_NE(said.find("no Service or ServiceEntry defines ghost.example.com"), std::string::npos) << said;
  EXPECT_EQ(said.find("gw.example.com"), std::string::npos) << "a gateway's hosts need no service: " << said;
}

TEST(Conditions, NameDestinationsThatNobodyServes) {
  const auto table = table_of(service_yaml("web", "default", "10.0.0.2", {"v1"}) +
                              subsets_yaml("web", "default", "web") + rule_yaml("web", "default", "web", R"(  http:
  - match: [{uri: {prefix: /a}}]
    route: [{destination: {host: web, subset: v2}}]
  - route: [{destination: {host: web, subset: v1}, weight: 1}, {destination: {host: web, subset: v3}, weight: 0}]
)"));
  const std::string said = conditions_of(*table);
  EXPECT_NE(said.find("route 0: subset v2 of web.default.svc.cluster.local has no endpoints: its share is refused"),
            std::string::npos)
      << said;
  EXPECT_NE(said.find("Info [WEIR0301] (VirtualService default/web) route 1: subset v3"), std::string::npos) << said;
}

TEST(Conditions, GoWithTheirCause) {
  config::Store store;
  TableBuilder builder({});
  const std::string rule = rule_yaml("web", "default", "web", kRoute);
  EXPECT_NE(conditions_of(*builder.update({}, store.set(read(rule, "rule.yaml")))), "");
  EXPECT_EQ(
      conditions_of(*builder.update({}, store.set(read(service_yaml("web", "default", "10.0.0.2"), "service.yaml")))),
      "");
  EXPECT_NE(conditions_of(*builder.update({}, store.remove("service.yaml"))), "");
  EXPECT_EQ(conditions_of(*builder.update({}, store.remove("rule.yaml"))), "");
}

}  // namespace
}  // namespace weir::routing
