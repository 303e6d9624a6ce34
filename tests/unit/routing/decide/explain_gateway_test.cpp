// explain_gateway.cpp: an ingress gateway's view (istio-facts 15-19).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "explain_support.h"

namespace weir::routing {
namespace {

using testing::HasSubstr;

Client ingress() {
  Client client = pod_of("istio-system", {{"istio", "ingressgateway"}});
  client.is_gateway = true;
  return client;
}

std::string gateway_yaml(const std::string& servers) {
  return "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw, namespace: default}\nspec:\n"
         "  selector: {istio: ingressgateway}\n  servers:\n" +
         servers;
}

std::string bound_yaml(const std::string& name, const std::string& hosts, const std::string& rules,
                       const std::string& kind = "http") {
  return "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: " + name +
         ", namespace: default}\nspec:\n  hosts: " + hosts + "\n  gateways: [gw]\n  " + kind + ":\n" + rules;
}

const std::string kHttp = "  - {port: {number: 8080, name: http, protocol: HTTP}, hosts: ['*.example.com', a.test]}\n";
const std::string kAll = "  - name: NAME\n    route: [{destination: {host: web, subset: v1, port: {number: 80}}}]\n";

std::string all(const std::string& name) {
  return std::string(kAll).replace(kAll.find("NAME"), 4, name);
}
std::string only(const std::string& name, const std::string& path) {
  return "  - name: " + name + "\n    match: [{uri: {exact: " + path +
         "}}]\n    route: [{destination: {host: web, subset: v2}}]\n";
}

std::string rule_of(const Decision& decision) {
  return decision.rule ? decision.rule->route : decision.status ? std::to_string(*decision.status) : "closed";
}

std::string ask_gateway(const std::string& yaml, const std::string& host, const std::string& path = "/",
                        uint16_t port = 8080) {
  return rule_of(ask(web_yaml() + yaml, get(host, path, {}, port), ingress()));
}

TEST(ExplainGatewayTest, HostsMustBeOnBothSides) {
  const std::string yaml = gateway_yaml(kHttp) + bound_yaml("v", "[x.example.com, a.test, elsewhere.test]", all("v"));
  EXPECT_EQ(ask_gateway(yaml, "x.example.com"), "v");
  EXPECT_EQ(ask_gateway(yaml, "X.EXAMPLE.com:8080"), "v");
  EXPECT_EQ(ask_gateway(yaml, "a.test"), "v");
  for (const char* host : {"y.example.com", "example.com", "elsewhere.test", "x.example.com.", "web"}) {
    EXPECT_EQ(ask_gateway(yaml, host), "404") << host;
  }
  EXPECT_EQ(ask_gateway(yaml, ""), "400");
  EXPECT_EQ(ask_gateway(yaml, "x.example.com", "/", 81), "closed");
}

TEST(ExplainGatewayTest, UnboundRulesAndOtherGatewaysSeeNothing) {
  EXPECT_EQ(ask_gateway(gateway_yaml(kHttp) + rules_yaml(all("mesh")), "web"), "404");
  const std::string yaml = gateway_yaml(kHttp) + bound_yaml("v", "[x.example.com]", all("v"));
  Client other = ingress();
  other.labels = {{"istio", "eastwest"}};
  EXPECT_EQ(ask(web_yaml() + yaml, get("x.example.com", "/", {}, 8080), other).action, Action::kNoRoute);
  // And the mesh does not see the gateway's.
  EXPECT_EQ(ask(web_yaml() + yaml, get("x.example.com")).rule, std::nullopt);
}

TEST(ExplainGatewayTest, VirtualServicesAreMergedAndCatchAllsGoLast) {
  const std::string yaml = gateway_yaml(kHttp) +
                           bound_yaml("b", "[x.example.com]", only("b-only", "/b") + all("b-all")) +
                           bound_yaml("a", "[x.example.com]", only("a-only", "/a") + all("a-all"));
  EXPECT_EQ(ask_gateway(yaml, "x.example.com", "/b"), "b-only");
  EXPECT_EQ(ask_gateway(yaml, "x.example.com", "/a"), "a-only");
  EXPECT_EQ(ask_gateway(yaml, "x.example.com", "/"), "a-all");
}

TEST(ExplainGatewayTest, TheMostSpecificHostWins) {
  const std::string yaml = gateway_yaml(kHttp) + bound_yaml("wide", "['*.example.com']", all("wide")) +
                           bound_yaml("narrow", "['*.b.example.com']", all("narrow")) +
                           bound_yaml("exact", "[x.b.example.com]", all("exact"));
  EXPECT_EQ(ask_gateway(yaml, "x.b.example.com"), "exact");
  EXPECT_EQ(ask_gateway(yaml, "y.z.b.example.com"), "narrow");
  EXPECT_EQ(ask_gateway(yaml, "b.example.com"), "wide");
}

TEST(ExplainGatewayTest, ServerHostsMayNameTheRulesNamespace) {
  const std::string rules = bound_yaml("v", "[x.example.com]", all("v"));
  const auto server = [](const std::string& host) {
    return gateway_yaml("  - {port: {number: 8080, name: http, protocol: HTTP}, hosts: ['" + host + "']}\n");
  };
  EXPECT_EQ(ask_gateway(server("./x.example.com") + rules, "x.example.com"), "v");
  EXPECT_EQ(ask_gateway(server("default/*.example.com") + rules, "x.example.com"), "v");
  EXPECT_EQ(ask_gateway(server("*/x.example.com") + rules, "x.example.com"), "v");
  EXPECT_EQ(ask_gateway(server("team/x.example.com") + rules, "x.example.com"), "404");
}

TEST(ExplainGatewayTest, HttpsRedirectIgnoresTheRules) {
  const std::string server =
      "  - {port: {number: 8080, name: http, protocol: HTTP}, hosts: [r.test], tls: {httpsRedirect: true}}\n";
  for (const std::string& rules : {std::string(), bound_yaml("v", "[r.test]", all("v"))}) {
    const Decision decision =
        ask(web_yaml() + gateway_yaml(server) + rules, get("r.test:8080", "/a", {}, 8080), ingress());
    EXPECT_EQ(decision.action, Action::kRedirect);
    EXPECT_EQ(decision.status, 301);
    EXPECT_EQ(decision.redirect, "https://r.test:8080/a");
  }
}

TEST(ExplainGatewayTest, TheClientsForwardedProtoIsNotBelieved) {
  const std::string yaml =
      gateway_yaml(kHttp) +
      bound_yaml("v", "[x.example.com]",
                 "  - name: tls\n    match: [{scheme: {exact: https}}]\n    route: [{destination: {host: web}}]\n");
  EXPECT_EQ(
      rule_of(ask(web_yaml() + yaml, get("x.example.com", "/", {{"x-forwarded-proto", "https"}}, 8080), ingress())),
      "404");
}

TEST(ExplainGatewayTest, ServicePortsAreMappedToThePods) {
  const std::string service = R"(---
apiVersion: v1
kind: Service
metadata: {name: ingress, namespace: istio-system}
spec: {clusterIP: 10.96.9.9, selector: {istio: ingressgateway}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
addressType: IPv4
metadata: {name: ingress-1, namespace: istio-system, labels: {kubernetes.io/service-name: ingress}}
endpoints: [{addresses: [10.9.9.9]}]
ports: [{name: http, port: 8080}]
)";
  const std::string yaml = service +
                           gateway_yaml("  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}\n") +
                           bound_yaml("v", "['*']", all("v"));
  EXPECT_EQ(ask_gateway(yaml, "any.test", "/", 80), "v");
  EXPECT_EQ(ask_gateway(yaml, "any.test", "/", 8080), "v");
  EXPECT_EQ(ask_gateway(yaml, "any.test", "/", 8081), "closed");
}

TEST(ExplainGatewayTest, SniPicksTheServerThenTheHostTheRules) {
  const std::string server = R"(  - port: {number: 8443, name: https, protocol: HTTPS}
    hosts: [s.test]
    tls: {mode: SIMPLE, credentialName: c}
  - port: {number: 8443, name: https2, protocol: HTTPS}
    hosts: [t.test]
    tls: {mode: SIMPLE, credentialName: c}
)";
  const std::string yaml =
      gateway_yaml(server) + bound_yaml("s", "[s.test]", all("s")) + bound_yaml("t", "[t.test]", all("t"));
  Request request = get("s.test", "/", {}, 8443);
  request.scheme = "https";
  request.sni = "s.test";
  EXPECT_EQ(rule_of(ask(web_yaml() + yaml, request, ingress())), "s");
  request.host = "t.test";
  EXPECT_EQ(rule_of(ask(web_yaml() + yaml, request, ingress())), "404");
  request.sni = "nosuch.test";
  EXPECT_EQ(rule_of(ask(web_yaml() + yaml, request, ingress())), "closed");
}

TEST(ExplainGatewayTest, PassthroughGoesBySniAlone) {
  const std::string server =
      "  - {port: {number: 9443, name: tls, protocol: TLS}, hosts: ['*.pass.test'], tls: {mode: PASSTHROUGH}}\n";
  const std::string yaml =
      gateway_yaml(server) + bound_yaml("p", "[a.pass.test]",
                                        "  - match: [{sniHosts: [a.pass.test]}]\n    route: [{destination: {host: web, "
                                        "subset: v2, port: {number: 80}}}]\n",
                                        "tls");
  Request request = get("whatever", "/", {}, 9443);
  request.scheme = "https";
  request.sni = "A.pass.test";
  const Decision decision = ask(web_yaml() + yaml, request, ingress());
  EXPECT_EQ(decision.destinations.at(0).subset, "v2");
  request.sni = "b.pass.test";
  const Decision closed = ask(web_yaml() + yaml, request, ingress());
  EXPECT_EQ(closed.action, Action::kNoRoute);
  EXPECT_THAT(closed.reason, HasSubstr("closed"));
}

}  // namespace
}  // namespace weir::routing
