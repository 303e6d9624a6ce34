// Filters of rules and of single backends (semantics 2.1 Filters).
#include "routing/build/route_filters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "route_support.h"

namespace weir::routing {
namespace {

using testing::HasSubstr;

std::string filter(const std::string& type, const std::string& body) {
  const std::string member =
      type == "URLRewrite" ? "urlRewrite" : static_cast<char>(type[0] - 'A' + 'a') + type.substr(1);
  return "    filters: [{type: " + type + ", " + member + ": {" + body + "}}]\n";
}

Decision decide(const std::string& rules, const Request& request = get("web", "/p/x?q=1")) {
  return ask(backends_yaml() + mesh_route("r", rules), request);
}

TEST(RouteFilters, HeaderValuesAreLiteral) {
  const Decision decision =
      decide(to("a", filter("RequestHeaderModifier",
                            "set: [{name: x, value: '50%'}], add: [{name: y, value: '%REQ(HOST)%'}], remove: [z]")));
  ASSERT_TRUE(decision.request);
  EXPECT_EQ(decision.request->set.at("x"), "50%");
  EXPECT_EQ(decision.request->add.at("y"), "%REQ(HOST)%");
  EXPECT_EQ(decision.request->remove, std::vector<std::string>{"z"});
}

TEST(RouteFilters, Redirects) {
  const auto location = [](const std::string& body, uint16_t port = 80) {
    Request request = get("web", "/p/x?q=1", {}, port);
    return decide("  - matches: [{path: {value: /p}}]\n" + filter("RequestRedirect", body), request)
        .redirect.value_or("");
  };
  EXPECT_EQ(location("hostname: h.test"), "http://h.test/p/x?q=1");
  EXPECT_EQ(location("scheme: https"), "https://web/p/x?q=1");
  EXPECT_EQ(location("port: 8443"), "http://web:8443/p/x?q=1");
  EXPECT_EQ(location("path: {type: ReplaceFullPath, replaceFullPath: /n}"), "http://web/n?q=1");
  EXPECT_EQ(location("path: {type: ReplacePrefixMatch, replacePrefixMatch: /n/}"), "http://web/n/x?q=1");
  EXPECT_EQ(location("path: {type: ReplacePrefixMatch, replacePrefixMatch: ''}"), "http://web/x?q=1");
  EXPECT_EQ(decide("  -" + filter("RequestRedirect", "hostname: h.test").substr(3)).status, 302) << "unless written";
}

TEST(RouteFilters, Rewrites) {
  const auto path = [](const std::string& replacement, const std::string& request) {
    const auto decision =
        decide("  - backendRefs: [{name: a, port: 80}]\n    matches: [{path: {value: /p}}]\n" +
                   filter("URLRewrite", "path: {type: ReplacePrefixMatch, replacePrefixMatch: " + replacement + "}"),
               get("web", request));
    return decision.request ? decision.request->path : "none";
  };
  EXPECT_EQ(path("/n", "/p/x"), "/n/x");
  EXPECT_EQ(path("/n/", "/p"), "/n");
  EXPECT_EQ(path("''", "/p"), "/");
  EXPECT_EQ(path("/", "/p/x"), "/x");
  EXPECT_EQ(path("/n", "/p/?q"), "/n/?q");
}

TEST(RouteFilters, OfOneBackendAlone) {
  const std::string redirect = ", filters: [{type: RequestRedirect, requestRedirect: {hostname: h.test}}]";
  const std::string rewrite = ", filters: [{type: URLRewrite, urlRewrite: {hostname: h.test}}]";
  EXPECT_EQ(answer_of(decide("  - backendRefs: [{name: a, port: 80" + redirect + "}]\n")), "http://h.test/p/x?q=1");
  const Decision mixed = decide("  - backendRefs: [{name: a, port: 80" + rewrite + "}, {name: b, port: 80}]\n");
  ASSERT_EQ(mixed.destinations.size(), 2U);
  EXPECT_EQ(mixed.destinations[0].request->host, "h.test");
  EXPECT_EQ(mixed.destinations[1].request->host, "web");
  const Decision half = decide("  - backendRefs: [{name: a, port: 80" + redirect + "}, {name: b, port: 80}]\n");
  ASSERT_EQ(half.destinations.size(), 2U);
  EXPECT_EQ(half.destinations[0].redirect, "http://h.test/p/x?q=1");
  EXPECT_EQ(half.destinations[1].redirect, std::nullopt);
  EXPECT_THAT(steps_of(half), HasSubstr("50 % is redirected to http://h.test/p/x?q=1"));
}

TEST(RouteFilters, Mirrors) {
  const auto mirrors = [](const std::string& body) { return decide(to("a", filter("RequestMirror", body))).mirrors; };
  ASSERT_EQ(mirrors("backendRef: {name: b, port: 80}").size(), 1U);
  EXPECT_EQ(mirrors("backendRef: {name: b, port: 80}")[0].share, 1);
  EXPECT_EQ(mirrors("backendRef: {name: b, port: 80}, percent: 35")[0].share, 0.35);
  EXPECT_EQ(mirrors("backendRef: {name: b, port: 80}, fraction: {numerator: 1, denominator: 3}")[0].share, 0.333333);
  EXPECT_TRUE(mirrors("backendRef: {name: nosuch, port: 80}").empty());
}

TEST(RouteFilters, CorsGoesByOrigin) {
  const auto allowed = [](const std::string& origin) {
    const auto decision = decide(
        to("a", "    filters: [{type: CORS, cors: {allowOrigins: ['https://a.test', 'https://*.b.test:8443']}}]\n"),
        get("web", "/", {{"origin", origin}}));
    return decision.response && decision.response->set.contains("access-control-allow-origin");
  };
  EXPECT_TRUE(allowed("https://a.test"));
  EXPECT_TRUE(allowed("https://x.y.b.test:8443"));
  EXPECT_FALSE(allowed("https://b.test:8443"));
  EXPECT_FALSE(allowed("https://xab_test:8443"));
  EXPECT_FALSE(allowed("https://a.test.evil.com"));
}

// To go on without it would send requests where nobody asked for.
TEST(RouteFilters, WhatNobodyCarriesOutIsAnswered500) {
  const std::string yaml =
      mesh_route("r", to("a", "    filters: [{type: ExtensionRef, extensionRef: {group: x.io, kind: F, name: f}}]\n"));
  EXPECT_EQ(ask_mesh(yaml), "500");
  EXPECT_THAT(conditions_of(*table_of(backends_yaml() + yaml)),
              HasSubstr("filter ExtensionRef to F f is not carried out"));
}

}  // namespace
}  // namespace weir::routing
