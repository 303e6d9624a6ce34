// Route lists at a gateway, as explain has them.

#include <gtest/gtest.h>

#include "config/store.h"
#include "proxy/snapshot.h"
#include "routing/build/table_builder.h"

namespace weir::proxy {
namespace {

constexpr std::string_view kObjects = R"(
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: web, namespace: default}
spec:
  hosts: [web.test]
  addresses: [10.96.0.2]
  resolution: STATIC
  ports: [{number: 8000, name: http, protocol: HTTP, targetPort: 8080}]
  endpoints:
  - {address: 10.1.0.1, labels: {version: v1}}
  - {address: 10.1.0.2, labels: {version: v2}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web, namespace: default}
spec: {host: web.test, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: default}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}
  - {port: {number: 81, name: redirect, protocol: HTTP}, hosts: [secure.test], tls: {httpsRedirect: true}}
  - {port: {number: 9000, name: tcp, protocol: TCP}, hosts: ['*']}
  - {port: {number: 443, name: tls, protocol: TLS}, hosts: ['*.test'], tls: {mode: PASSTHROUGH}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: outside, namespace: default}
spec:
  hosts: ['*']
  gateways: [gw]
  http:
  - name: color
    match: [{uri: {prefix: /color}}]
    route:
    - {destination: {host: web.test, subset: v1}, weight: 75}
    - {destination: {host: web.test, subset: v2}, weight: 25}
  tcp:
  - route: [{destination: {host: web.test, subset: v2}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: tls, namespace: default}
spec:
  hosts: [a.test, b.test]
  gateways: [gw]
  tls:
  - match: [{port: 443, sniHosts: [a.test]}]
    route: [{destination: {host: web.test, subset: v1}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: inside, namespace: default}
spec:
  hosts: [web.test]
  http: [{name: mesh, route: [{destination: {host: web.test, subset: v1}}]}]
)";

class GatewayCompilerTest : public testing::Test {
 protected:
  GatewayCompilerTest() { load(std::string(kObjects)); }
  void load(const std::string& text) {
    config::ParsedFile file = config::read_yaml(text, "test.yaml");
    for (const auto& diagnostic : file.diagnostics)
      EXPECT_NE(diagnostic.level, config::Level::kError) << diagnostic.message;
    (void)store.set(std::move(file));
    routing::BuildOptions options;
    options.gateways = gateways;
    snapshot = make_snapshot(routing::build_table(store, options), {}, shared, gateways);
    cache = std::make_unique<RouteCache>(snapshot);
  }
  std::shared_ptr<const RouteList> ask(uint16_t port, std::string_view authority) {
    return cache->find(stranger(), port, snapshot->frontends.at(port), authority);
  }
  std::shared_ptr<const RouteList> ask_tunnel(uint16_t port, std::string_view sni = {}) {
    return cache->find_tunnel(stranger(), port, snapshot->frontends.at(port), false, sni);
  }
  uint32_t stranger() { return cache->client_class(*IpAddress::parse("192.0.2.9")); }

  config::Store store;
  std::vector<routing::GatewayIdentity> gateways{{"istio-system", {{"istio", "ingressgateway"}}}};
  std::shared_ptr<SharedState> shared = std::make_shared<SharedState>("node", 1);
  std::shared_ptr<const Snapshot> snapshot;
  std::unique_ptr<RouteCache> cache;
};

TEST_F(GatewayCompilerTest, EachPortSpeaksAsItsServersDo) {
  EXPECT_EQ(snapshot->frontends.size(), 4U);
  EXPECT_EQ(snapshot->frontends.at(80).speech, Speech::kHttp1);
  EXPECT_EQ(snapshot->frontends.at(9000).speech, Speech::kOther);
  EXPECT_EQ(snapshot->frontends.at(443).speech, Speech::kTls);
}

TEST_F(GatewayCompilerTest, BoundRulesHoldAndThoseOfTheMeshDoNot) {
  const auto list = ask(80, "any.test");
  ASSERT_EQ(list->routes.size(), 1U);
  EXPECT_EQ(list->routes[0].name, "color");
  ASSERT_TRUE(list->routes[0].split);
  EXPECT_DOUBLE_EQ(list->routes[0].split->share(0), 0.75);
  // A destination without a port means its service's only one, not the gateway's.
  EXPECT_EQ(list->routes[0].destinations[0].port, 8000);
  EXPECT_EQ(list->routes[0].split->endpoints(0)[0].address.to_string(), "10.1.0.1:8080");
}

TEST_F(GatewayCompilerTest, AHostThatNothingIsBoundForHasNoRoutes) {
  EXPECT_TRUE(ask(81, "elsewhere.test")->routes.empty());
}

TEST_F(GatewayCompilerTest, AHostMayBeForHttpsOnly) {
  EXPECT_EQ(ask(81, "secure.test:81")->kind, RouteList::Kind::kHttpsRedirect);
}

/// What was dialled is the gateway: to go there would be a loop, or reach what listens on the node's loopback
/// (hardening N14, N15). As in Istio the endpoints have it.
TEST_F(GatewayCompilerTest, N15_NothingGoesToWhatWasDialled) {
  EXPECT_FALSE(ask(80, "any.test")->routes[0].destinations[0].to_dialled);
  load(std::string(kObjects) + R"(---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: far, namespace: default}
spec:
  hosts: [far.test]
  resolution: NONE
  ports: [{number: 80, name: http, protocol: HTTP}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: all, namespace: default}
spec: {host: "*.test", trafficPolicy: {loadBalancer: {simple: PASSTHROUGH}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: far, namespace: default}
spec:
  hosts: [far.test]
  gateways: [gw]
  http:
  - match: [{uri: {prefix: /far}}]
    route: [{destination: {host: far.test}}]
  - route: [{destination: {host: web.test}}]
)");
  const auto list = ask(80, "far.test");
  ASSERT_EQ(list->routes.size(), 2U);
  for (const Route& route : list->routes) EXPECT_FALSE(route.destinations[0].to_dialled) << route.name;
  EXPECT_TRUE(list->routes[0].split->endpoints(0).empty()) << "503";
  EXPECT_EQ(list->routes[1].split->endpoints(0).size(), 2U);
}

TEST_F(GatewayCompilerTest, BytesGoByTheTcpRule) {
  const auto list = ask_tunnel(9000);
  ASSERT_EQ(list->routes.size(), 1U);
  EXPECT_EQ(list->routes[0].destinations[0].subset, "v2");
  EXPECT_NE(find_tunnel_route(*list, IpAddress(), IpAddress()), nullptr);
}

TEST_F(GatewayCompilerTest, TlsGoesByItsNameOrNowhere) {
  const auto list = ask_tunnel(443, "A.test");
  ASSERT_EQ(list->routes.size(), 1U);
  EXPECT_EQ(list->routes[0].destinations[0].subset, "v1");
  EXPECT_TRUE(ask_tunnel(443, "b.test")->routes.empty());
  EXPECT_TRUE(ask_tunnel(443)->routes.empty());
}

}  // namespace
}  // namespace weir::proxy
