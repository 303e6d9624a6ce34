// Which routes connections without HTTP/1.1 have. How they are carried: session_tunnel_test.cpp.

#include <gtest/gtest.h>

#include "config/store.h"
#include "proxy/route_compiler.h"
#include "routing/build/table_builder.h"

namespace weir::proxy {
namespace {

constexpr std::string_view kService = R"(
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: web, namespace: default}
spec:
  hosts: [web.test]
  addresses: [10.96.0.2]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: any}]
  endpoints: [{address: 10.1.0.1, labels: {version: v1}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: default}
spec:
  hosts: [web.test]
)";

const Frontend kFrontend{{*IpAddress::parse("10.96.0.2"), 80}};

std::shared_ptr<const RouteList> compile(std::string_view rules, bool http2 = false,
                                         const Frontend& frontend = kFrontend) {
  config::Store store;
  (void)store.set(config::read_yaml(std::string(kService) + std::string(rules), "test.yaml"));
  static SharedState shared("node", 1);
  return RouteCompiler(routing::build_table(store), shared).compile_tunnel({}, frontend, http2);
}

TEST(TunnelCompiler, RulesInOrderUpToTheFirstThatTakesAll) {
  const auto list = compile(R"(
  tcp:
  - match: [{destinationSubnets: [10.97.0.0/16]}, {port: 80, sourceSubnet: 10.5.0.0/16}]
    route: [{destination: {host: web.test}}]
  - route: [{destination: {host: other.test}}]
  - route: [{destination: {host: web.test}}]
)");
  ASSERT_EQ(list->routes.size(), 2U);
  EXPECT_EQ(list->kind, RouteList::Kind::kTunnel);
  EXPECT_EQ(list->routes[0].name, "tcp#0");
  EXPECT_EQ(list->connections.at(0).match.size(), 2U);
  EXPECT_FALSE(list->routes[1].destinations[0].exists);
  const auto at = [](const char* text) { return *IpAddress::parse(text); };
  EXPECT_EQ(find_tunnel_route(*list, at("10.97.0.1"), at("10.9.0.1")), &list->routes[0]);
  EXPECT_EQ(find_tunnel_route(*list, at("10.96.0.2"), at("10.5.0.1")), &list->routes[0]);
  EXPECT_EQ(find_tunnel_route(*list, at("10.96.0.2"), at("10.9.0.1")), &list->routes[1]);
}

TEST(TunnelCompiler, WithoutARuleTheService) {
  const auto list = compile("  http: [{match: [{uri: {prefix: /a}}], route: [{destination: {host: other.test}}]}]\n");
  ASSERT_EQ(list->routes.size(), 1U);
  EXPECT_EQ(list->routes[0].name, "default");
  EXPECT_EQ(list->routes[0].split->endpoints(0).size(), 1U);
}

TEST(TunnelCompiler, Http2FollowsTheLastHttpRoute) {
  constexpr std::string_view kRules = R"(
  tcp: [{route: [{destination: {host: web.test}}]}]
  http:
  - match: [{uri: {prefix: /a}}]
    route: [{destination: {host: web.test}}]
  - name: last
    route: [{destination: {host: other.test}}]
)";
  EXPECT_EQ(compile(kRules, true)->routes.at(0).name, "last");
  EXPECT_EQ(compile(kRules, false)->routes.at(0).name, "tcp#0");
}

TEST(TunnelCompiler, Http2WithoutALastRouteGoesToTheService) {
  EXPECT_EQ(compile("  http: [{match: [{uri: {prefix: /a}}], route: [{destination: {host: web.test}}]}]\n", true)
                ->routes.at(0)
                .name,
            "default");
  EXPECT_EQ(compile("  http: [{redirect: {uri: /x}}]\n", true)->routes.at(0).name, "default");
}

TEST(TunnelCompiler, AnAddressThatIsNobodys) {
  const auto list =
      compile("  tcp: [{route: [{destination: {host: web.test}}]}]\n", false, {{*IpAddress::parse("10.99.0.1"), 80}});
  EXPECT_TRUE(list->routes.empty());
  EXPECT_EQ(find_tunnel_route(*list, *IpAddress::parse("10.99.0.1"), *IpAddress::parse("10.9.0.1")), nullptr);
}

}  // namespace
}  // namespace weir::proxy
