#include "proxy/route_compiler.h"

#include <gtest/gtest.h>

#include "config/store.h"
#include "routing/build/table_builder.h"

namespace weir::proxy {
namespace {

constexpr std::string_view kServices = R"(
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {clusterIP: 10.96.0.2, selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: raw, namespace: default}
spec: {clusterIP: 10.96.0.3, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
addressType: IPv4
metadata: {name: web-1, namespace: default, labels: {kubernetes.io/service-name: web}}
ports: [{name: http, port: 8080, protocol: TCP}]
endpoints:
- {addresses: [10.1.0.1], targetRef: {kind: Pod, namespace: default, name: web-v1}}
- {addresses: [10.1.0.2], targetRef: {kind: Pod, namespace: default, name: web-v2}}
---
apiVersion: v1
kind: Pod
metadata: {name: web-v1, namespace: default, labels: {app: web, version: v1}}
status: {podIP: 10.1.0.1, phase: Running, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web-v2, namespace: default, labels: {app: web, version: v2}}
status: {podIP: 10.1.0.2, phase: Running, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web, namespace: default}
spec:
  host: web
  trafficPolicy: {connectionPool: {tcp: {connectTimeout: 3s}, http: {maxRequestsPerConnection: 7}}}
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
---
)";

class RouteCompilerTest : public testing::Test {
 protected:
  std::shared_ptr<const RouteList> compile(const std::string& rules, const routing::Client& client,
                                           std::string_view host = "web",
                                           Frontend frontend = {{*IpAddress::parse("10.96.0.2"), 80}}) {
    config::Store store;
    config::ParsedFile file = config::read_yaml(std::string(kServices) + rules, "test.yaml");
    for (const auto& diagnostic : file.diagnostics)
      EXPECT_NE(diagnostic.level, config::Level::kError) << diagnostic.message;
    (void)store.set(std::move(file));
    const RouteCompiler compiler(routing::build_table(store), shared_);
    return compiler.compile(client, frontend, compiler.choose(client, frontend, host));
  }
  static routing::Client pod(std::string namespace_ = "default", config::Labels labels = {}) {
    routing::Client client;
    client.namespace_ = std::move(namespace_);
    client.labels = std::move(labels);
    return client;
  }
  static std::string rule(std::string_view http, std::string_view spec = "") {
    return "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: web, namespace: "
           "default}\nspec:\n  hosts: [web]\n" +
           std::string(spec) + "  http:\n" + std::string(http);
  }

  SharedState shared_{"node", 1};
};

TEST_F(RouteCompilerTest, WhoIsOutsideNeedNotKnowTheServicesName) {
  const std::string rules = rule("  - name: all\n    route: [{destination: {host: web, subset: v2}}]\n");
  Frontend frontend{{*IpAddress::parse("10.96.0.2"), 80}};
  for (const char* host : {"shop.example.com", "203.0.113.5:30080", ""}) {
    frontend.outside = false;
    EXPECT_EQ(compile(rules, {}, host, frontend)->kind, RouteList::Kind::kPassthrough) << host;
    frontend.outside = true;
    const auto list = compile(rules, {}, host, frontend);
    ASSERT_EQ(list->routes.size(), 1U) << host;
    EXPECT_EQ(list->service, "web.default.svc.cluster.local");
    EXPECT_EQ(list->routes[0].name, "all");
  }
  EXPECT_EQ(compile("", {}, "raw.default.svc.cluster.local", frontend)->service, "web.default.svc.cluster.local")
      << "nor is it led to another service by one";
}

TEST_F(RouteCompilerTest, WithoutRulesOneDefaultRoute) {
  const auto list = compile("", pod());
  EXPECT_EQ(list->kind, RouteList::Kind::kDefault);
  EXPECT_EQ(list->service, "web.default.svc.cluster.local");
  ASSERT_EQ(list->routes.size(), 1U);
  const Route& route = list->routes[0];
  ASSERT_TRUE(route.split);
  EXPECT_EQ(route.split->endpoints(0).size(), 2U);
  EXPECT_EQ(route.retries.attempts(), 2U);
  EXPECT_EQ(route.destinations[0].limits.connect_timeout, std::chrono::seconds(3));
  EXPECT_EQ(route.destinations[0].limits.max_requests_a_connection, 7U);
}

TEST_F(RouteCompilerTest, WeightsOfZeroVanish) {
  const auto list = compile(rule(R"(
  - route:
    - {destination: {host: web, subset: v1}, weight: 0}
    - {destination: {host: web, subset: v2}, weight: 100}
)"),
                            pod());
  ASSERT_EQ(list->routes.size(), 1U);
  ASSERT_EQ(list->routes[0].destinations.size(), 1U);
  EXPECT_EQ(list->routes[0].destinations[0].name, "web.default.svc.cluster.local:80/v2");
  EXPECT_EQ(list->routes[0].name, "web#0");
}

TEST_F(RouteCompilerTest, ProblemsAreKeptWithTheirShare) {
  const auto list = compile(rule(R"(
  - route:
    - {destination: {host: web, subset: v9}, weight: 1}
    - {destination: {host: nowhere}, weight: 1}
)"),
                            pod());
  ASSERT_EQ(list->routes[0].destinations.size(), 2U);
  for (const Destination& destination : list->routes[0].destinations) {
    EXPECT_FALSE(destination.exists);
    EXPECT_FALSE(destination.problem.empty());
  }
}

TEST_F(RouteCompilerTest, RulesBySourceAreStatic) {
  const std::string rules = rule(R"(
  - match: [{sourceLabels: {app: canary}}]
    route: [{destination: {host: web, subset: v2}}]
  - route: [{destination: {host: web, subset: v1}}]
)");
  EXPECT_EQ(compile(rules, pod())->routes.size(), 1U);
  const auto canary = compile(rules, pod("default", {{"app", "canary"}}));
  EXPECT_EQ(canary->routes[0].destinations[0].subset, "v2");
}

TEST_F(RouteCompilerTest, TheHostDecidesAndNotWhatWasDialled) {
  const Frontend raw{{*IpAddress::parse("10.96.0.3"), 80}};
  EXPECT_EQ(compile("", pod(), "web", raw)->service, "raw.default.svc.cluster.local")
      << "but on a port of unknown protocol it does not";
  EXPECT_EQ(compile("", pod("other"), "web")->kind, RouteList::Kind::kPassthrough)
      << "short names are the client's namespace's";
  EXPECT_EQ(compile("", pod("other"), "web.default")->kind, RouteList::Kind::kDefault);
  EXPECT_EQ(compile("", pod(), "WEB.default.svc.cluster.local.:1234")->kind, RouteList::Kind::kDefault);
  const auto unknown = compile("", pod(), "example.com");
  EXPECT_EQ(unknown->kind, RouteList::Kind::kPassthrough);
  ASSERT_EQ(unknown->routes.size(), 1U);
  EXPECT_EQ(unknown->routes[0].split->endpoints(0).size(), 2U);
}

TEST_F(RouteCompilerTest, AVirtualServiceOfAHostWithoutService) {
  const std::string ghost = R"(
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ghost, namespace: default}
spec:
  hosts: [ghost.example]
  http: [{route: [{destination: {host: web, subset: v1}}]}]
)";
  const auto list = compile(ghost, pod(), "ghost.example");
  EXPECT_EQ(list->kind, RouteList::Kind::kRules);
  EXPECT_EQ(list->service, "ghost.example");
}

TEST_F(RouteCompilerTest, CursorsOutliveTheLists) {
  const std::string rules = rule(
      "  - route: [{destination: {host: web, subset: v1}, weight: 1}, {destination: {host: web, subset: v2}, weight: "
      "1}]\n");
  const auto before = compile(rules, pod());
  const auto after = compile(rules, pod("default", {{"other", "labels"}}));
  int first = 0;
  for (int count = 0; count < 50; ++count) {
    first += before->routes[0].split->pick().destination == 0 ? 1 : 0;
    first += after->routes[0].split->pick().destination == 0 ? 1 : 0;
  }
  EXPECT_NEAR(first, 50, 1) << "one cursor for one split";
}

TEST_F(RouteCompilerTest, MoreDestinationsThanTheKernelTakesIsABrokenRoute) {
  std::string http = "  - route:\n";
  for (int count = 0; count < 21; ++count) http += "    - {destination: {host: web, subset: v1}, weight: 1}\n";
  const auto list = compile(rule(http), pod());
  EXPECT_FALSE(list->routes[0].split);
  EXPECT_NE(list->routes[0].broken.find("20 destinations"), std::string::npos);
}

TEST_F(RouteCompilerTest, ActionsFaultsMirrorsAndTimes) {
  const auto list = compile(rule(R"(
  - name: moved
    match: [{uri: {prefix: /moved}}]
    redirect: {authority: other.example}
  - match: [{uri: {prefix: /tea}}]
    directResponse: {status: 418}
  - fault: {delay: {fixedDelay: 2s, percentage: {value: 0.0001}}, abort: {httpStatus: 500, percentage: {value: 10}}}
    timeout: 4s
    retries: {attempts: 0}
    mirrors: [{destination: {host: web, subset: v2}, percentage: {value: 50}}, {destination: {host: nowhere}}, {destination: {host: web}, percentage: {value: 0}}]
    rewrite: {uri: /x}
    route: [{destination: {host: web, subset: v1}}]
)"),
                            pod());
  ASSERT_EQ(list->routes.size(), 3U);
  EXPECT_EQ(list->routes[0].name, "moved");
  EXPECT_NE(list->routes[0].redirect, nullptr);
  EXPECT_NE(list->routes[1].direct_response, nullptr);
  const Route& route = list->routes[2];
  EXPECT_EQ(route.fault.delay_parts_per_million, 1U);
  EXPECT_EQ(route.fault.abort_parts_per_million, 100'000U);
  EXPECT_EQ(route.timeout, std::chrono::seconds(4));
  EXPECT_EQ(route.retries.attempts(), 0U);
  EXPECT_NE(route.rewrite, nullptr);
  ASSERT_EQ(route.mirrors.size(), 2U);
  EXPECT_EQ(route.mirrors[0].parts_per_million, 500'000U);
  EXPECT_FALSE(route.mirrors[1].split);
}

}  // namespace
}  // namespace weir::proxy
