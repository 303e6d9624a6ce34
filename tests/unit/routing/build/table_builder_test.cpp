#include "routing/build/table_builder.h"

#include "random_config.h"
#include "support.h"

namespace weir::routing {
namespace {

std::vector<NodePod> local_pods(unsigned count) {
  std::vector<NodePod> pods;
  for (unsigned i = 0; i < count; ++i)
    pods.push_back({i % 2 == 0 ? "a" : "b", "pod-" + std::to_string(2 + 11 * i),
                    *IpAddress::parse("10.1.0." + std::to_string(i + 1))});
  return pods;
}

std::shared_ptr<const Table> from_nothing(const config::Store& store, const BuildOptions& options,
                                          const std::vector<NodePod>& pods) {
  TableBuilder builder(options);
  builder.set_local_pods(pods);
  config::Delta all;
  all.added = store.objects();
  return builder.update(store.mesh(), all);
}

/// The same table and the same plan, and every split's frontends and destinations as the plan promises.
void expect_same(const Table& grown, const Table& fresh, const std::string& where) {
  ASSERT_EQ(to_text(grown), to_text(fresh)) << where;
  ASSERT_EQ(to_text(*grown.plan), to_text(*fresh.plan)) << where;
  ASSERT_EQ(conditions_of(grown), conditions_of(fresh)) << where;
  ASSERT_EQ(grown.generation, grown.plan->generation) << where;
}

void expect_sound(const Plan& plan, const std::string& where) {
  std::set<std::string> names;
  std::set<std::tuple<IpAddress, uint16_t, uint32_t>> frontends;
  for (const auto& service : plan.services) {
    for (const PlanSplit& split : service->splits) {
      ASSERT_TRUE(names.insert(split.name).second) << where << ": two splits named " << split.name;
      ASSERT_FALSE(split.destinations.empty()) << where;
      for (const PlanDestination& destination : split.destinations) {
        ASSERT_GT(destination.weight, 0U) << where;
        ASSERT_TRUE(std::is_sorted(destination.endpoints.begin(), destination.endpoints.end())) << where;
      }
    }
    for (const PlanFrontend& frontend : service->frontends) {
      if (frontend.split == kNoSplit) {
        ASSERT_TRUE(frontend.proxied) << where;
        continue;
      }
      ASSERT_LT(frontend.split, service->splits.size()) << where;
      ASSERT_TRUE(frontends.emplace(frontend.address, frontend.port, frontend.source).second)
          << where << ": two frontends at " << weir::to_string(frontend.address, frontend.port) << " of "
          << service->service;
    }
  }
}

class RandomEdits : public ::testing::TestWithParam<unsigned> {};

// The promise of build_table.h: however a configuration came about, its table is the one built from nothing.
TEST_P(RandomEdits, EndInTheTableBuiltFromNothing) {
  RandomConfig config(GetParam());
  const BuildOptions options{.all_services = GetParam() % 3 == 0};
  config::Store store;
  TableBuilder builder(options);
  std::vector<NodePod> pods;
  config::MeshConfig mesh;
  for (unsigned step = 0; step < 120; ++step) {
    const unsigned number = config.below(48);
    const std::string name = "file" + std::to_string(number) + ".yaml";
    const config::Delta delta =
        config.below(4) == 0 ? store.remove(name) : store.set(config::read_yaml(config.file(number), name));
    if (config.below(15) == 0) builder.set_local_pods(pods = local_pods(config.below(5)));
    const auto grown = builder.update(store.mesh(), delta);
    const std::string where = "seed " + std::to_string(GetParam()) + " step " + std::to_string(step) + " " + name;
    expect_same(*grown, *from_nothing(store, options, pods), where);
    expect_sound(*grown->plan, where);
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomEdits, ::testing::Range(0U, 24U));

TEST(TableBuilder, AServiceThatAChangeDoesNotConcernKeepsItsPlan) {
  config::Store store;
  TableBuilder builder({});
  const std::string rule =
      "  http:\n  - route: [{destination: {host: a}, weight: 1}, {destination: {host: b}, weight: 1}]\n";
  auto delta = store.set(
      read(service_yaml("a", "default", "10.0.0.1") + service_yaml("b", "default", "10.0.0.2"), "services.yaml"));
  builder.update({}, delta);
  builder.update({}, store.set(read(rule_yaml("a", "default", "a", rule), "a.yaml")));
  const auto before = builder.update({}, store.set(read(rule_yaml("b", "default", "b", rule), "b.yaml")));
  std::string changed = rule;
  changed.replace(changed.find("weight: 1"), 9, "weight: 7");
  const auto after = builder.update({}, store.set(read(rule_yaml("b", "default", "b", changed), "b.yaml")));
  ASSERT_EQ(after->plan->services.size(), 2U);
  EXPECT_EQ(after->plan->services[0], before->plan->services[0]) << "the same object";
  EXPECT_NE(after->plan->services[1], before->plan->services[1]);
  EXPECT_EQ(weights_of(before->plan->services[1]->splits[0]), ":1 :1") << "what was handed out does not change";
  EXPECT_EQ(weights_of(after->plan->services[1]->splits[0]), ":7 :1");
  EXPECT_GT(after->generation, before->generation);
}

TEST(TableBuilder, AReplanThatComesToTheSameKeepsTheOldObject) {
  config::Store store;
  TableBuilder builder({});
  const std::string services = service_yaml("a", "default", "10.0.0.1");
  builder.update({}, store.set(read(services, "s.yaml")));
  const auto before = builder.update(
      {},
      store.set(read(rule_yaml("a", "default", "a", "  http:\n  - route: [{destination: {host: a}}]\n"), "r.yaml")));
  const auto after = builder.update({}, store.set(read(services + "# a comment\n", "s.yaml")));
  EXPECT_EQ(after->plan->services[0], before->plan->services[0]);
}

TEST(TableBuilder, AnEmptyDeltaChangesNothingButTheGeneration) {
  config::Store store;
  TableBuilder builder({});
  const auto before = builder.update({}, store.set(read(service_yaml("a", "default", "10.0.0.1"))));
  const auto after = builder.update({}, {});
  EXPECT_EQ(to_text(*before), to_text(*after));
  EXPECT_EQ(after->generation, before->generation + 1);
}

TEST(TableBuilder, MeshSettingsChangeWhatNamesMean) {
  config::Store store;
  TableBuilder builder({});
  builder.update({},
                 store.set(read(service_yaml("a", "default", "10.0.0.1") +
                                rule_yaml("a", "default", "a", "  http:\n  - route: [{destination: {host: a}}]\n"))));
  config::MeshConfig mesh;
  mesh.cluster_domain = "mesh.test";
  const auto table = builder.update(mesh, {});
  ASSERT_EQ(table->plan->services.size(), 1U);
  EXPECT_EQ(table->plan->services[0]->service, "a.default.svc.mesh.test");
  EXPECT_EQ(table->services.size(), 1U);
}

// An error of the user's that the store reports; which object holds must not depend on the order in which files are
// read.
TEST(TableBuilder, OfTwoObjectsOfOneNameTheSameOneHolds) {
  const std::string one = rule_yaml("a", "default", "a", "  http:\n  - route: [{destination: {host: a}}]\n"),
                    two = rule_yaml("a", "default", "b", "  http:\n  - route: [{destination: {host: b}}]\n");
  config::Store forwards, backwards;
  forwards.set(read(one, "1.yaml"));
  forwards.set(read(two, "2.yaml"));
  TableBuilder builder({});
  builder.update({}, backwards.set(read(two, "2.yaml")));
  const auto grown = builder.update({}, backwards.set(read(one, "1.yaml")));
  EXPECT_EQ(to_text(*grown), to_text(*build_table(forwards)));
  const auto left = builder.update({}, backwards.remove("1.yaml"));
  EXPECT_EQ(to_text(*left), to_text(*build_table(backwards)));
}

TEST(TableBuilder, RemovingWhatWasNeverThereIsNothing) {
  config::Store store;
  store.set(read(service_yaml("a", "default", "10.0.0.1")));
  config::Delta delta;
  delta.removed = store.objects();
  TableBuilder builder({});
  EXPECT_TRUE(builder.update({}, delta)->all_services().empty());
}

}  // namespace
}  // namespace weir::routing
