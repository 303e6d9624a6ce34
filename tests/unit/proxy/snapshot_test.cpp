#include "proxy/snapshot.h"

#include <gtest/gtest.h>

#include "config/store.h"
#include "routing/build/table_builder.h"

namespace weir::proxy {
namespace {

std::shared_ptr<const Snapshot> snapshot() {
  config::Store store;
  (void)store.set(config::read_yaml(R"(
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: web, namespace: default}
spec:
  hosts: [web.test]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [{address: 10.1.0.1}]
---
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: one, labels: {app: a}}
status: {podIP: 10.2.0.1, phase: Running, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: b, namespace: one, labels: {app: a}}
status: {podIP: 10.2.0.2, phase: Running, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: c, namespace: two, labels: {app: a}}
status: {podIP: 10.2.0.3, phase: Running, conditions: [{type: Ready, status: "True"}]}
)",
                                    "test.yaml"));
  const FrontendPort ports[] = {{61000, *IpAddress::parse("10.96.0.2"), 80}, {61001, *IpAddress::parse("fd00::2"), 81}};
  return make_snapshot(routing::build_table(store), ports, std::make_shared<SharedState>("node", 1));
}

TEST(Snapshot, SaysWhatAPortStandsFor) {
  const auto made = snapshot();
  ASSERT_EQ(made->frontends.size(), 2U);
  EXPECT_EQ(made->frontends.at(61000).address.to_string(), "10.96.0.2:80");
  EXPECT_EQ(made->frontends.at(61001).address.to_string(), "[fd00::2]:81");
}

TEST(RouteCache, ClientsThatNoRuleCanTellApartAreOneClass) {
  RouteCache cache(snapshot());
  const auto of = [&](const char* address) { return cache.client_class(*IpAddress::parse(address)); };
  EXPECT_EQ(of("10.2.0.1"), of("10.2.0.2"));
  EXPECT_NE(of("10.2.0.1"), of("10.2.0.3"));
  EXPECT_EQ(of("127.0.0.1"), of("192.0.2.1")) << "no pods";
  EXPECT_NE(of("127.0.0.1"), of("10.2.0.1"));
}

TEST(RouteCache, AListIsCompiledOnce) {
  RouteCache cache(snapshot());
  const Frontend frontend{{*IpAddress::parse("10.96.0.2"), 80}};
  const uint32_t client = cache.client_class(*IpAddress::parse("10.2.0.1"));
  const auto first = cache.find(client, 1, frontend, "web.test");
  EXPECT_EQ(cache.find(client, 1, frontend, "web.test"), first);
  EXPECT_NE(cache.find(client, 2, frontend, "web.test"), first);
  EXPECT_EQ(cache.find(client, 1, frontend, "WEB.test:80"), first) << "however the host is written";
}

TEST(RouteCache, AnyNumberOfHostsIsNoMemory) {
  RouteCache cache(snapshot());
  const Frontend frontend{{*IpAddress::parse("10.96.0.2"), 80}};
  const uint32_t client = cache.client_class(*IpAddress::parse("10.2.0.1"));
  const auto held = cache.find(client, 1, frontend, "web.test");
  for (int count = 0; count < 20'000; ++count) (void)cache.find(client, 1, frontend, "host" + std::to_string(count));
  EXPECT_EQ(held->routes.size(), 1U) << "lists in use outlive their place in the cache";
  EXPECT_EQ(cache.find(client, 1, frontend, "web.test")->service, "web.test");
}

// A list that is kept must be what would be compiled: two gateways that change places are bound by the same rule sets,
// of which other rules hold.
TEST(RouteCache, AKeptListIsOfTheGatewayThatIsThere) {
  const auto gateway = [](const std::string& name) {
    return "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: " + name +
           ", namespace: default}\nspec:\n  selector: {istio: ingressgateway}\n"
           "  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]\n";
  };
  config::Store store;
  (void)store.set(config::read_yaml(R"(
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: default}
spec:
  hosts: ["*"]
  gateways: [one, two]
  http:
  - name: of-one
    match: [{gateways: [one]}]
    directResponse: {status: 201}
  - name: of-two
    match: [{gateways: [two]}]
    directResponse: {status: 202}
)",
                                    "rules.yaml"));
  const std::vector<routing::GatewayIdentity> gateways{{"istio-system", {{"istio", "ingressgateway"}}}};
  routing::BuildOptions options;
  options.gateways = gateways;
  routing::TableBuilder builder(options);
  config::Delta everything = store.set(config::read_yaml(gateway("one"), "gateway.yaml"));
  everything.added.clear();
  for (const auto& [name, file] : store.files())
    everything.added.insert(everything.added.end(), file.objects.begin(), file.objects.end());
  const auto shared = std::make_shared<SharedState>("node", 1);
  auto snapshot = make_snapshot(builder.update(store.mesh(), everything), {}, shared, gateways);
  const auto ask = [&] {
    RouteCache cache(snapshot);
    const uint32_t client = cache.client_class(*IpAddress::parse("192.0.2.9"));
    return cache.find(client, 80, snapshot->frontends.at(80), "any.test")->routes.at(0).name;
  };
  EXPECT_EQ(ask(), "of-one");
  auto table = builder.update(store.mesh(), store.set(config::read_yaml(gateway("two"), "gateway.yaml")));
  snapshot = make_snapshot(std::move(table), {}, shared, gateways, snapshot.get());
  EXPECT_EQ(ask(), "of-two");
}

}  // namespace
}  // namespace weir::proxy
