#include "routing/view/resolve.h"

#include "support.h"

namespace weir::routing {
namespace {

std::string found(const Table& table, const Client& client, std::string_view name) {
  const Service* service = find_service(table, client, name);
  return service ? service->host : "-";
}

const std::string kDefaultRoute = "  http:\n  - route: [{destination: {host: web}}]\n";

// istio-facts 10-12, 14.
TEST(FindService, KnowsEveryNameOfAKubernetesService) {
  const auto table = table_of(service_yaml("web", "default", "10.0.0.2") + service_yaml("web", "other", "10.0.0.3") +
                              service_yaml("solo", "other", "10.0.0.4"));
  const std::string web = "web.default.svc.cluster.local", other = "web.other.svc.cluster.local";
  struct Case {
    const char *from, *name;
    std::string expected;
  };
  for (const Case& c : {
           Case{"default", "web", web},
           Case{"default", "web:80", web},
           Case{"default", "WEB", web},
           Case{"default", "Web.Default", web},
           Case{"default", "web.default.svc", web},
           Case{"default", "web.default.svc.cluster.local", web},
           Case{"default", "web.default.svc.cluster.local.", web},
           Case{"default", "web.default.svc.cluster.local.:80", web},
           Case{"default", "10.0.0.2", web},
           Case{"default", "10.0.0.2:80", web},
           Case{"other", "web", other},
           Case{"default", "web.other", other},
           Case{"default", "solo.other", "solo.other.svc.cluster.local"},
           // Errors.
           Case{"default", "solo", "-"},
           Case{"default", "web.", "-"},
           Case{"default", "web.default.", "-"},
           Case{"default", "web.default.svc.", "-"},
           Case{"default", "web.default.svc.cluster", "-"},
           Case{"default", "web.default.cluster.local", "-"},
           Case{"default", "x.web.default.svc.cluster.local", "-"},
           Case{"default", "nosuch", "-"},
           Case{"default", "nosuch.example.com", "-"},
           Case{"default", "10.0.0.99", "-"},
           Case{"default", "", "-"},
           Case{"default", ".", "-"},
           Case{"default", ":80", "-"},
           Case{"", "web", "-"},
           Case{"", "web.default", web},
       }) {
    EXPECT_EQ(found(*table, pod_of(c.from), c.name), c.expected) << c.from << " asks for " << c.name;
  }
}

// istio-facts 24, 28.
TEST(FindService, OfSeveralNamespacesEachClientSeesItsOwn) {
  const char* entry =
      "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: dup, namespace: NS, "
      "creationTimestamp: 'AGE'}\n"
      "spec:\n  hosts: [dup.example.com]\n  ports: [{number: 80, name: http, protocol: HTTP}]\n  resolution: STATIC\n"
      "  endpoints: [{address: 10.9.9.1}]\n";
  const auto of = [&](std::string namespace_, std::string age) {
    std::string text = entry;
    text.replace(text.find("NS"), 2, namespace_);
    return text.replace(text.find("AGE"), 3, age);
  };
  const auto table = table_of(of("a", "2024-03-01T00:00:00Z") + of("b", "2024-02-01T00:00:00Z"));
  EXPECT_EQ(find_service(*table, pod_of("a"), "dup.example.com")->namespace_, "a");
  EXPECT_EQ(find_service(*table, pod_of("b"), "dup.example.com")->namespace_, "b");
  EXPECT_EQ(find_service(*table, pod_of("c"), "dup.example.com")->namespace_, "b") << "the oldest";
  EXPECT_EQ(find_service(*table, Client{}, "dup.example.com")->namespace_, "b");
}

TEST(FindService, HidesWhatIsNotExported) {
  std::string hidden = service_yaml("web", "default", "10.0.0.2");
  hidden.insert(hidden.find("{name: web, namespace: default") + 1,
                "annotations: {networking.istio.io/exportTo: '.'}, ");
  const auto table = table_of(hidden);
  EXPECT_EQ(found(*table, pod_of("default"), "web"), "web.default.svc.cluster.local");
  EXPECT_EQ(found(*table, pod_of("other"), "web.default"), "-");
  EXPECT_EQ(found(*table, pod_of("other"), "10.0.0.2"), "-");
}

TEST(FindService, WildcardsAndRangesOfServiceEntries) {
  const auto table = table_of(R"(
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: wild, namespace: default}
spec:
  hosts: ['*.example.com', '*.deep.example.com']
  addresses: [10.30.0.0/16]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: NONE
)");
  EXPECT_EQ(found(*table, pod_of("x"), "a.example.com"), "*.example.com");
  EXPECT_EQ(found(*table, pod_of("x"), "a.b.example.com"), "*.example.com");
  EXPECT_EQ(found(*table, pod_of("x"), "a.deep.example.com"), "*.deep.example.com") << "the longest";
  EXPECT_EQ(found(*table, pod_of("x"), "example.com"), "-");
  EXPECT_NE(found(*table, pod_of("x"), "10.30.5.5"), "-");
  EXPECT_EQ(found(*table, pod_of("x"), "10.31.0.1"), "-");
}

// istio-facts 26.
TEST(FindService, AnExternalNameStandsForWhatItNames) {
  const auto external = [](const std::string& name, const std::string& target) {
    return "---\napiVersion: v1\nkind: Service\nmetadata: {name: " + name +
           ", namespace: default}\nspec: {type: ExternalName, externalName: " + target +
           ", ports: [{name: http, port: 80}]}\n";
  };
  const auto table =
      table_of(service_yaml("web", "default", "10.0.0.2") + external("known", "web.default.svc.cluster.local") +
               external("unknown", "target.example.com") + external("loop-a", "loop-b.default.svc.cluster.local") +
               external("loop-b", "loop-a.default.svc.cluster.local"));
  EXPECT_EQ(found(*table, pod_of("default"), "known"), "web.default.svc.cluster.local");
  EXPECT_EQ(found(*table, pod_of("default"), "unknown"), "-");
  EXPECT_EQ(found(*table, pod_of("default"), "loop-a"), "-");
}

std::string rule_for(const Table& table, const Client& client, std::string_view host, uint16_t port = 80) {
  const HttpRules rules = find_http_rules(table, client, host, port);
  if (!rules.decides) return "-";
  std::string text = rules.decides->name;
  for (const AppliedHttpRule& rule : rules.rules) text += " " + rule.rule->origin.route;
  return text;
}

std::string named_route(const std::string& name, const std::string& match = "") {
  return "  - name: " + name + "\n" + (match.empty() ? "" : "    match: [" + match + "]\n") +
         "    route: [{destination: {host: web}}]\n";
}

// istio-facts 1.
TEST(HttpRules, RulesThatCannotApplyAreNotThere) {
  const auto table = table_of(
      service_yaml("web", "default", "10.0.0.2") +
      rule_yaml("web", "default", "web",
                "  http:\n" + named_route("labels", "{sourceLabels: {version: v2}, uri: {prefix: /l}}") +
                    named_route("ns", "{sourceNamespace: other, uri: {prefix: /n}}") +
                    named_route("port", "{port: 9999, uri: {prefix: /p}}") +
                    named_route("gw", "{gateways: [istio-system/gw], uri: {prefix: /g}}") +
                    named_route("mesh", "{gateways: [mesh], sourceLabels: {never: true1}, uri: {prefix: /m}}") +
                    named_route("two", "{sourceNamespace: nowhere}, {uri: {prefix: /o}}") + named_route("default") +
                    named_route("after")));
  const std::string web = "web.default.svc.cluster.local";
  EXPECT_EQ(rule_for(*table, pod_of("default"), web), "web mesh two default");
  EXPECT_EQ(rule_for(*table, pod_of("other", {{"version", "v2"}}), web), "web labels ns mesh two default");
  EXPECT_EQ(rule_for(*table, pod_of("other"), web, 9999), "web ns port mesh two default");
  EXPECT_EQ(rule_for(*table, Client{}, web), "web mesh two default")
      << "a process of the node has no labels and no namespace";
  const HttpRules rules = find_http_rules(*table, pod_of("default"), web, 80);
  EXPECT_EQ(rules.rules[1].match.size(), 1U) << "only the entry that can apply";
  EXPECT_FALSE(rules.rules[1].takes_all);
  EXPECT_TRUE(rules.rules[2].takes_all);
}

TEST(HttpRules, WhenNoRuleIsLeftTheDefaultRouteHolds) {
  const auto table = table_of(
      service_yaml("web", "default", "10.0.0.2") +
      rule_yaml("labels", "default", "a.com", "  http:\n" + named_route("only", "{sourceLabels: {app: nobody}}")) +
      rule_yaml("port", "default", "b.com", "  http:\n" + named_route("only", "{port: 9999}")) +
      rule_yaml("gateway", "default", "c.com", "  gateways: [istio-system/gw]\n  http:\n" + named_route("only")));
  for (const char* host : {"a.com", "b.com", "c.com", "d.com"})
    EXPECT_EQ(rule_for(*table, pod_of("default"), host), "-") << host;
  EXPECT_EQ(rule_for(*table, pod_of("x", {{"app", "nobody"}}), "a.com"), "labels only");
}

// istio-facts 15.
TEST(HttpRules, TheOldestVirtualServiceHasAHostAlone) {
  const auto at = [](const char* month) { return "creationTimestamp: '2024-" + std::string(month) + "-01T00:00:00Z'"; };
  const auto table = table_of(
      service_yaml("web", "default", "10.0.0.2") +
      rule_yaml("new", "default", "web", "  http:\n" + named_route("n"), at("03")) +
      rule_yaml("old", "default", "web.default.svc.cluster.local",
                "  http:\n" + named_route("o", "{uri: {prefix: /old}}"), at("02")) +
      rule_yaml("b-same", "default", "tie", "  http:\n" + named_route("b"), at("03")) +
      rule_yaml("a-same", "default", "tie", "  http:\n" + named_route("a"), at("03")) +
      rule_yaml("own", "default", "cross", "  http:\n" + named_route("o"), at("03")) +
      rule_yaml("foreign", "other", "cross.default.svc.cluster.local", "  http:\n" + named_route("f"), at("02")) +
      rule_yaml("wildcard", "default", "'*.default.svc.cluster.local'", "  http:\n" + named_route("w"), at("01")));
  EXPECT_EQ(rule_for(*table, pod_of("default"), "web.default.svc.cluster.local"), "old o");
  EXPECT_EQ(rule_for(*table, pod_of("default"), "tie.default.svc.cluster.local"), "a-same a");
  EXPECT_EQ(rule_for(*table, pod_of("default"), "cross.default.svc.cluster.local"), "foreign f");
  EXPECT_EQ(rule_for(*table, pod_of("default"), "plain.default.svc.cluster.local"), "wildcard w")
      << "exact beats an older wildcard";
}

// istio-facts 28.
TEST(HttpRules, HoldOnlyWhereTheyAreExported) {
  const auto table =
      table_of(service_yaml("web", "default", "10.0.0.2") +
               rule_yaml("priv", "default", "web", "  exportTo: ['.']\n  http:\n" + named_route("p")) +
               rule_yaml("named", "default", "named", "  exportTo: [other]\n  http:\n" + named_route("n")));
  EXPECT_EQ(rule_for(*table, pod_of("default"), "web.default.svc.cluster.local"), "priv p");
  EXPECT_EQ(rule_for(*table, pod_of("other"), "web.default.svc.cluster.local"), "-");
  EXPECT_EQ(rule_for(*table, Client{}, "web.default.svc.cluster.local"), "-");
  EXPECT_EQ(rule_for(*table, pod_of("other"), "named.default.svc.cluster.local"), "named n");
  EXPECT_EQ(rule_for(*table, pod_of("default"), "named.default.svc.cluster.local"), "-");
}

// istio-facts 14.
TEST(HostWithoutService, IsKnownOnPort80ByItsFullNameOnly) {
  const auto table =
      table_of(service_yaml("web", "default", "10.0.0.2") +
               rule_yaml("ghost", "default", "ghost.example.com", "  http:\n" + named_route("g")) +
               rule_yaml("short", "default", "ghostshort", "  http:\n" + named_route("s")) +
               rule_yaml("wild", "default", "'*.wild.example.com'", "  http:\n" + named_route("w")) +
               rule_yaml("deep", "default", "'*.deep.wild.example.com'", "  http:\n" + named_route("d")) +
               rule_yaml("ip", "default", "10.96.0.77", "  http:\n" + named_route("i")) +
               rule_yaml("upper", "default", "UPPER.example.com", "  http:\n" + named_route("u")));
  const auto host = [&](std::string_view name, uint16_t port = 80) {
    return find_host_without_service(*table, pod_of("default"), name, port);
  };
  EXPECT_EQ(host("ghost.example.com"), "ghost.example.com");
  EXPECT_EQ(host("ghost.example.com:80"), "ghost.example.com");
  EXPECT_EQ(host("GHOST.example.com"), "ghost.example.com");
  EXPECT_EQ(host("UPPER.example.com"), "upper.example.com");
  EXPECT_EQ(host("10.96.0.77"), "10.96.0.77");
  EXPECT_EQ(host("x.deep.wild.example.com"), "*.deep.wild.example.com");
  EXPECT_EQ(host("a.b.wild.example.com"), "*.wild.example.com");
  EXPECT_EQ(host("ghostshort.default.svc.cluster.local"), "ghostshort.default.svc.cluster.local");
  EXPECT_EQ(rule_for(*table, pod_of("default"), "*.wild.example.com"), "wild w") << "what comes back finds its rules";
  for (const char* name : {"ghostshort", "ghostshort.default", "wild.example.com", "other.example.com", ""})
    EXPECT_EQ(host(name), "") << name;
  EXPECT_EQ(host("ghost.example.com", 8000), "");
  EXPECT_EQ(host("web"), "") << "a service";
}

TEST(L4Rules, EndAtTheFirstWithoutConditions) {
  const auto table =
      table_of(service_yaml("t", "default", "10.0.0.2", {"v1"}, "tcp") + rule_yaml("t", "default", "t", R"(
  tcp:
  - match: [{sourceLabels: {app: special}}]
    route: [{destination: {host: t}}]
  - match: [{port: 81}]
    route: [{destination: {host: t}}]
  - match: [{destinationSubnets: [10.0.0.0/24]}]
    route: [{destination: {host: t}}]
  - match: [{sourceSubnet: 10.5.0.0/16}]
    route: [{destination: {host: t}}]
  - route: [{destination: {host: t}}]
  - route: [{destination: {host: t}}]
)"));
  const auto indexes = [&](const Client& client, uint16_t port) {
    std::string text;
    for (const auto& route : find_l4_rules(*table, client, "t.default.svc.cluster.local", port, false))
      text += std::to_string(route.rule->origin.index);
    return text;
  };
  EXPECT_EQ(indexes(pod_of("default"), 80), "234");
  EXPECT_EQ(indexes(pod_of("default", {{"app", "special"}}), 80), "0");
  EXPECT_EQ(indexes(pod_of("default"), 81), "1");
  EXPECT_TRUE(find_l4_rules(*table, Client{}, "t.default.svc.cluster.local", 80, true).empty());
}

TEST(Clients, ArePodsByNameOrAddress) {
  const auto table = table_of(service_yaml("web", "default", "10.0.0.2"));
  const auto client = client_of_pod(*table, "default", "web-v1");
  ASSERT_TRUE(client);
  EXPECT_EQ(client->labels.at("version"), "v1");
  EXPECT_EQ(client->address->to_string(), "10.1.2.1");
  EXPECT_FALSE(client_of_pod(*table, "other", "web-v1"));
  EXPECT_EQ(client_at(*table, *IpAddress::parse("10.1.2.2")).labels.at("version"), "v2");
  EXPECT_EQ(client_at(*table, *IpAddress::parse("10.1.2.99")).namespace_, "");
}

// A process of the node asked its service by the short name, as programs do, and got any version of it.
TEST(FindServiceByAuthority, AShortNameOfTheNodesOwnProcessMeansWhatItHasDialled) {
  const auto table =
      table_of(service_yaml("web", "default", "10.96.0.10") + service_yaml("web", "other", "10.96.0.20"));
  const Client node;
  const Service* dialled = find_service(*table, node, "10.96.0.20");
  ASSERT_NE(dialled, nullptr);
  EXPECT_EQ(find_service_by_authority(*table, node, "web:80", dialled), dialled);
  EXPECT_EQ(find_service_by_authority(*table, node, "api", dialled), nullptr);
  EXPECT_EQ(find_service_by_authority(*table, node, "web", nullptr), nullptr);
  EXPECT_EQ(find_service_by_authority(*table, node, "web.default", dialled)->namespace_, "default");
  EXPECT_EQ(find_service_by_authority(*table, pod_of("default"), "web", dialled)->namespace_, "default");
}

}  // namespace
}  // namespace weir::routing
