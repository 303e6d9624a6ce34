#include "routing/view/virtual_host.h"

#include "support.h"

namespace weir::routing {
namespace {

std::string entry(const std::string& host) {
  return "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: wild, namespace: default}\n"
         "spec:\n  hosts: ['" +
         host +
         "']\n  addresses: [10.7.0.1]\n  resolution: NONE\n  ports: [{number: 80, name: http, protocol: HTTP}]\n";
}

const std::string kToWeb = "  http: [{route: [{destination: {host: web}}]}]\n";

HostChoice choose(const Table& table, std::string_view authority) {
  const Client client = pod_of("default");
  const Service* dialled = find_service_by_address(table, client, *IpAddress::parse("10.7.0.1"), 80);
  return choose_host(table, client, dialled, 80, authority);
}

// A VirtualService for one host of a wildcard ServiceEntry was ignored in silence.
TEST(ChooseHost, RulesForAHostWithinAWildcardEntryHold) {
  const auto table = table_of(service_yaml("web", "default", "10.0.0.2") + entry("*.example.com") +
                              rule_yaml("a", "default", "a.example.com", kToWeb));
  const HostChoice named = choose(*table, "A.example.com:80");
  EXPECT_EQ(named.host, "a.example.com");
  EXPECT_EQ(virtual_host(*table, pod_of("default"), named, 80).kind, VirtualHost::Kind::kRules);
  const HostChoice other = choose(*table, "b.example.com");
  EXPECT_EQ(other.host, "*.example.com");
  EXPECT_EQ(virtual_host(*table, pod_of("default"), other, 80).kind, VirtualHost::Kind::kDefault);
}

// Whatever clients make up, there are as many choices as hosts are written.
TEST(ChooseHost, ManySpellingsAreFewChoices) {
  const auto table = table_of(service_yaml("web", "default", "10.0.0.2") + entry("*.example.com") +
                              rule_yaml("a", "default", "'*.a.example.com'", kToWeb));
  std::set<std::string> choices;
  for (int i = 0; i < 1000; ++i) {
    choices.insert(choose(*table, "x" + std::to_string(i) + ".example.com").host);
    choices.insert(choose(*table, "x" + std::to_string(i) + ".a.example.com").host);
    choices.insert(choose(*table, "unknown" + std::to_string(i)).host);
  }
  EXPECT_EQ(choices, (std::set<std::string>{"*.example.com", "*.a.example.com", ""}));
}

TEST(ChooseHost, AnUnknownHostGoesToWhoWasDialled) {
  const auto table = table_of(service_yaml("web", "default", "10.0.0.2") + entry("only.example.com"));
  const HostChoice choice = choose(*table, "nobody.example.org");
  EXPECT_EQ(choice.kind, HostChoice::Kind::kUnknown);
  EXPECT_EQ(virtual_host(*table, pod_of("default"), choice, 80).kind, VirtualHost::Kind::kPassthrough);
}

}  // namespace
}  // namespace weir::routing
