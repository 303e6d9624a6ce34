#include "routing/build/destination_rules.h"

#include "support.h"

namespace weir::routing {
namespace {

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
