#include "routing/decide/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "explain_support.h"

namespace weir::routing {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kToV1 = "  - route: [{destination: {host: web, subset: v1}}]\n";

// ---------------------------------------------------------------- which host

struct HostCase {
  const char* host;
  const char* service;  // "": unknown
};

TEST(ExplainTest, TheHostHeaderNamesTheService) {
  const HostCase cases[] = {
      {"web", "web.default.svc.cluster.local"},
      {"WEB:80", "web.default.svc.cluster.local"},
      {"web:8000", "web.default.svc.cluster.local"},
      {"web.default.svc", "web.default.svc.cluster.local"},
      {"web.default.svc.cluster.local.", "web.default.svc.cluster.local"},
      {"10.96.0.10", "web.default.svc.cluster.local"},
      {"web.other", "web.other.svc.cluster.local"},
      {"web.", ""},
      {"nosuch", ""},
      {"", ""},
      {"web.default.svc.cluster", ""},
  };
  const std::string yaml = web_yaml() + rules_yaml(kToV1);
  for (const HostCase& test : cases) {
    Request request = get(test.host);
    request.dial = "web";
    EXPECT_EQ(ask(yaml, request).service, test.service) << test.host;
  }
}

TEST(ExplainTest, AnUnknownHostGoesWhereItWasDialled) {
  const Decision decision = ask(web_yaml(), get("nosuch.example.com"));
  EXPECT_EQ(decision.action, Action::kDefault);
  EXPECT_EQ(decision.status, std::nullopt);
  EXPECT_THAT(decision.destinations, IsEmpty());
  EXPECT_EQ(decision.request, std::nullopt);
  EXPECT_THAT(decision.reason, HasSubstr("\"nosuch.example.com\" is unknown on port 80"));
}

TEST(ExplainTest, RegistryOnlyRefusesIt) {
  config::Store store;
  store.set(read(web_yaml()));
  store.set(read("outboundTrafficPolicy: {mode: REGISTRY_ONLY}\n", "mesh.yaml"));
  const auto table = build_table(store);
  const Decision http = explain(*table, pod_of("default"), get("nosuch.example.com"));
  EXPECT_EQ(http.action, Action::kNoRoute);
  EXPECT_EQ(http.status, 502);
  // No service speaks HTTP on port 81: a connection, which is closed.
  const Decision closed = explain(*table, pod_of("default"), get("web", "/", {}, 81));
  EXPECT_EQ(closed.action, Action::kNoRoute);
  EXPECT_EQ(closed.status, std::nullopt);
}

TEST(ExplainTest, AHostWithoutServiceHoldsOnPort80Only) {
  const std::string rules = R"(---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ghost, namespace: default}
spec:
  hosts: [ghost.example.com]
  http:
  - route: [{destination: {host: web, subset: v2}}]
)";
  const Decision decision = ask(web_yaml() + rules, get("Ghost.example.com"));
  EXPECT_EQ(decision.service, "ghost.example.com");
  ASSERT_THAT(decision.destinations, SizeIs(1));
  EXPECT_EQ(decision.destinations[0].subset, "v2");
  EXPECT_EQ(ask(web_yaml() + rules, get("ghost.example.com", "/", {}, 8000)).rule, std::nullopt);
}

TEST(ExplainTest, AWildcardEntryServesThePortThatTheNamedOneLacks) {
  const std::string entries = R"(---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: exact, namespace: default}
spec: {hosts: [foo.bar.com], ports: [{number: 8000, name: http, protocol: HTTP}], resolution: NONE}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: wild, namespace: default}
spec: {hosts: ["*.bar.com"], ports: [{number: 80, name: http, protocol: HTTP}], resolution: NONE}
)";
  EXPECT_EQ(ask(web_yaml() + entries, get("foo.bar.com")).service, "*.bar.com");
  EXPECT_EQ(ask(web_yaml() + entries, get("foo.bar.com", "/", {}, 8000)).service, "foo.bar.com");
}

// ---------------------------------------------------------------- which rules

TEST(ExplainTest, WithoutRulesTheDefaultRouteHolds) {
  const Decision decision = ask(web_yaml(), get("web", "/a?b"));
  EXPECT_EQ(decision.action, Action::kDefault);
  EXPECT_EQ(decision.rule, std::nullopt);
  EXPECT_EQ(decision.path, Path::kNone);
  ASSERT_THAT(decision.destinations, SizeIs(1));
  EXPECT_THAT(decision.destinations[0].endpoints, SizeIs(3));
  ASSERT_TRUE(decision.request.has_value());
  EXPECT_EQ(decision.request->path, "/a?b");
  EXPECT_EQ(decision.request->host, "web");
  EXPECT_EQ(decision.retries->attempts, 2U);
}

TEST(ExplainTest, OneVirtualServiceWinsAloneAndTheOthersAreNamed) {
  const std::string late = rules_yaml("  - route: [{destination: {host: web, subset: v2}}]\n", "z-late");
  const std::string early = rules_yaml(
      "  - match: [{uri: {exact: /only}}]\n    route: [{destination: {host: web, subset: v1}}]\n", "a-early");
  const Decision decision = ask(web_yaml() + late + early, get("web"));
  EXPECT_EQ(decision.action, Action::kNoRoute);
  EXPECT_EQ(decision.status, 404);
  EXPECT_EQ(decision.rule, std::nullopt);
  EXPECT_THAT(steps_of(decision), HasSubstr("VirtualService default/z-late"));
  EXPECT_THAT(steps_of(decision), HasSubstr("no match: uri exact \"/only\" != \"/\""));
}

TEST(ExplainTest, RulesForOthersLeaveTheDefaultRoute) {
  const std::string rules =
      rules_yaml("  - match: [{sourceLabels: {app: x}}]\n    route: [{destination: {host: web, subset: v1}}]\n");
  const Decision decision = ask(web_yaml() + rules, get("web"));
  EXPECT_EQ(decision.action, Action::kDefault);
  EXPECT_EQ(decision.status, std::nullopt);
  EXPECT_EQ(ask(web_yaml() + rules, get("web"), pod_of("default", {{"app", "x"}})).action, Action::kSplit);
}

// ---------------------------------------------------------------- malformed requests

// It said "none, left alone" beside the rule that decides: the plan knows the clients of its own node only.
TEST(ExplainTest, ThePathIsOfTheClientThatAsks) {
  const std::string rule =
      rules_yaml("  - match: [{sourceLabels: {app: x}}]\n    route: [{destination: {host: web, subset: v2}}]\n");
  const Decision theirs = ask(web_yaml() + rule, get("web"), pod_of("default", {{"app", "x"}}));
  EXPECT_EQ(theirs.path, Path::kKernel);
  EXPECT_TRUE(theirs.reason.ends_with("(for clients like this one)")) << theirs.reason;
  const Decision others = ask(web_yaml() + rule, get("web"), pod_of("default", {{"app", "y"}}));
  EXPECT_EQ(others.path, Path::kNone) << others.reason;
}

TEST(ExplainTest, RefusesMalformedRequestsBeforeAnyRule) {
  const std::string yaml = web_yaml() + rules_yaml(kToV1);
  struct Case {
    const char *method, *path;
    int status;
  };
  const Case cases[] = {{"put", "/", 400},
                        {"CONNECT", "/", 405},
                        {"", "/", 400},
                        {"GET", "*", 400},
                        {"GET", "a", 400},
                        {"OPTIONS", "*", 404},
                        {"GET", "/a b", 400},
                        {"GET", "/caf\xc3\xa9", 400},
                        {"GET", "/a\x01", 400},
                        {"GET", "/a%00b", 400},
                        {"GET", "/\x7f", 400},
                        {"TRACE", "/", 405},
                        {"GET", "/a#b", 400},
                        {"GET", "#", 400},
                        {"GET", "https://web/", 400},
                        {"GET", "http://web#a", 400}};
  for (const Case& test : cases) {
    Request request = get("web", test.path);
    request.method = test.method;
    const Decision decision = ask(yaml, request);
    EXPECT_EQ(decision.action, Action::kNoRoute) << test.method << " " << test.path;
    EXPECT_EQ(decision.status, test.status) << test.method << " " << test.path;
    EXPECT_EQ(decision.rule, std::nullopt);
    EXPECT_THAT(decision.destinations, IsEmpty());
  }
  Request no_host = get("web");
  no_host.host.reset();
  no_host.dial = "web";
  EXPECT_EQ(ask(yaml, no_host).status, 400);
  no_host.host.emplace();
  EXPECT_EQ(ask(yaml, no_host).status, 400);
}

TEST(ExplainTest, AnAbsoluteFormCarriesItsOwnHost) {
  const std::string yaml = web_yaml() + rules_yaml(kToV1);
  Request request = get("nosuch", "HTTP://web/a/../b?c");
  request.dial = "web";
  const Decision decision = ask(yaml, request);
  EXPECT_EQ(decision.service, "web.default.svc.cluster.local");
  EXPECT_EQ(decision.request->path, "/b?c");
  EXPECT_EQ(decision.request->host, "web");
  request.path = "http://web";
  EXPECT_EQ(ask(yaml, request).request->path, "/");
  request.path = "http://web?x";
  EXPECT_EQ(ask(yaml, request).request->path, "/?x");
}

TEST(ExplainTest, EveryActionHasItsName) {
  EXPECT_EQ(to_string(Action::kSplit), "split");
  EXPECT_EQ(to_string(Action::kRedirect), "redirect");
  EXPECT_EQ(to_string(Action::kDirectResponse), "direct_response");
  EXPECT_EQ(to_string(Action::kAbort), "abort");
  EXPECT_EQ(to_string(Action::kNoRoute), "no_route");
  EXPECT_EQ(to_string(Action::kDefault), "default");
}

}  // namespace
}  // namespace weir::routing
