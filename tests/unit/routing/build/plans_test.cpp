#include "support.h"

namespace weir::routing {
namespace {

const std::string kWeb = "web.default.svc.cluster.local";
const std::string kRule =
    rule_yaml("web", "default", "web", "  http:\n  - route: [{destination: {host: api, subset: v1}}]\n");

size_t endpoints(const Table& table) {
  const ServicePlan* plan = plan_of(table, kWeb);
  return plan && !plan->splits.empty() ? plan->splits[0].destinations[0].endpoints.size() : 99;
}

// A plan hangs on more than its own host; each of these must make it anew.
TEST(Replanning, FollowsWhatAPlanHangsOn) {
  config::Store store;
  TableBuilder builder({});
  builder.update({}, store.set(read(service_yaml("web", "default", "10.0.0.2"), "web.yaml")));
  EXPECT_EQ(endpoints(*builder.update({}, store.set(read(kRule, "rule.yaml")))), 0U) << "no such service yet";
  EXPECT_EQ(endpoints(*builder.update({}, store.set(read(service_yaml("api", "default", "10.0.0.3"), "api.yaml")))), 0U)
      << "no subset yet";
  EXPECT_EQ(endpoints(*builder.update(
                {}, store.set(read(subsets_yaml("wide", "default", "*.default.svc.cluster.local"), "wide.yaml")))),
            1U);
  EXPECT_EQ(
      endpoints(*builder.update({}, store.set(read("apiVersion: networking.istio.io/v1\nkind: "
                                                   "DestinationRule\nmetadata: {name: api, namespace: default}\nspec:\n"
                                                   "  host: api\n  subsets: [{name: v1, labels: {app: api}}]\n",
                                                   "exact.yaml")))),
      3U);
  EXPECT_EQ(endpoints(*builder.update({}, store.remove("exact.yaml"))), 1U);
  EXPECT_EQ(endpoints(*builder.update({}, store.remove("wide.yaml"))), 0U);
  EXPECT_EQ(plan_of(*builder.update({}, store.remove("rule.yaml")), kWeb), nullptr);
}

TEST(Replanning, WildcardRulesComeAndGo) {
  config::Store store;
  TableBuilder builder({});
  builder.update({},
                 store.set(read(service_yaml("web", "default", "10.0.0.2") + service_yaml("api", "other", "10.0.0.3"),
                                "services.yaml")));
  auto table = builder.update({}, store.set(read(rule_yaml("all", "default", "'*.default.svc.cluster.local'",
                                                           "  http:\n  - route: [{destination: {host: web}}]\n"),
                                                 "rule.yaml")));
  EXPECT_NE(plan_of(*table, kWeb), nullptr);
  EXPECT_EQ(table->plan->services.size(), 1U);
  table = builder.update({}, store.remove("rule.yaml"));
  EXPECT_TRUE(table->plan->services.empty());
}

TEST(Replanning, LocalPodsAreTakenUpByTheNextUpdate) {
  config::Store store;
  TableBuilder builder({});
  builder.update({},
                 store.set(read(service_yaml("web", "default", "10.0.0.2") +
                                rule_yaml("web", "default", "web",
                                          "  exportTo: ['.']\n  http:\n  - route: [{destination: {host: web}}]\n"))));
  builder.set_local_pods({{"default", "a", *IpAddress::parse("10.2.0.1")}});
  const auto with = builder.update({}, {});
  ASSERT_EQ(plan_of(*with, kWeb)->frontends.size(), 1U);
  ASSERT_EQ(with->plan->sources.size(), 1U);
  EXPECT_EQ(plan_of(*with, kWeb)->frontends[0].source, with->plan->sources[0].id);
  builder.set_local_pods({});
  const auto without = builder.update({}, {});
  EXPECT_EQ(plan_of(*without, kWeb), nullptr);
  EXPECT_TRUE(without->plan->sources.empty());
}

TEST(Replanning, ManyServicesAreSortedLikeFew) {
  config::Store store;
  TableBuilder builder({});
  std::string all;
  for (int i = 0; i < 150; ++i) {
    const std::string name = "s" + std::to_string(i);
    all += service_yaml(name, "default", "10.3.0." + std::to_string(i + 1), {}) +
           rule_yaml(name, "default", name, "  http:\n  - route: [{destination: {host: " + name + "}}]\n");
  }
  auto table = builder.update({}, store.set(read(all)));
  for (const char* name : {"s77", "aa", "zz"}) {
    const std::string text = service_yaml(name, "default", "10.4.0.1", {}) +
                             rule_yaml(name, "other", std::string(name) + ".default.svc.cluster.local",
                                       "  http:\n  - route: [{destination: {host: s1.default.svc.cluster.local}}]\n");
    table = builder.update({}, store.set(config::read_yaml(text, std::string(name) + ".yaml")));
  }
  const auto& services = table->plan->services;
  EXPECT_EQ(services.size(), 152U);
  EXPECT_TRUE(std::is_sorted(services.begin(), services.end(),
                             [](const auto& a, const auto& b) { return a->service < b->service; }));
}

}  // namespace
}  // namespace weir::routing
