#include "routing/hosts.h"
#include "support.h"

namespace weir::routing {
namespace {

RuleDestination destination(std::string host, std::string subset = "", uint16_t port = 0) {
  RuleDestination result;
  result.host = std::move(host);
  result.subset = std::move(subset);
  if (port != 0) result.port = port;
  return result;
}

/// As an object of that namespace means it.
RuleDestination completed(RuleDestination to, std::string_view namespace_ = "default") {
  to.host = full_host(to.host, namespace_, "cluster.local");
  return to;
}

/// "host:port/subset addresses" or the problem.
std::string resolved(const Table& table, const Client& client, const RuleDestination& to, uint16_t dialled = 80,
                     std::string_view namespace_ = "default") {
  const ResolvedDestination result = resolve_destination(table, client, completed(to, namespace_), dialled);
  if (!result.exists || !result.problem.empty()) return (result.exists ? "" : "missing: ") + result.problem;
  std::string text = result.host + ":" + std::to_string(result.port) + "/" + result.subset;
  for (const Endpoint* endpoint : result.endpoints) text += " " + weir::to_string(endpoint->address, endpoint->port);
  return text;
}

const std::string kTwoPorts = R"(
---
apiVersion: v1
kind: Service
metadata: {name: two, namespace: default}
spec:
  clusterIP: 10.0.0.9
  ports: [{name: http, port: 80, targetPort: 8080}, {name: http-b, port: 81, targetPort: 8081}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
addressType: IPv4
metadata: {name: two-1, namespace: default, labels: {kubernetes.io/service-name: two}}
ports: [{name: http, port: 8080, protocol: TCP}, {name: http-b, port: 9999, protocol: TCP}]
endpoints: [{addresses: [10.1.9.1]}]
)";

// istio-facts 20, 21.
TEST(ResolveDestination, NamesPortsAndSubsets) {
  const auto table =
      table_of(service_yaml("web", "default", "10.0.0.2") + service_yaml("web", "other", "10.0.0.3", {"v1"}) +
               service_yaml("empty", "default", "10.0.0.4", {}) + kTwoPorts + subsets_yaml("web", "default", "web") +
               subsets_yaml("gone", "default", "gone"));
  const Client client = pod_of("default");
  const std::string S = ".svc.cluster.local";
  EXPECT_EQ(resolved(*table, client, destination("web", "v2")), "web.default" + S + ":80/v2 10.1.2.2:8080");
  EXPECT_EQ(resolved(*table, client, destination("web")),
            "web.default" + S + ":80/ 10.1.2.1:8080 10.1.2.2:8080 10.1.2.3:8080");
  EXPECT_EQ(resolved(*table, pod_of("third"), destination("web"), 80, "other"), "web.other" + S + ":80/ 10.1.3.1:8080")
      << "short names are the VirtualService's namespace's";
  EXPECT_EQ(resolved(*table, client, destination("web"), 8000),
            "web.default" + S + ":80/ 10.1.2.1:8080 10.1.2.2:8080 10.1.2.3:8080")
      << "its only port";
  EXPECT_EQ(resolved(*table, client, destination("two"), 81), "two.default" + S + ":81/ 10.1.9.1:9999")
      << "the dialled port";
  EXPECT_EQ(resolved(*table, client, destination("two", "", 80), 81), "two.default" + S + ":80/ 10.1.9.1:8080");
  // Errors.
  EXPECT_EQ(resolved(*table, client, destination("two"), 82),
            "missing: two.default" + S + " has no port 82 (it has 80, 81)");
  EXPECT_EQ(resolved(*table, client, destination("web", "", 99)),
            "missing: web.default" + S + " has no port 99 (it has 80)");
  EXPECT_EQ(resolved(*table, client, destination("nosuch")),
            "missing: no Service or ServiceEntry defines nosuch.default" + S);
  EXPECT_EQ(resolved(*table, client, destination("web.other")), "missing: no Service or ServiceEntry defines web.other")
      << "not completed";
  EXPECT_EQ(resolved(*table, client, destination("web", "v9")),
            "missing: subset v9 of web.default" + S + " is not defined in DestinationRule default/web");
  EXPECT_EQ(resolved(*table, client, destination("two", "v1")),
            "missing: subset v1 of two.default" + S + " is not defined: no DestinationRule holds for it");
  EXPECT_EQ(resolved(*table, client, destination("empty")), "empty.default" + S + " has no endpoints");
}

// Measured in the oracle's testdata-rules: regex.extsvc.com has port 9003 only, and a rule for it on port 80 answers
// 503.
TEST(ResolveDestination, AnHttpRuleWithoutAPortMeansTheDialledOne) {
  const auto table = table_of(service_yaml("web", "default", "10.0.0.2"));
  const auto at = [&](uint16_t dialled) {
    return resolve_destination(*table, pod_of("default"), completed(destination("web")), dialled,
                               PortMeaning::kDialled);
  };
  EXPECT_TRUE(at(80).exists);
  EXPECT_FALSE(at(8000).exists);
  EXPECT_EQ(at(8000).port, 8000);
}

TEST(ResolveDestination, ASubsetThatNobodyIsInExistsAndIsEmpty) {
  const auto table =
      table_of(service_yaml("web", "default", "10.0.0.2", {"v1"}) + subsets_yaml("web", "default", "web"));
  EXPECT_EQ(resolved(*table, pod_of("default"), destination("web", "v3")),
            "subset v3 of web.default.svc.cluster.local has no endpoints");
}

// istio-facts 27; the names are those of the oracle's dr-lookup case.
class DestinationRuleLookup : public ::testing::Test {
 protected:
  static std::string rule(const std::string& name, const std::string& namespace_, const std::string& host,
                          const std::string& version, const std::string& more = "") {
    return "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: " + name +
           ", namespace: " + namespace_ + "}\nspec:\n  host: '" + host + "'\n" + more +
           "  subsets: [{name: s, labels: {version: " + version + "}}]\n";
  }
  static std::string used(const Table& table, const Client& client, const std::string& host) {
    const Service* service = find_service_by_host(table, client, host);
    const DestinationRule* found = service ? find_destination_rule(table, client, *service) : nullptr;
    return found ? found->name : "-";
  }
};

TEST_F(DestinationRuleLookup, ClientsNamespaceThenServicesThenRoot) {
  const std::string host = "web.prod.svc.cluster.local";
  const std::string service = service_yaml("web", "prod", "10.0.0.2");
  const std::string in_client = rule("c", "client", host, "v1"), in_service = rule("s", "prod", "web", "v2"),
                    in_root = rule("r", "istio-system", host, "v3"), in_third = rule("t", "third", host, "v1");
  const auto all = table_of(service + in_client + in_service + in_root + in_third);
  EXPECT_EQ(used(*all, pod_of("client"), host), "c");
  EXPECT_EQ(used(*all, pod_of("prod"), host), "s");
  EXPECT_EQ(used(*all, pod_of("elsewhere"), host), "s");
  EXPECT_EQ(used(*all, Client{}, host), "s");
  EXPECT_EQ(used(*table_of(service + in_root + in_third), pod_of("elsewhere"), host), "r");
  EXPECT_EQ(used(*table_of(service + in_third), pod_of("elsewhere"), host), "-")
      << "a third namespace's rule is never used";
  EXPECT_EQ(used(*table_of(service + rule("short", "client", "web", "v1")), pod_of("client"), host), "-")
      << "a short host means the service of the rule's own namespace";
}

TEST_F(DestinationRuleLookup, AWildcardOfTheFirstNamespaceHidesExactRulesOfTheNext) {
  const std::string host = "web.prod.svc.cluster.local";
  const auto table = table_of(service_yaml("web", "prod", "10.0.0.2") + rule("s", "prod", "web", "v2") +
                              rule("wide", "client", "*.svc.cluster.local", "v1") +
                              rule("narrow", "client", "*.prod.svc.cluster.local", "v1"));
  EXPECT_EQ(used(*table, pod_of("client"), host), "narrow") << "the longest wildcard";
  EXPECT_EQ(used(*table, pod_of("third"), host), "s");
}

TEST_F(DestinationRuleLookup, APrivateRuleFallsThrough) {
  const std::string host = "web.prod.svc.cluster.local";
  const auto table =
      table_of(service_yaml("web", "prod", "10.0.0.2") + rule("priv", "prod", "web", "v2", "  exportTo: ['.']\n") +
               rule("r", "istio-system", host, "v1"));
  EXPECT_EQ(used(*table, pod_of("prod"), host), "priv");
  EXPECT_EQ(used(*table, pod_of("other"), host), "r");
  const auto named =
      table_of(service_yaml("web", "prod", "10.0.0.2") + rule("named", "prod", "web", "v2", "  exportTo: [friend]\n"));
  EXPECT_EQ(used(*named, pod_of("friend"), host), "named");
  EXPECT_EQ(used(*named, pod_of("other"), host), "-");
}

TEST_F(DestinationRuleLookup, AWorkloadSelectorHoldsForItsPodsOnly) {
  const std::string host = "web.prod.svc.cluster.local";
  const auto table = table_of(service_yaml("web", "prod", "10.0.0.2") + rule("all", "prod", "web", "v2") +
                              rule("some", "prod", "web", "v1", "  workloadSelector: {matchLabels: {app: x}}\n"));
  EXPECT_EQ(used(*table, pod_of("prod", {{"app", "x"}}), host), "some");
  EXPECT_EQ(used(*table, pod_of("prod"), host), "all");
  EXPECT_EQ(used(*table, pod_of("other", {{"app", "x"}}), host), "all");
}

// istio-facts 23.
TEST(ResolveDestination, OriginalDestinationHasNoEndpointsOfItsOwn) {
  std::string yaml = service_yaml("hl", "default", "10.0.0.2") + subsets_yaml("hl", "default", "hl");
  yaml.replace(yaml.find("10.0.0.2"), 8, "None");
  const auto table = table_of(yaml);
  const auto result = resolve_destination(*table, pod_of("default"), completed(destination("hl", "v2")), 80);
  EXPECT_TRUE(result.exists);
  EXPECT_TRUE(result.endpoints.empty());
  EXPECT_EQ(result.problem, "");
}

std::string external(const std::string& name, const std::string& target, const std::string& ports) {
  return "---\napiVersion: v1\nkind: Service\nmetadata: {name: " + name +
         ", namespace: default}\nspec: {type: ExternalName, externalName: " + target + ports + "}\n";
}

/// It was refused, although the named service is known.
TEST(ResolveDestination, AnExternalNameMeansWhatItNames) {
  const std::string port = ", ports: [{name: http, port: 80}]";
  const auto table = table_of(
      service_yaml("real", "default", "10.0.0.2") + external("alias", "Real.default.svc.cluster.local.", port) +
      external("alias2", "alias.default.svc.cluster.local", port) +
      external("noports", "real.default.svc.cluster.local", "") +
      external("otherport", "real.default.svc.cluster.local", ", ports: [{name: http, port: 81}]") +
      external("gone", "gone.example.com", port) + R"(
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: real, namespace: default}
spec:
  host: real
  subsets: [{name: v2, labels: {version: v2}}]
)");
  const auto of = [&](const char* host, const char* subset, bool http, uint16_t dialled = 80) {
    const auto resolved = resolve_destination(*table, pod_of("default"), completed(destination(host, subset)), dialled,
                                              http ? PortMeaning::kDialled : PortMeaning::kOnlyElseDialled);
    return resolved.exists ? resolved.host + " " + std::to_string(resolved.port) + " " +
                                 std::to_string(resolved.endpoints.size()) + " as " + resolved.alias
                           : resolved.problem;
  };
  const std::string all = "real.default.svc.cluster.local 80 3 as ";
  EXPECT_EQ(of("alias", "", true), all + "alias.default.svc.cluster.local");
  EXPECT_EQ(of("alias", "", false, 9999), all + "alias.default.svc.cluster.local") << "its only port";
  EXPECT_EQ(of("alias", "v2", true), "real.default.svc.cluster.local 80 1 as alias.default.svc.cluster.local");
  EXPECT_EQ(of("noports", "", false), all + "noports.default.svc.cluster.local");
  EXPECT_EQ(of("noports", "", true),
            "noports.default.svc.cluster.local is an ExternalName without port 80 (it has none)");
  EXPECT_EQ(of("otherport", "", true),
            "otherport.default.svc.cluster.local is an ExternalName without port 80 (it has 81)");
  EXPECT_EQ(of("otherport", "", false), "real.default.svc.cluster.local has no port 81 (it has 80)");
  EXPECT_EQ(of("gone", "", true),
            "gone.default.svc.cluster.local is an ExternalName of gone.example.com, which nothing here defines");
  EXPECT_EQ(
      of("alias2", "", true),
      "alias2.default.svc.cluster.local is an ExternalName of alias.default.svc.cluster.local, which is one itself");
}

/// Endpoints of other nodes got traffic, and nobody said so.
TEST(ResolveDestination, InternalTrafficPolicyLocalMeansThisNodesEndpoints) {
  std::string yaml = service_yaml("web", "default", "10.0.0.2");  // pods on node n1
  yaml.replace(yaml.find("  selector"), 0, "  internalTrafficPolicy: Local\n");
  const auto of = [&](const std::string& built_for, const std::string& client_node) {
    const auto table = table_of(yaml, {.node = built_for});
    Client client = pod_of("default");
    client.node = client_node;
    const auto resolved = resolve_destination(*table, client, completed(destination("web")), 80);
    return std::to_string(resolved.endpoints.size()) + " " + resolved.problem;
  };
  EXPECT_EQ(of("n1", ""), "3 ");
  EXPECT_EQ(of("n2", "n1"), "3 ") << "the client's own node counts";
  const std::string nobody = "0 web.default.svc.cluster.local has no endpoints ";
  EXPECT_EQ(of("n2", ""), nobody + "on node n2 (internalTrafficPolicy: Local)");
  EXPECT_EQ(of("n1", "n2"), nobody + "on node n2 (internalTrafficPolicy: Local)");
  EXPECT_EQ(of("", ""), nobody + "for a client whose node is not known (internalTrafficPolicy: Local)");
}

TEST(EffectivePolicy, SubsetOverRuleBlockByBlockAndPortOverAll) {
  const auto table = table_of(service_yaml("web", "default", "10.0.0.2") + R"(
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web, namespace: default}
spec:
  host: web
  trafficPolicy:
    loadBalancer: {simple: RANDOM}
    connectionPool: {tcp: {maxConnections: 7}}
  subsets:
  - name: v1
    labels: {version: v1}
  - name: v2
    labels: {version: v2}
    trafficPolicy:
      loadBalancer: {simple: ROUND_ROBIN}
  - name: v3
    labels: {version: v3}
    trafficPolicy:
      loadBalancer: {simple: ROUND_ROBIN}
      portLevelSettings:
      - port: {number: 80}
        connectionPool: {tcp: {maxConnections: 9}}
)");
  using Simple = config::LoadBalancer::Simple;
  const auto policy = [&](const char* subset) {
    return effective_policy(resolve_destination(*table, pod_of("default"), completed(destination("web", subset)), 80));
  };
  EXPECT_EQ(policy("v1").load_balancer->simple, Simple::kRandom);
  EXPECT_EQ(policy("v2").load_balancer->simple, Simple::kRoundRobin);
  EXPECT_EQ(policy("v2").connection_pool->max_connections, 7U);
  EXPECT_EQ(policy("v3").load_balancer, nullptr) << "a port's settings replace what they leave out, too";
  EXPECT_EQ(policy("v3").connection_pool->max_connections, 9U);
  EXPECT_EQ(policy("").tls, nullptr);
}

}  // namespace
}  // namespace weir::routing
