// Where routes hang (semantics 2.1 Binding, Hostname).
#include "routing/build/route_parents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "route_support.h"

namespace weir::routing {
namespace {

using testing::HasSubstr;

std::string status_of(const std::string& yaml, const std::string& route = "HTTPRoute/default/r") {
  const auto table = table_of(backends_yaml() + yaml);
  const auto& status = table->route_status.find(route);
  if (!status) return "none";
  std::string text;
  for (const ParentStatus& parent : status->parents)
    text += (text.empty() ? "" : " ") + parent.accepted + "/" + parent.resolved;
  return text;
}

const std::string kOpen = "  - {name: http, port: 80, protocol: HTTP}\n";

TEST(RouteParents, OfAService) {
  EXPECT_EQ(status_of(mesh_route("r", to("a"))), "Accepted/ResolvedRefs");
  EXPECT_EQ(status_of(mesh_route("r", to("a"), ", port: 80")), "Accepted/ResolvedRefs");
  EXPECT_EQ(status_of(mesh_route("r", to("a"), ", sectionName: http")), "Accepted/ResolvedRefs");
  EXPECT_EQ(status_of(mesh_route("r", to("a"), ", port: 99")), "NoMatchingParent/ResolvedRefs");
  EXPECT_EQ(status_of(mesh_route("r", to("a"), ", sectionName: nosuch")), "NoMatchingParent/ResolvedRefs");
  EXPECT_EQ(status_of(mesh_route("r", to("a"), ", namespace: nosuch")), "NoMatchingParent/ResolvedRefs");
  EXPECT_EQ(ask_mesh(mesh_route("r", to("a"), ", port: 99")), "web") << "left alone";
}

TEST(RouteParents, OfAGateway) {
  const auto status = [](const std::string& listeners, const std::string& parent, const std::string& hosts = "") {
    return status_of(api_gateway(listeners) + gateway_route("r", to("a"), hosts, parent));
  };
  EXPECT_EQ(status(kOpen, "name: gw"), "Accepted/ResolvedRefs");
  EXPECT_EQ(status(kOpen, "name: nosuch"), "NoMatchingParent/ResolvedRefs");
  EXPECT_EQ(status(kOpen, "name: gw, sectionName: nosuch"), "NoMatchingParent/ResolvedRefs");
  EXPECT_EQ(status(kOpen, "name: gw, port: 81"), "NoMatchingParent/ResolvedRefs");
  EXPECT_EQ(status("  - {name: x, port: 80, protocol: TCP}\n", "name: gw"), "NotAllowedByListeners/ResolvedRefs");
  EXPECT_EQ(
      status("  - {name: x, port: 80, protocol: HTTP, allowedRoutes: {kinds: [{kind: GRPCRoute}]}}\n", "name: gw"),
      "NotAllowedByListeners/ResolvedRefs");
  EXPECT_EQ(status("  - {name: x, port: 80, protocol: HTTP, hostname: a.test}\n", "name: gw", "b.test"),
            "NoMatchingListenerHostname/ResolvedRefs");
  EXPECT_EQ(status(kOpen, "name: gw, group: x.io, kind: Widget"), "InvalidKind/ResolvedRefs");
  EXPECT_THAT(conditions_of(*table_of(api_gateway(kOpen) + gateway_route("r", to("a"), "", "name: gw, port: 81"))),
              HasSubstr("Gateway default/gw:81 does not take it: it has no listener of that name and port"));
}

TEST(RouteParents, NamespacesThatListenersAllow) {
  const auto status = [](const std::string& from, const std::string& labels) {
    return status_of(
        api_gateway("  - {name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {" + from + "}}}\n") +
            "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: other, labels: {" + labels + "}}\n" +
            api_object("HTTPRoute", "r", "  parentRefs: [{name: gw, namespace: default}]\n  rules:\n" + to("far"),
                       "other"),
        "HTTPRoute/other/r");
  };
  EXPECT_EQ(status("from: Same", ""), "NotAllowedByListeners/ResolvedRefs");
  EXPECT_EQ(status("from: All", ""), "Accepted/ResolvedRefs");
  const std::string red = "from: Selector, selector: {matchLabels: {team: red}}";
  EXPECT_EQ(status(red, "team: red"), "Accepted/ResolvedRefs");
  EXPECT_EQ(status(red, "team: blue"), "NotAllowedByListeners/ResolvedRefs");
  const auto by = [](const std::string& expression) {
    return "from: Selector, selector: {matchExpressions: [{" + expression + "}]}";
  };
  EXPECT_EQ(status(by("key: team, operator: In, values: [red]"), "team: red"), "Accepted/ResolvedRefs");
  EXPECT_EQ(status(by("key: team, operator: NotIn, values: [red]"), "team: red"), "NotAllowedByListeners/ResolvedRefs");
  EXPECT_EQ(status(by("key: team, operator: Exists"), ""), "NotAllowedByListeners/ResolvedRefs");
  EXPECT_EQ(status(by("key: team, operator: DoesNotExist"), ""), "Accepted/ResolvedRefs");
  EXPECT_EQ(status(by("key: kubernetes.io/metadata.name, operator: In, values: [other]"), ""), "Accepted/ResolvedRefs")
      << "which Kubernetes gives each namespace";
}

TEST(RouteParents, ANarrowerHostnameIsTriedFirstThenWiderOnes) {
  const std::string yaml = api_gateway(kOpen) + gateway_route("any", to("c")) +
                           gateway_route("wild", to("b"), "'*.example.com'") +
                           gateway_route("exact", to("a", "    matches: [{path: {value: /x}}]\n"), "a.example.com");
  EXPECT_EQ(ask_gateway(yaml, "a.example.com", "/x"), "a");
  EXPECT_EQ(ask_gateway(yaml, "a.example.com", "/y"), "b");
  EXPECT_EQ(ask_gateway(yaml, "x.y.example.com"), "b");
  EXPECT_EQ(ask_gateway(yaml, "example.com"), "c");
}

TEST(RouteParents, TheListenerThatFitsMostCloselyDecidesAlone) {
  const std::string yaml = api_gateway(
                               "  - {name: wild, port: 80, protocol: HTTP, hostname: '*.example.com'}\n"
                               "  - {name: exact, port: 80, protocol: HTTP, hostname: a.example.com}\n") +
                           gateway_route("w", to("b"), "", "name: gw, sectionName: wild");
  EXPECT_EQ(ask_gateway(yaml, "b.example.com"), "b");
  EXPECT_EQ(ask_gateway(yaml, "a.example.com"), "404") << "nothing hangs on its listener";
  EXPECT_EQ(ask_gateway(yaml, "other.test"), "404");
}

TEST(RouteParents, AListenerWhoseCertificateIsNotGrantedIsNotServed) {
  const std::string gateway = api_gateway(
      "  - {name: tls, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: cert, namespace: other}]}}\n");
  const std::string grant =
      api_object("ReferenceGrant", "g",
                 "  from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: default}]\n"
                 "  to: [{group: '', kind: Secret, name: cert}]\n",
                 "other", "v1beta1");
  EXPECT_THAT(conditions_of(*table_of(gateway)),
              HasSubstr("listener tls is not served: no ReferenceGrant in namespace other"));
  EXPECT_TRUE(table_of(gateway)->gateways.empty());
  EXPECT_FALSE(table_of(gateway + grant)->gateways.empty());
}

TEST(RouteParents, AGatewayIsOfItsOwnNamespace) {
  const std::string yaml = api_gateway(kOpen) + gateway_route("any", to("c"));
  Client elsewhere = gateway_pod();
  elsewhere.namespace_ = "other";
  EXPECT_EQ(answer_of(ask(backends_yaml() + yaml, get("x.test"), elsewhere)), "closed");
  EXPECT_EQ(ask_gateway(yaml, "x.test"), "c");
}

TEST(RouteParents, FieldsOfAGatewayThatAreNotHonouredAreSaid) {
  const auto said = [](const std::string& more) {
    return conditions_of(
        *table_of(api_object("Gateway", "gw", "  gatewayClassName: weir\n  listeners:\n" + kOpen + more)));
  };
  EXPECT_EQ(said(""), "");
  EXPECT_THAT(said("  addresses: [{value: 192.0.2.1}]\n"), HasSubstr("spec.addresses is not honoured"));
  EXPECT_THAT(said("  infrastructure: {labels: {a: b}}\n"), HasSubstr("spec.infrastructure is not honoured"));
  EXPECT_THAT(said("  allowedListeners: {namespaces: {from: All}}\n"),
              HasSubstr("spec.allowedListeners is not honoured"));
  EXPECT_THAT(said("  tls: {backend: {clientCertificateRef: {name: c}}}\n"), HasSubstr("spec.tls is not honoured"));
}

}  // namespace
}  // namespace weir::routing
