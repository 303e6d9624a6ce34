#include "routing/view/reads.h"

#include "support.h"

namespace weir::routing {
namespace {

class ReadsTest : public testing::Test {
 protected:
  std::shared_ptr<const Table> set(const std::string& file, const std::string& yaml) {
    return builder_.update(store_.mesh(), store_.set(config::read_yaml(yaml, file)));
  }
  config::Store store_;
  TableBuilder builder_{{}};
  Client client_{"default", {}, std::nullopt};
};

TEST_F(ReadsTest, HoldAsLongAsWhatTheyNameStays) {
  (void)set("web.yaml", service_yaml("web", "default", "10.0.0.2"));
  const auto table =
      set("rule.yaml", rule_yaml("web", "default", "web", "  http: [{route: [{destination: {host: web}}]}]\n"));
  Reads reads(*table);
  reads.add_rules(*table, "web.default.svc.cluster.local");
  reads.add_service(*table, client_, "web.default.svc.cluster.local");
  reads.add_address(*table, *IpAddress::parse("10.0.0.2"));
  EXPECT_TRUE(reads.hold_in(*table));
  EXPECT_TRUE(reads.hold_in(*set("other.yaml", service_yaml("other", "default", "10.0.0.3"))));

  EXPECT_FALSE(
      reads.hold_in(*set("rule.yaml", rule_yaml("web", "default", "web", "  http: [{redirect: {uri: /x}}]\n"))));
}

TEST_F(ReadsTest, WhatWasNotThereMayCome) {
  const auto table = set("web.yaml", service_yaml("web", "default", "10.0.0.2"));
  Reads service(*table), rules(*table), subsets(*table);
  service.add_service(*table, client_, "late.default.svc.cluster.local");
  rules.add_rules(*table, "web.default.svc.cluster.local");
  subsets.add_service(*table, client_, "web.default.svc.cluster.local");
  EXPECT_FALSE(service.hold_in(*set("late.yaml", service_yaml("late", "default", "10.0.0.4"))));
  EXPECT_FALSE(rules.hold_in(
      *set("rule.yaml", rule_yaml("web", "default", "web", "  http: [{route: [{destination: {host: web}}]}]\n"))));
  EXPECT_FALSE(subsets.hold_in(*set("dr.yaml",
                                    "apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
                                    "metadata: {name: web, namespace: default}\nspec: {host: web}\n")));
}

TEST_F(ReadsTest, AWildcardMayComeToNameIt) {
  const auto table = set("web.yaml", service_yaml("web", "default", "10.0.0.2"));
  Reads reads(*table);
  reads.add_rules(*table, "web.default.svc.cluster.local");
  EXPECT_FALSE(reads.hold_in(*set("rule.yaml", rule_yaml("all", "default", "'*.svc.cluster.local'",
                                                         "  http: [{route: [{destination: {host: web}}]}]\n"))));
}

// What an unknown host meets is the mesh's to say, and of such a host there is nothing in a table.
TEST_F(ReadsTest, TheMeshMayRefuseWhatItLetPass) {
  config::MeshConfig mesh;
  const Reads reads(*TableBuilder({}).update(mesh, {}));
  EXPECT_TRUE(reads.hold_in(*TableBuilder({}).update(mesh, {})));
  mesh.outbound_traffic_policy = config::MeshConfig::OutboundPolicy::kRegistryOnly;
  EXPECT_FALSE(reads.hold_in(*TableBuilder({}).update(mesh, {})));
}

}  // namespace
}  // namespace weir::routing
