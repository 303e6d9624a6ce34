// Routes of one place in one order, and for whom they are (semantics 2.1).
#include "routing/build/route_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "route_support.h"

namespace weir::routing {
namespace {

using testing::HasSubstr;

std::string aged(std::string yaml, const std::string& day) {
  const size_t at = yaml.find(", namespace: ");
  return yaml.insert(at, ", creationTimestamp: '2024-01-" + day + "T00:00:00Z'");
}

TEST(RouteSet, OfEqualMatchesTheOldestRouteThenTheName) {
  EXPECT_EQ(ask_mesh(mesh_route("y", to("b")) + mesh_route("x", to("a"))), "a");
  EXPECT_EQ(ask_mesh(aged(mesh_route("y", to("b")), "01") + aged(mesh_route("x", to("a")), "02")), "b");
}

TEST(RouteSet, APortsRouteComesBeforeThatOfAllPorts) {
  EXPECT_EQ(ask_mesh(mesh_route("a", to("a")) + mesh_route("z", to("b"), ", port: 80")), "b");
}

TEST(RouteSet, ConsumersHaveTheirOwnAndProducersAreForAll) {
  const std::string consumer = api_object(
      "HTTPRoute", "c",
      "  parentRefs: [{group: '', kind: Service, name: web, namespace: default}]\n  rules:\n" + to("far"), "other");
  const std::string yaml = mesh_route("p", to("a")) + consumer;
  EXPECT_EQ(ask_mesh(yaml, get("web"), pod_of("default")), "a");
  EXPECT_EQ(ask_mesh(yaml, get("web.default"), pod_of("third")), "a");
  EXPECT_EQ(ask_mesh(yaml, get("web.default"), pod_of("other")), "far");
  EXPECT_EQ(ask_mesh(consumer, get("web.default"), pod_of("third")), "web") << "it is not their route";
}

TEST(RouteSet, BesideAVirtualServiceTheClientsNamespaceThenAgeDecides) {
  const std::string rule = "  http: [{route: [{destination: {host: b}}]}]\n";
  const std::string old = rule_yaml("v", "default", "web", rule, "creationTimestamp: '2023-01-01T00:00:00Z'");
  EXPECT_EQ(ask_mesh(old + mesh_route("r", to("a")), get("web"), pod_of("default")), "a");
  EXPECT_EQ(ask_mesh(old + mesh_route("r", to("a")), get("web.default"), pod_of("third")), "b");
  const std::string own = rule_yaml("v", "default", "web", "  exportTo: ['.']\n" + rule);
  EXPECT_EQ(ask_mesh(own + mesh_route("r", to("a"))), "b") << "for this namespace alone";
}

TEST(RouteSet, AHostnameOfAListenerIsOfOneKind) {
  const std::string grpc =
      api_object("GRPCRoute", "g", "  parentRefs: [{name: gw}]\n  hostnames: [a.test]\n  rules:\n" + to("b"));
  const std::string yaml = api_gateway("  - {name: http, port: 80, protocol: HTTP}\n") +
                           aged(gateway_route("h", to("a"), "a.test"), "01") + aged(grpc, "02");
  EXPECT_EQ(ask_gateway(yaml, "a.test"), "a");
  EXPECT_THAT(conditions_of(*table_of(backends_yaml() + yaml)),
              HasSubstr("host a.test is HTTPRoute default/h's, which is older and of another kind"));
}

TEST(RouteSet, NamesOfConnectionsAtAGateway) {
  const auto route = [](const std::string& name, const std::string& host, const std::string& backend) {
    return api_object("TLSRoute", name,
                      "  parentRefs: [{name: gw}]\n  hostnames: ['" + host + "']\n  rules:\n" + to(backend), "default",
                      "v1");
  };
  const std::string yaml = api_gateway("  - {name: tls, port: 443, protocol: TLS, tls: {mode: Passthrough}}\n") +
                           route("w", "*.test", "b") + route("e", "a.test", "a");
  const auto answer = [&](const char* sni) {
    Request request = get("x", "/", {}, 443);
    request.sni = sni;
    request.is_http = false;
    return answer_of(ask(backends_yaml() + yaml, request, gateway_pod()));
  };
  EXPECT_EQ(answer("a.test"), "a");
  EXPECT_EQ(answer("x.test"), "b");
  EXPECT_EQ(answer("other.example"), "closed");
}

}  // namespace
}  // namespace weir::routing
