#include "support.h"

namespace weir::routing {
namespace {

std::string entry(const std::string& name, const std::string& hosts, const std::string& addresses) {
  return "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: " + name +
         ", namespace: default}\nspec:\n  hosts: [" + hosts + "]\n  addresses: [" + addresses +
         "]\n  ports: [{number: 80, name: http, protocol: HTTP}]\n  resolution: NONE\n";
}

TEST(Compiling, AddressesMoveFromServiceToService) {
  config::Store store;
  TableBuilder builder({});
  const auto owner = [](const Table& table, const char* address) {
    const Service* service = find_service_by_address(table, Client{}, *IpAddress::parse(address), 80);
    return service ? service->host : "-";
  };
  builder.update({}, store.set(read(entry("a", "a.example.com", "10.0.0.1, 10.0.0.2"), "a.yaml")));
  auto table = builder.update({}, store.set(read(entry("a", "a.example.com", "10.0.0.2, 10.0.0.3"), "a.yaml")));
  EXPECT_EQ(owner(*table, "10.0.0.1"), "-");
  EXPECT_EQ(owner(*table, "10.0.0.3"), "a.example.com");
  table = builder.update({}, store.set(read(entry("b", "b.example.com", "10.0.0.1"), "b.yaml")));
  EXPECT_EQ(owner(*table, "10.0.0.1"), "b.example.com");
}

TEST(Compiling, WideServicesComeAndGo) {
  config::Store store;
  TableBuilder builder({});
  auto table = builder.update({}, store.set(read(entry("w", "'*.example.com'", "10.9.0.0/16"), "w.yaml")));
  EXPECT_EQ(table->wide_services->size(), 1U);
  table = builder.update({}, store.set(read(entry("w", "one.example.com", "10.9.0.1"), "w.yaml")));
  EXPECT_TRUE(table->wide_services->empty());
  EXPECT_EQ(find_service(*table, Client{}, "two.example.com"), nullptr);
}

TEST(Compiling, WildcardRulesAreLongestFirst) {
  config::Store store;
  TableBuilder builder({});
  const std::string route = "  http:\n  - route: [{destination: {host: a}}]\n";
  const auto table = builder.update(
      {}, store.set(read(rule_yaml("a", "default", "'*.com'", route) + rule_yaml("c", "default", "'*.b.a.com'", route) +
                         rule_yaml("b", "default", "'*.a.com'", route) + subsets_yaml("x", "p", "*.com") +
                         subsets_yaml("y", "p", "*.a.com") + subsets_yaml("z", "o", "*.com"))));
  EXPECT_EQ(*table->wildcard_rule_hosts, (std::vector<std::string>{"*.b.a.com", "*.a.com", "*.com"}));
  using Hosts = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(*table->wildcard_destination_hosts, (Hosts{{"o", "*.com"}, {"p", "*.a.com"}, {"p", "*.com"}}));
  EXPECT_TRUE(builder.update({}, store.remove("test.yaml"))->wildcard_rule_hosts->empty());
}

TEST(Compiling, GatewaysAreKeptByName) {
  config::Store store;
  TableBuilder builder({});
  const auto table = builder.update({}, store.set(read(R"(
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]
)")));
  ASSERT_NE(table->gateways.find("istio-system/gw"), nullptr);
  EXPECT_EQ(table->gateways.find("istio-system/gw")->servers.size(), 1U);
  EXPECT_EQ(builder.update({}, store.remove("test.yaml"))->gateways.find("istio-system/gw"), nullptr);
}

}  // namespace
}  // namespace weir::routing
