// Frontends hang on classes of clients, not on pods.
#include "routing/build/client_classes.h"

#include "support.h"

namespace weir::routing {
namespace {

std::string pod_yaml(const std::string& name, const std::string& labels, const std::string& address) {
  return "---\napiVersion: v1\nkind: Pod\nmetadata: {name: " + name + ", namespace: default, labels: {" + labels +
         "}}\nstatus: {phase: Running, podIP: " + address + "}\n";
}

class ClientClassesTest : public ::testing::Test {
 protected:
  std::shared_ptr<const Table> set(const std::string& yaml, const std::string& file) {
    return builder_.update({}, store_.set(read(yaml, file)));
  }
  /// Pods pod-0 .. of alternating versions.
  std::string pods(int count) {
    std::string yaml;
    pods_.clear();
    for (int i = 0; i < count; ++i) {
      const std::string address = "10.2." + std::to_string(i / 250) + "." + std::to_string(1 + i % 250);
      yaml += pod_yaml("pod-" + std::to_string(i),
                       "app: x, version: v" + std::to_string(1 + i % 2) + ", uid: u" + std::to_string(i), address);
      pods_.push_back({"default", "pod-" + std::to_string(i), *IpAddress::parse(address)});
    }
    builder_.set_local_pods(pods_);
    return yaml;
  }
  static size_t frontends(const Table& table) {
    return plan_of(table, "web.default.svc.cluster.local")->frontends.size();
  }
  static std::set<uint32_t> ids(const Table& table) {
    std::set<uint32_t> found;
    for (const PlanSource& source : table.plan->sources) found.insert(source.id);
    return found;
  }

  config::Store store_;
  TableBuilder builder_{{}};
  std::vector<NodePod> pods_;
};

const std::string kByVersion = rule_yaml("web", "default", "web",
                                         "  http:\n  - match: [{sourceLabels: {version: v2}}]\n"
                                         "    route: [{destination: {host: web, subset: v2}}]\n"
                                         "  - route: [{destination: {host: web, subset: v1}}]\n");

TEST_F(ClientClassesTest, TenThousandPodsOfTwoClassesHaveTheFrontendsOfTwo) {
  set(service_yaml("web", "default", "10.0.0.2") + subsets_yaml("web", "default", "web") + kByVersion, "web.yaml");
  const auto few = set(pods(2), "pods.yaml");
  const size_t wanted = frontends(*few);
  const auto before = ids(*few);
  const auto many = set(pods(10000), "pods.yaml");
  EXPECT_EQ(frontends(*many), wanted);
  EXPECT_EQ(ids(*many), before) << "and the classes their numbers";
  EXPECT_EQ(many->plan->sources.size(), 5000U) << "of v2, which the rule tells apart";
  EXPECT_EQ(plan_of(*few, "web.default.svc.cluster.local"), plan_of(*many, "web.default.svc.cluster.local"))
      << "the datapath has nothing to do";
}

TEST_F(ClientClassesTest, APodThatChangesItsLabelsChangesItsClass) {
  set(service_yaml("web", "default", "10.0.0.2") + subsets_yaml("web", "default", "web") + kByVersion, "web.yaml");
  pods_ = {{"default", "a", *IpAddress::parse("10.2.0.1")}};
  builder_.set_local_pods(pods_);
  EXPECT_TRUE(set(pod_yaml("a", "version: v1", "10.2.0.1"), "a.yaml")->plan->sources.empty());
  EXPECT_EQ(set(pod_yaml("a", "version: v2", "10.2.0.1"), "a.yaml")->plan->sources.size(), 1U);
  EXPECT_TRUE(set(pod_yaml("a", "version: v1", "10.2.0.1"), "a.yaml")->plan->sources.empty());
}

TEST_F(ClientClassesTest, SubnetsOfClientsMakeClasses) {
  set(service_yaml("web", "default", "10.0.0.2", {"v1", "v2"}, "tcp") + subsets_yaml("web", "default", "web") +
          rule_yaml(
              "web", "default", "web",
              "  tcp:\n  - match: [{sourceSubnet: 10.2.0.0/24}]\n    route: [{destination: {host: web, subset: v2}}]\n"
              "  - route: [{destination: {host: web, subset: v1}}]\n"),
      "web.yaml");
  const auto table = set(pods(500), "pods.yaml");
  EXPECT_EQ(frontends(*table), 2U);
  EXPECT_EQ(table->plan->sources.size(), 250U);
}

}  // namespace
}  // namespace weir::routing
