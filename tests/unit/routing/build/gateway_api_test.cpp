// What a change of the Gateway API's objects costs and touches. Against building from nothing: table_builder_test.
#include "routing/build/gateway_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "route_support.h"

namespace weir::routing {
namespace {

using testing::HasSubstr;

class GatewayApiTest : public ::testing::Test {
 protected:
  std::shared_ptr<const Table> set(const std::string& yaml, const std::string& file) {
    return builder_.update({}, store_.set(read(yaml, file)));
  }
  std::shared_ptr<const Table> remove(const std::string& file) { return builder_.update({}, store_.remove(file)); }
  static RuleSetPtr rules_of(const Table& table, const std::string& host) {
    const auto& found = table.rules.find(host);
    return found ? found->rules.front() : nullptr;
  }
  static std::string answer(const std::shared_ptr<const Table>& table, const std::string& host = "web") {
    return answer_of(explain(*table, pod_of("default"), get(host)));
  }

  config::Store store_;
  TableBuilder builder_{{}};
};

TEST_F(GatewayApiTest, RoutesOfOtherPlacesKeepTheirRules) {
  set(backends_yaml(), "services.yaml");
  const std::string other =
      api_object("HTTPRoute", "o", "  parentRefs: [{group: '', kind: Service, name: c}]\n  rules:\n" + to("a"));
  set(other, "other.yaml");
  const auto before = set(mesh_route("r", to("a")), "r.yaml");
  const auto after = set(mesh_route("r", to("b")), "r.yaml");
  EXPECT_EQ(answer(before), "a");
  EXPECT_EQ(answer(after), "b");
  EXPECT_EQ(rules_of(*before, "c.default.svc.cluster.local"), rules_of(*after, "c.default.svc.cluster.local"));
}

TEST_F(GatewayApiTest, BackendsAndParentsMayComeAndGo) {
  set(mesh_route("r", to("a")), "r.yaml");
  auto table = set(service_yaml("web", "default", "10.96.1.4"), "web.yaml");
  EXPECT_EQ(answer(table), "500");
  table = set(service_yaml("a", "default", "10.96.1.1"), "a.yaml");
  EXPECT_EQ(answer(table), "a");
  table = remove("a.yaml");
  EXPECT_EQ(answer(table), "500");
  table = remove("web.yaml");
  EXPECT_THAT(conditions_of(*table), HasSubstr("there is no such Service"));
  table = remove("r.yaml");
  EXPECT_EQ(conditions_of(*table), "");
  EXPECT_FALSE(table->route_status.find("HTTPRoute/default/r"));
  EXPECT_TRUE(table->rules.empty());
}

TEST_F(GatewayApiTest, WhatNobodyCarriesOutIsSaid) {
  const auto table = set(
      api_object("UDPRoute", "u", "  parentRefs: [{name: gw}]\n  rules:\n" + to("a"), "default", "v1alpha2"), "u.yaml");
  EXPECT_THAT(conditions_of(*table), HasSubstr("UDP is not split: the route does nothing"));
}

TEST_F(GatewayApiTest, EndpointsDoNotTouchRoutes) {
  set(backends_yaml(), "services.yaml");
  const auto before = set(mesh_route("r", to("a")), "r.yaml");
  const auto after =
      set(service_yaml("a", "default", "10.96.1.1", {"v1", "v2"}) + service_yaml("b", "default", "10.96.1.2", {"v1"}) +
              service_yaml("web", "default", "10.96.1.4", {"v1"}),
          "services.yaml");
  EXPECT_EQ(rules_of(*before, "web.default.svc.cluster.local"), rules_of(*after, "web.default.svc.cluster.local"));
}

// Two objects of one name and age: whichever changed last came behind the other.
TEST_F(GatewayApiTest, ARouteAndAVirtualServiceOfOneNameStandInOneOrder) {
  const std::string rule = rule_yaml("web", "default", "web", "  http: [{route: [{destination: {host: b}}]}]\n");
  set(backends_yaml(), "services.yaml");
  set(rule, "rule.yaml");
  const auto before = set(mesh_route("web", to("a")), "route.yaml");
  const auto after = set("# again\n" + rule, "rule.yaml");
  for (const auto& table : {before, after})
    EXPECT_EQ(answer_of(explain(*table, pod_of("third"), get("web.default"))), "b");
}

}  // namespace
}  // namespace weir::routing
