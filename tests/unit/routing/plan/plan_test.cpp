#include "routing/plan/plan.h"

#include <limits>

#include "support.h"

namespace weir::routing {
namespace {

PlanSplit split_of(std::vector<uint64_t> weights) {
  PlanSplit split;
  for (const uint64_t weight : weights)
    split.destinations.push_back({.host = "h", .port = 1, .subset = "", .weight = weight, .endpoints = {}});
  return split;
}

TEST(Shares, AreRelativeToTheSum) {
  EXPECT_EQ(shares(split_of({1, 3})), (std::vector<double>{0.25, 0.75}));
  EXPECT_EQ(shares(split_of({5})), (std::vector<double>{1}));
  EXPECT_EQ(shares(split_of({})), (std::vector<double>{}));
  EXPECT_EQ(shares(split_of({0, 0})), (std::vector<double>{0, 0}));
  const uint64_t huge = std::numeric_limits<uint64_t>::max();
  EXPECT_EQ(shares(split_of({huge, huge})), (std::vector<double>{0.5, 0.5})) << "a sum that 64 bits do not hold";
}

TEST(Plan, PrintsALineForEachFrontendAndSplit) {
  const auto table = table_of(service_yaml("web", "default", "10.0.0.2", {"v1", "v2"}) +
                              subsets_yaml("web", "default", "web") + rule_yaml("web", "default", "web", R"(  http:
  - match: [{headers: {end-user: {exact: jason}}}]
    route: [{destination: {host: web, subset: v2}}]
  - route: [{destination: {host: web, subset: v1}, weight: 90}, {destination: {host: web, subset: v3}, weight: 10}]
)"));
  EXPECT_EQ(
      to_text(*table->plan),
      "service web.default.svc.cluster.local:80 path=proxy reason=rule 0 (test.yaml:51:5) matches header end-user\n"
      "frontend web.default.svc.cluster.local:80 10.0.0.2:80 protocol=6 source=0 proxied "
      "split=default/web:80/web#1/v4\n"
      "split default/web:80/web#1/v4 at=test.yaml:53:5 fallback 90*web.default.svc.cluster.local:80/v1[10.1.2.1:8080]"
      " 10*web.default.svc.cluster.local:80/v3[]\n");
}

TEST(Plan, PathsHaveNames) {
  EXPECT_EQ(to_string(Path::kNone), "none");
  EXPECT_EQ(to_string(Path::kKernel), "kernel");
  EXPECT_EQ(to_string(Path::kProxy), "proxy");
}

}  // namespace
}  // namespace weir::routing
