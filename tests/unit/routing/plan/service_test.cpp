#include "routing/plan/service.h"

#include <map>

#include "support.h"

namespace weir::routing {
namespace {

const std::string kWeb = "web.default.svc.cluster.local";

NodePod source(const std::string& namespace_, const std::string& name, const std::string& address) {
  return {namespace_, name, *IpAddress::parse(address)};
}

/// "address:port@source=split" of each frontend, without the service's part of the split's name; sources are numbered
/// in the order in which they are met.
std::string frontends(const ServicePlan* plan) {
  if (!plan) return "-";
  std::string text;
  std::map<uint32_t, uint32_t> numbers{{0, 0}, {kOutside, kOutside}};
  for (const PlanFrontend& frontend : plan->frontends) {
    numbers.try_emplace(frontend.source, static_cast<uint32_t>(numbers.size() - 1));
    const std::string name = frontend.split == kNoSplit ? ":80/-" : plan->splits.at(frontend.split).name;
    text += (text.empty() ? "" : " ") + weir::to_string(frontend.address, frontend.port) + "@" +
            std::to_string(numbers.at(frontend.source)) + "=" + name.substr(name.find(":80/") + 4);
  }
  return text;
}

std::shared_ptr<const Table> with_sources(const std::string& yaml, std::vector<NodePod> sources,
                                          const BuildOptions& options = {}) {
  config::Store store;
  TableBuilder builder(options);
  const auto delta = store.set(read(yaml));
  builder.set_local_pods(std::move(sources));
  return builder.update(store.mesh(), delta);
}

std::string client_pod(const std::string& name, const std::string& namespace_, const std::string& address,
                       const std::string& labels) {
  return "---\napiVersion: v1\nkind: Pod\nmetadata: {name: " + name + ", namespace: " + namespace_ +
         ", labels: " + labels + "}\nstatus: {phase: Running, podIP: " + address + "}\n";
}

const std::string kBase = service_yaml("web", "default", "10.0.0.2") + subsets_yaml("web", "default", "web");
const std::string kToV1 = "    route: [{destination: {host: web, subset: v1}}]\n";
const std::string kToV2 = "    route: [{destination: {host: web, subset: v2}}]\n";

TEST(PlanService, AFrontendForEachAddressWithEndpointsOfItsFamily) {
  const auto table = table_of(R"(
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: e, namespace: default}
spec:
  hosts: [web.default.svc.cluster.local]
  addresses: [10.0.0.2, 10.0.0.3, 'fd00::2']
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 10.1.0.1}, {address: 'fd00:1::1'}, {address: 10.1.0.2}]
)" + rule_yaml("web", "default", "web", "  http:\n  - route: [{destination: {host: web}}]\n"));
  const ServicePlan* plan = plan_of(*table, kWeb);
  EXPECT_EQ(frontends(plan), "10.0.0.2:80@0=web#0/v4 10.0.0.3:80@0=web#0/v4 [fd00::2]:80@0=web#0/v6");
  ASSERT_EQ(plan->splits.size(), 2U) << "one split a family";
  EXPECT_EQ(plan->splits[0].destinations[0].endpoints.size(), 2U);
  EXPECT_EQ(plan->splits[1].destinations[0].endpoints.size(), 1U);
  EXPECT_EQ(plan->splits[0].name, "default/web.default.svc.cluster.local:80/web#0/v4");
}

TEST(PlanService, OnlyHealthyEndpoints) {
  std::string yaml = kBase + rule_yaml("web", "default", "web", "  http:\n  - route: [{destination: {host: web}}]\n");
  yaml.replace(yaml.find("ready: true"), 11, "ready: false");
  const auto table = table_of(yaml);
  EXPECT_EQ(plan_of(*table, kWeb)->splits[0].destinations[0].endpoints.size(), 2U);
}

TEST(PlanService, AServiceWithoutARuleIsLeftAloneUnlessAllAreAskedFor) {
  EXPECT_EQ(plan_of(*table_of(kBase), kWeb), nullptr);
  const auto all = table_of(kBase, {.all_services = true});
  const ServicePlan* plan = plan_of(*all, kWeb);
  EXPECT_EQ(frontends(plan), "10.0.0.2:80@0=default/v4");
  EXPECT_EQ(plan->path, Path::kKernel);
  EXPECT_EQ(plan->reason, "no rule; balanced because --services all");
  const auto inapplicable = rule_yaml("web", "default", "web", "  http:\n  - match: [{port: 9}]\n" + kToV1);
  EXPECT_EQ(frontends(plan_of(*table_of(kBase + inapplicable, {.all_services = true}), kWeb)),
            "10.0.0.2:80@0=default/v4");
  EXPECT_EQ(frontends(plan_of(*table_of(kBase + inapplicable), kWeb)), "");
}

TEST(PlanService, ARuleBySourceLabelsHoldsForThePodsThatHaveThem) {
  const std::string yaml =
      kBase +
      rule_yaml("web", "default", "web",
                "  http:\n  - match: [{sourceLabels: {beta: 'yes'}}]\n" + kToV2 + "  -\n" + kToV1) +
      client_pod("a", "default", "10.2.0.1", "{beta: 'yes'}") + client_pod("b", "default", "10.2.0.2", "{}") +
      client_pod("c", "other", "10.2.0.3", "{beta: 'yes'}");
  const auto table = with_sources(
      yaml, {source("default", "a", "10.2.0.1"), source("default", "b", "10.2.0.2"), source("other", "c", "10.2.0.3")});
  EXPECT_EQ(frontends(plan_of(*table, kWeb)), "10.0.0.2:80@0=web#1/v4 10.0.0.2:80@1=web#0/v4 10.0.0.2:80@2=web#0/v4");
  ASSERT_EQ(table->plan->sources.size(), 2U) << "only those that a rule tells apart";
  EXPECT_EQ(table->plan->sources[0].pod.name, "a");
}

TEST(PlanService, ARuleForSomeClientsOnly) {
  const std::string yaml =
      kBase + rule_yaml("web", "default", "web", "  http:\n  - match: [{sourceNamespace: other}]\n" + kToV2) +
      client_pod("c", "other", "10.2.0.3", "{}");
  const auto table = with_sources(yaml, {source("other", "c", "10.2.0.3"), source("default", "d", "10.2.0.4")});
  const ServicePlan* plan = plan_of(*table, kWeb);
  EXPECT_EQ(frontends(plan), "10.0.0.2:80@1=web#0/v4");
  EXPECT_EQ(plan->path, Path::kKernel);
  EXPECT_TRUE(plan->reason.ends_with("(for some clients only)")) << plan->reason;
}

TEST(PlanService, AClientForWhichNoRuleHoldsGetsTheDefaultWhereOthersAreSplit) {
  // The private, older rule hides the public one from its own namespace and leads to what cannot be split.
  std::string headless = service_yaml("hl", "default", "10.0.0.3");
  headless.replace(headless.find("clusterIP: 10.0.0.3"), 19, "clusterIP: None    ");
  const std::string yaml =
      kBase + headless +
      rule_yaml("public", "other", kWeb, "  http:\n  - route: [{destination: {host: " + kWeb + ", subset: v1}}]\n") +
      rule_yaml("private", "mine", kWeb,
                "  exportTo: ['.']\n  http:\n  - route: [{destination: {host: hl.default.svc.cluster.local}}]\n",
                "creationTimestamp: '2023-01-01T00:00:00Z'");
  const auto table = with_sources(yaml, {source("mine", "a", "10.2.0.1"), source("yours", "b", "10.2.0.2")});
  EXPECT_EQ(frontends(plan_of(*table, kWeb)), "10.0.0.2:80@0=other/public#0/v4 10.0.0.2:80@1=default/v4");
}

// Whoever needs nothing of the request is not sent to the proxy because another client does.
TEST(PlanService, ForTheProxyForSomeClientsOnly) {
  const std::string yaml = kBase + rule_yaml("web", "default", "web",
                                             "  http:\n  - match: [{sourceNamespace: other, uri: {prefix: /a}}]\n" +
                                                 kToV1 + "  -\n" + kToV2);
  const auto table = with_sources(yaml, {source("other", "c", "10.2.0.3"), source("default", "d", "10.2.0.4")});
  const ServicePlan* plan = plan_of(*table, kWeb);
  EXPECT_EQ(frontends(plan), "10.0.0.2:80@0=web#1/v4 10.0.0.2:80@1=web#1/v4/for other");
  EXPECT_FALSE(plan->frontends[0].proxied);
  EXPECT_TRUE(plan->frontends[1].proxied);
  EXPECT_EQ(plan->path, Path::kProxy) << "the proxy has a part in it";
  EXPECT_TRUE(plan->reason.ends_with("matches the uri (for some clients only)")) << plan->reason;
}

TEST(PlanService, ExportedToOneNamespaceItHoldsForPodsOfThatOnly) {
  const std::string yaml = kBase + rule_yaml("web", "default", "web", "  exportTo: ['.']\n  http:\n  -\n" + kToV1);
  const auto table = with_sources(
      yaml, {source("default", "a", "10.2.0.1"), source("default", "b", "10.2.0.2"), source("x", "c", "10.2.0.3")});
  EXPECT_EQ(frontends(plan_of(*table, kWeb)), "10.0.0.2:80@1=web#0/v4");
  EXPECT_EQ(plan_of(*table, kWeb)->splits.size(), 1U) << "one view, one split, one cursor";
}

// istio-facts 27: the client's namespace may have its own idea of a subset.
TEST(PlanService, ADestinationRuleOfTheClientsNamespaceGivesASplitOfItsOwn) {
  const std::string own =
      "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: own, namespace: "
      "other}\nspec:\n  host: " +
      kWeb + "\n  subsets: [{name: v1, labels: {version: v3}}]\n";
  const std::string yaml = kBase + own + rule_yaml("web", "default", "web", "  http:\n  -\n" + kToV1);
  const auto table = with_sources(
      yaml, {source("other", "a", "10.2.0.1"), source("other", "b", "10.2.0.2"), source("third", "c", "10.2.0.3")});
  const ServicePlan* plan = plan_of(*table, kWeb);
  EXPECT_EQ(frontends(plan), "10.0.0.2:80@0=web#0/v4 10.0.0.2:80@1=web#0/v4/for other");
  EXPECT_EQ(plan->splits[1].destinations[0].endpoints[0].address.to_string(), "10.1.2.3");
}

TEST(PlanService, AWorkloadSelectorTellsPodsOfOneNamespaceApart) {
  const std::string some =
      "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: some, namespace: "
      "default}\nspec:\n  host: web\n"
      "  workloadSelector: {matchLabels: {app: x}}\n  subsets: [{name: v1, labels: {version: v2}}]\n";
  const std::string yaml = kBase + some + rule_yaml("web", "default", "web", "  http:\n  -\n" + kToV1) +
                           client_pod("a", "default", "10.2.0.1", "{app: y}") +
                           client_pod("b", "default", "10.2.0.2", "{app: x}");
  const auto table = with_sources(yaml, {source("default", "a", "10.2.0.1"), source("default", "b", "10.2.0.2")});
  EXPECT_EQ(frontends(plan_of(*table, kWeb)), "10.0.0.2:80@0=web#0/v4 10.0.0.2:80@1=web#0/v4/for default");
}

TEST(PlanService, SourceSubnetHoldsForPodsByTheirAddress) {
  const std::string yaml = service_yaml("web", "default", "10.0.0.2", {"v1", "v2"}, "tcp") +
                           subsets_yaml("web", "default", "web") +
                           rule_yaml("web", "default", "web",
                                     "  tcp:\n  - match: [{sourceSubnet: 10.2.0.0/30}]\n" + kToV2 + "  -\n" + kToV1);
  const auto table = with_sources(yaml, {source("default", "a", "10.2.0.1"), source("default", "b", "10.2.0.9")});
  EXPECT_EQ(frontends(plan_of(*table, kWeb)), "10.0.0.2:80@0=web#1/v4 10.0.0.2:80@1=web#0/v4");
}

TEST(PlanService, OfTwoServicesWithOneAddressOneHasIt) {
  const auto entry = [](const std::string& name) {
    return "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: " + name +
           ", namespace: default}\nspec:\n  hosts: [" + name +
           ".example.com]\n  addresses: [10.0.0.2]\n  ports: [{number: 80, name: http, "
           "protocol: HTTP}]\n  resolution: STATIC\n  endpoints: [{address: 10.20.0.1}]\n" +
           rule_yaml(name, "default", name + ".example.com",
                     "  http:\n  - route: [{destination: {host: " + name + ".example.com}}]\n");
  };
  const auto table = table_of(entry("a") + entry("b"));
  EXPECT_EQ(frontends(plan_of(*table, "a.example.com")), "10.0.0.2:80@0=a#0/v4");
  EXPECT_EQ(frontends(plan_of(*table, "b.example.com")), "");
  EXPECT_NE(conditions_of(*table).find("address 10.0.0.2:80 of b.example.com belongs to a.example.com"),
            std::string::npos);
}

TEST(PlanService, ARuleForAServiceWithoutAnAddressIsSaid) {
  const auto table = table_of(
      "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: e, namespace: default}\nspec:\n  "
      "hosts: [e.example.com]\n"
      "  ports: [{number: 80, name: http, protocol: HTTP}]\n  resolution: STATIC\n  endpoints: [{address: "
      "10.20.0.1}]\n" +
      rule_yaml("e", "default", "e.example.com", "  http:\n  - route: [{destination: {host: e.example.com}}]\n"));
  const ServicePlan* plan = plan_of(*table, "e.example.com");
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(plan->path, Path::kNone);
  EXPECT_NE(plan->reason.find("no address"), std::string::npos) << plan->reason;
  EXPECT_NE(conditions_of(*table).find("cannot hold"), std::string::npos) << conditions_of(*table);
}

}  // namespace
}  // namespace weir::routing
