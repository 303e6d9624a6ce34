// Rules of HTTPRoutes and GRPCRoutes: which one takes a request, and who gets it (semantics 2.1).
#include "routing/build/route_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "route_support.h"

namespace weir::routing {
namespace {

using testing::HasSubstr;

TEST(RouteRules, TheClosestMatchTakesTheRequestWhateverTheOrder) {
  const std::string yaml = mesh_route("z-exact", to("a", "    matches: [{path: {type: Exact, value: /x/y}}]\n")) +
                           mesh_route("all", to("c") + to("b", "    matches: [{path: {value: /x}}]\n"));
  EXPECT_EQ(ask_mesh(yaml, get("web", "/x/y")), "a");
  EXPECT_EQ(ask_mesh(yaml, get("web", "/x/y/z")), "b");
  EXPECT_EQ(ask_mesh(yaml, get("web", "/xy")), "c") << "prefixes are of whole segments";
  EXPECT_EQ(ask_mesh(yaml, get("web", "/x?q")), "b");
}

TEST(RouteRules, LongerPrefixThenMethodThenHeadersThenQuery) {
  const std::string yaml =
      mesh_route("r", to("a", "    matches: [{path: {value: /l}, headers: [{name: h, value: '1'}]}]\n") +
                          to("b", "    matches: [{path: {value: /l/longer}}]\n") +
                          to("c", "    matches: [{path: {value: /l}, method: GET}]\n") +
                          to("web", "    matches: [{path: {value: /l}, queryParams: [{name: q, value: '1'}]}]\n"));
  EXPECT_EQ(ask_mesh(yaml, get("web", "/l/longer", {{"h", "1"}})), "b");
  EXPECT_EQ(ask_mesh(yaml, get("web", "/l/?q=1", {{"h", "1"}})), "c");
  Request post = get("web", "/l?q=1", {{"h", "1"}});
  post.method = "POST";
  EXPECT_EQ(ask_mesh(yaml, post), "a");
  post.headers.clear();
  EXPECT_EQ(ask_mesh(yaml, post), "web");
  post.path = "/l";
  EXPECT_EQ(ask_mesh(yaml, post), "404");
}

TEST(RouteRules, OfEquivalentHeaderNamesTheFirstCounts) {
  const std::string yaml =
      mesh_route("r", to("a", "    matches: [{headers: [{name: X-A, value: '1'}, {name: x-a, value: '2'}]}]\n"));
  EXPECT_EQ(ask_mesh(yaml, get("web", "/", {{"x-a", "1"}})), "a");
  EXPECT_EQ(ask_mesh(yaml, get("web", "/", {{"x-a", "2"}})), "404");
}

TEST(RouteRules, WeightsCountAsWrittenAndNoneIsNobody) {
  EXPECT_EQ(ask_mesh(mesh_route("r", "  - backendRefs: [{name: a, port: 80, weight: 9}, {name: b, port: 80}]\n")),
            "a:9 b:1");
  EXPECT_EQ(ask_mesh(mesh_route("r", "  - backendRefs: [{name: a, port: 80, weight: 0}]\n")), "500") << "even alone";
  EXPECT_EQ(ask_mesh(mesh_route("r", "  - {}\n")), "500") << "no backends";
}

TEST(RouteRules, BackendsThatLeadNowhereGetTheirShareRefused) {
  const std::string yaml = mesh_route("r", "  - backendRefs: [{name: a, port: 80}, {name: nosuch, port: 80}]\n");
  const Decision decision = ask(backends_yaml() + yaml, get("web"));
  EXPECT_EQ(answer_of(decision), "a:1 nosuch:1!");
  EXPECT_THAT(steps_of(decision), HasSubstr("50 % to nosuch.default.svc.cluster.local:80: 500, Service default/nosuch "
                                            "does not exist"));
  EXPECT_EQ(ask_mesh(mesh_route("r", "  - backendRefs: [{name: a, port: 81}]\n")), "500") << "no such port";
  EXPECT_EQ(ask_mesh(mesh_route("r", "  - backendRefs: [{name: a, kind: Widget, group: x.io, port: 80}]\n")), "500");
}

TEST(RouteRules, TheKernelDoesNotSplitWhatItsSharesCannotAnswer) {
  const auto path = [](const std::string& yaml) {
    const auto table = table_of(backends_yaml() + yaml);
    return plan_of(*table, "web.default.svc.cluster.local")->path;
  };
  EXPECT_EQ(path(mesh_route("r", "  - backendRefs: [{name: a, port: 80}, {name: b, port: 80}]\n")), Path::kKernel);
  EXPECT_EQ(path(mesh_route("r", "  - backendRefs: [{name: a, port: 80}, {name: nosuch, port: 80}]\n")), Path::kProxy);
  EXPECT_EQ(path(mesh_route("r", "  - {}\n")), Path::kProxy);
  EXPECT_EQ(path(mesh_route("r", to("a", "    timeouts: {request: 1s}\n"))), Path::kProxy);
}

TEST(RouteRules, TimeoutsAndRetries) {
  const auto decide = [](const std::string& more) {
    return ask(backends_yaml() + mesh_route("r", to("a", more)), get("web"));
  };
  EXPECT_EQ(decide("    timeouts: {request: 2s}\n").timeout_ms, 2000);
  EXPECT_EQ(decide("    timeouts: {request: 0s}\n").timeout_ms, std::nullopt);
  EXPECT_EQ(decide("    timeouts: {request: 2s, backendRequest: 1s}\n").timeout_ms, 1000) << "there is one try";
  const Decision retried =
      decide("    timeouts: {request: 2s, backendRequest: 1s}\n    retry: {attempts: 3, codes: [503]}\n");
  EXPECT_EQ(retried.timeout_ms, 2000);
  ASSERT_TRUE(retried.retries);
  EXPECT_EQ(retried.retries->attempts, 3U);
  EXPECT_THAT(retried.retries->on, HasSubstr("reset"));
  EXPECT_THAT(retried.retries->on, HasSubstr("503"));
}

TEST(RouteRules, WhatIsNotHonouredIsSaid) {
  const auto table = table_of(backends_yaml() + mesh_route("r", to("a", "    sessionPersistence: {sessionName: s}\n")));
  EXPECT_THAT(conditions_of(*table), HasSubstr("sessionPersistence is not honoured"));
}

TEST(RouteRules, MethodsOfGrpcArePaths) {
  const std::string yaml = api_object(
      "GRPCRoute", "g",
      "  parentRefs: [{group: '', kind: Service, name: web}]\n  rules:\n" +
          to("a", "    matches: [{method: {service: shop.Cart, method: Add}}]\n") +
          to("b", "    matches: [{method: {service: shop.Cart}}]\n") +
          to("c", "    matches: [{method: {method: Ping}}, {method: {type: RegularExpression, service: 'x[.]A+'}}]\n"));
  EXPECT_EQ(ask_mesh(yaml, get("web", "/shop.Cart/Add")), "a");
  EXPECT_EQ(ask_mesh(yaml, get("web", "/shop.Cart/Remove")), "b");
  EXPECT_EQ(ask_mesh(yaml, get("web", "/any.Service/Ping")), "c");
  EXPECT_EQ(ask_mesh(yaml, get("web", "/x.AAA/Go")), "c");
  EXPECT_EQ(ask_mesh(yaml, get("web", "/shop.CartX/Add")), "404");
}

TEST(RouteRules, ConnectionsOfRulesWithoutBackendsAreRefused) {
  const std::string service = service_yaml("db", "default", "10.96.2.1", {"v1"}, "tcp");
  const auto route = [&](const std::string& backends) {
    return service + api_object("TCPRoute", "t",
                                "  parentRefs: [{group: '', kind: Service, name: db}]\n  rules:\n  - backendRefs: [" +
                                    backends + "]\n",
                                "default", "v1alpha2");
  };
  Request request = get("db");
  request.is_http = false;
  EXPECT_EQ(ask_mesh(route("{name: a, port: 80, weight: 3}, {name: b, port: 80}"), request), "a:3 b:1");
  EXPECT_EQ(ask_mesh(route("{name: a, port: 80, weight: 0}"), request), "nobody!");
  const auto table = table_of(backends_yaml() + route("{name: a, port: 80, weight: 0}"));
  const ServicePlan* plan = plan_of(*table, "db.default.svc.cluster.local");
  ASSERT_NE(plan, nullptr);
  ASSERT_EQ(plan->splits.size(), 1U) << "not left alone";
  EXPECT_TRUE(plan->splits[0].destinations.at(0).endpoints.empty());
}

}  // namespace
}  // namespace weir::routing
