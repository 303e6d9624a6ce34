#include "routing/build/http_rule.h"

#include "support.h"

namespace weir::routing {
namespace {

// istio-facts 22.
TEST(CompileDestinations, WeightsAreTakenAsTheyAre) {
  const auto weights = [](std::vector<std::optional<uint32_t>> written) {
    std::vector<config::WeightedDestination> route;
    for (const auto& weight : written) {
      config::WeightedDestination entry;
      if (weight) entry.weight = config::Located<uint32_t>{*weight, {}};
      route.push_back(entry);
    }
    std::vector<uint64_t> effective;
    for (const RuleDestination& destination : compile_destinations(route, "default", "cluster.local"))
      effective.push_back(destination.weight);
    return effective;
  };
  EXPECT_EQ(weights({200, 100}), (std::vector<uint64_t>{200, 100}));
  EXPECT_EQ(weights({std::nullopt, 1}), (std::vector<uint64_t>{0, 1})) << "omitted in a list: 0";
  EXPECT_EQ(weights({0}), (std::vector<uint64_t>{1})) << "a single one gets all, whatever it says";
  EXPECT_EQ(weights({std::nullopt}), (std::vector<uint64_t>{1}));
  EXPECT_EQ(weights({}), (std::vector<uint64_t>{}));
  EXPECT_EQ(weights({0, 0}), (std::vector<uint64_t>{0, 0}));
}

TEST(CompleteNames, OfWhoWroteThemAndOnlyOnce) {
  config::HttpRoute route;
  route.route.emplace_back().destination.host.value = "Web";
  route.mirrors.emplace_back().destination.host.value = "copy";
  route.match.emplace_back().gateways = {{"mesh", {}}, {"gw", {}}, {"other/gw", {}}};
  for (const char* namespace_ : {"one", "two"}) complete_names(route, namespace_, "cluster.local");
  EXPECT_EQ(route.route[0].destination.host.value, "web.one.svc.cluster.local");
  EXPECT_EQ(route.mirrors[0].destination.host.value, "copy.one.svc.cluster.local");
  EXPECT_EQ(route.match[0].gateways[0].value, "mesh");
  EXPECT_EQ(route.match[0].gateways[1].value, "one/gw");
  EXPECT_EQ(route.match[0].gateways[2].value, "other/gw");
}

}  // namespace
}  // namespace weir::routing
