// Which ports of this node are a gateway's.

#include "routing/plan/gateway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "explain_support.h"

namespace weir::routing {
namespace {

using testing::HasSubstr;

const GatewayIdentity kIngress{"istio-system", {{"istio", "ingressgateway"}}};

std::string gateway_yaml(const std::string& servers, const std::string& name = "gw",
                         const std::string& selector = "{istio: ingressgateway}") {
  return "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: " + name +
         ", namespace: default}\nspec:\n  selector: " + selector + "\n  servers:\n" + servers;
}

std::string server(int port, const std::string& protocol = "HTTP", const std::string& more = "") {
  return "  - {port: {number: " + std::to_string(port) + ", name: p" + std::to_string(port) +
         ", protocol: " + protocol + "}, hosts: ['*']" + more + "}\n";
}

const char* const kService = R"(---
apiVersion: v1
kind: Service
metadata: {name: ingress, namespace: istio-system}
spec:
  type: NodePort
  clusterIP: 10.96.9.9
  selector: {istio: ingressgateway}
  ports: [{name: http, port: 80, targetPort: 8080, nodePort: 30080}, {name: tcp, port: 31400}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
addressType: IPv4
metadata: {name: ingress-1, namespace: istio-system, labels: {kubernetes.io/service-name: ingress}}
endpoints: [{addresses: [10.9.9.9]}]
ports: [{name: http, port: 8080}, {name: tcp, port: 31400}]
)";

std::string ports_of(const std::string& yaml, const std::vector<GatewayIdentity>& gateways = {kIngress}) {
  BuildOptions options;
  options.gateways = gateways;
  std::string text;
  const auto table = table_of(yaml, options);
  for (const PlanGatewayPort& port : table->plan->gateway_ports)
    text += (text.empty() ? "" : " ") + std::to_string(port.port) + ">" + std::to_string(port.listener) +
            (port.http ? "h" : "b");
  return text;
}

std::string conditions_of(const std::string& yaml, const std::vector<GatewayIdentity>& gateways = {kIngress}) {
  BuildOptions options;
  options.gateways = gateways;
  std::string text;
  for (const auto& condition : table_of(yaml, options)->conditions()) text += condition.message + "\n";
  return text;
}

TEST(PlanGatewayTest, WithoutAnIdentityNothingIsServed) {
  EXPECT_EQ(ports_of(gateway_yaml(server(80)), {}), "");
}

TEST(PlanGatewayTest, OtherGatewaysAreNotOurs) {
  EXPECT_EQ(ports_of(gateway_yaml(server(80), "gw", "{istio: egressgateway}")), "");
}

TEST(PlanGatewayTest, WithoutAServiceTheNumberIsBoundAsItIs) {
  EXPECT_EQ(ports_of(gateway_yaml(server(80) + server(31400, "TCP"))), "80>80h 31400>31400b");
}

// Bookinfo's Gateway says 8080, the tutorials' say 80: with Istio's own Service both are one listener.
TEST(PlanGatewayTest, TheServiceMapsNumbersToTheListener) {
  const std::string wanted = "80>8080h 8080>8080h 30080>8080h";
  EXPECT_EQ(ports_of(kService + gateway_yaml(server(80))), wanted);
  EXPECT_EQ(ports_of(kService + gateway_yaml(server(8080))), wanted);
  EXPECT_EQ(ports_of(kService + gateway_yaml(server(80)) + gateway_yaml(server(8080), "other")), wanted);
}

TEST(PlanGatewayTest, AServiceOfAnotherNamespaceIsNotTheGateways) {
  EXPECT_EQ(ports_of(kService + gateway_yaml(server(80)), {{"elsewhere", kIngress.labels}}), "80>80h");
}

TEST(PlanGatewayTest, ServersThatEndTlsAreReportedAndNotServed) {
  const std::string yaml = gateway_yaml(server(443, "HTTPS", ", tls: {mode: SIMPLE, credentialName: c}") +
                                        server(8443, "TLS", ", tls: {mode: PASSTHROUGH}"));
  EXPECT_EQ(ports_of(yaml), "8443>8443b");
  EXPECT_THAT(conditions_of(yaml), HasSubstr("server on port 443: it ends TLS"));
}

TEST(PlanGatewayTest, OfTwoKindsOnOnePortTheFirstHasIt) {
  const std::string yaml = gateway_yaml(server(9000)) + gateway_yaml(server(9000, "TCP"), "second");
  EXPECT_EQ(ports_of(yaml), "9000>9000h");
  EXPECT_THAT(conditions_of(yaml), HasSubstr("port 9000 of this node is already default/gw's, as HTTP"));
}

TEST(PlanGatewayTest, OfTwoIdentitiesOnOnePortTheFirstHasIt) {
  const GatewayIdentity second{"edge", {{"istio", "edge"}}};
  const std::string yaml = gateway_yaml(server(80)) + gateway_yaml(server(80) + server(81), "edge", "{istio: edge}");
  EXPECT_EQ(ports_of(yaml, {kIngress, second}), "80>80h 81>81h");
  EXPECT_THAT(conditions_of(yaml, {kIngress, second}), HasSubstr("already default/gw's"));
}

TEST(PlanGatewayTest, PortsFollowTheObjects) {
  BuildOptions options;
  options.gateways = {kIngress};
  TableBuilder builder(options);
  config::Store store;
  const auto set = [&](const std::string& name, const std::string& yaml) {
    return builder.update(store.mesh(), store.set(config::read_yaml(yaml, name)))->plan->gateway_ports.size();
  };
  EXPECT_EQ(set("a.yaml", gateway_yaml(server(80))), 1U);
  EXPECT_EQ(set("b.yaml", kService), 3U);
  EXPECT_EQ(builder.update(store.mesh(), store.remove("b.yaml"))->plan->gateway_ports.size(), 1U);
  EXPECT_EQ(builder.update(store.mesh(), store.remove("a.yaml"))->plan->gateway_ports.size(), 0U);
}

TEST(PlanGateways, WhatHttp2DoesNotGetIsSaid) {
  const auto said = [](const std::string& protocol) {
    BuildOptions options;
    options.gateways = {kIngress};
    return conditions_of(*table_of(gateway_yaml(server(80, protocol)), options));
  };
  EXPECT_THAT(said("HTTP2"), HasSubstr("connections of HTTP/2 are closed"));
  EXPECT_THAT(said("GRPC"), HasSubstr("connections of HTTP/2 are closed"));
  EXPECT_EQ(said("HTTP"), "");
}

}  // namespace
}  // namespace weir::routing
