#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

constexpr const char* kVersion = "gateway.networking.k8s.io/v1";
constexpr const char* kHttp = "rules:\n- matches: [@]";  // line 7, column 15

TEST(ReadGatewayApiMatch, Paths) {
  const auto path = [](const std::string& type, const std::string& value) {
    return "{path: {type: " + type + ", value: '" + value + "'}}";
  };
  test::check_specs(
      "HTTPRoute", kHttp,
      {{path("Exact", "/a%20b/c"), ""},
       {path("PathPrefix", "/"), ""},
       {path("PathPrefix", "/a/.b/..c"), ""},
       {path("RegularExpression", "a//b#.*"), ""},
       {"{path: {value: /a}}", ""},
       {path("Exact", "a"), "7:43 Error IST0106 path \"a\" must be an absolute path and start with \"/\""},
       {path("Exact", ""), "7:43 Error IST0106 path \"\" must be an absolute path"},
       {path("Exact", "/a//b"), "7:43 Error IST0106 path \"/a//b\" must not contain \"//\""},
       {path("PathPrefix", "/a/./b"), "7:48 Error IST0106 path \"/a/./b\" must not contain \"/./\""},
       {path("PathPrefix", "/a/../b"), "7:48 Error IST0106 path \"/a/../b\" must not contain \"/../\""},
       {path("PathPrefix", "/a%2fb"), "7:48 Error IST0106 path \"/a%2fb\" must not contain \"%2f\""},
       {path("PathPrefix", "/a%2Fb"), "7:48 Error IST0106 path \"/a%2Fb\" must not contain \"%2F\""},
       {path("PathPrefix", "/a#b"), "7:48 Error IST0106 path \"/a#b\" must not contain \"#\""},
       {path("PathPrefix", "/a/.."), "7:48 Error IST0106 path \"/a/..\" must not end with \"/..\""},
       {path("PathPrefix", "/a/."), "7:48 Error IST0106 path \"/a/.\" must not end with \"/.\""},
       {path("PathPrefix", "/a b"), "7:48 Error IST0106 path \"/a b\" holds a character"},
       {path("PathPrefix", "/a%2"), "7:48 Error IST0106 path \"/a%2\" holds a character"},
       {path("PathPrefix", "/" + std::string(1024, 'a')), "7:48 Error IST0106 path \"/aaa"},
       {path("RegularExpression", "("), "7:55 Error IST0106 path \"(\" is not a regular expression"},
       {path("Suffix", "/a"), "7:29 Error IST0106 spec.rules[0].matches[0].path.type has no choice \"Suffix\""},
       {"{path: {value: [a]}}", "7:30 Error IST0106 spec.rules[0].matches[0].path.value must be a string"},
       {"{path: {valeu: /a}}", "7:23 Error WEIR0101 unknown field \"spec.rules[0].matches[0].path.valeu\""}},
      kVersion);
}

TEST(ReadGatewayApiMatch, HeadersQueriesAndMethods) {
  test::check_specs(
      "HTTPRoute", kHttp,
      {{"{headers: [{name: a, value: b}, {name: A, value: b}, {name: c, type: RegularExpression, value: '.*'}]}", ""},
       {"{queryParams: [{name: a, value: 'b c  d'}]}", ""},
       {"{method: GET}", ""},
       {"{headers: [{value: b}]}", "7:26 Error IST0106 spec.rules[0].matches[0].headers[0].name is required"},
       {"{headers: [{name: a}]}", "7:26 Error IST0106 spec.rules[0].matches[0].headers[0].value is required"},
       {"{headers: [{name: 'a b', value: b}]}", "7:33 Error IST0106 name \"a b\" is not a header name"},
       {"{headers: [{name: ':path', value: b}]}", "7:33 Error IST0106 name \":path\" is not a header name"},
       {"{headers: [{name: a, value: 'b  c'}]}", "7:43 Error IST0106 spec.rules[0].matches[0].headers[0].value"},
       {"{headers: [{name: a, value: ' b'}]}", "7:43 Error IST0106 spec.rules[0].matches[0].headers[0].value"},
       {"{headers: [{name: a, value: ä}]}", "7:43 Error IST0106 spec.rules[0].matches[0].headers[0].value"},
       {"{headers: [{name: a, type: Prefix, value: b}]}",
        "7:42 Error IST0106 spec.rules[0].matches[0].headers[0].type has no choice"},
       {"{headers: [{name: a, type: RegularExpression, value: '('}]}",
        "7:68 Error IST0106 spec.rules[0].matches[0].headers[0].value \"(\" is not a regular expression"},
       {"{headers: [{name: a, value: b}, {name: a, value: c}]}",
        "7:48 Error IST0106 spec.rules[0].matches[0].headers[1].name \"a\" is given twice"},
       {"{queryParams: [{name: a, value: b}, {name: a, value: c}]}",
        "7:52 Error IST0106 spec.rules[0].matches[0].queryParams[1].name \"a\" is given twice"},
       {"{queryParams: [{name: a, value: " + std::string(1025, 'b') + "}]}",
        "7:47 Error IST0106 spec.rules[0].matches[0].queryParams[0].value is longer than 1024 characters"},
       {"{method: get}", "7:24 Error IST0106 spec.rules[0].matches[0].method has no choice \"get\""},
       {"{host: a}", "7:16 Error WEIR0101 unknown field \"spec.rules[0].matches[0].host\""}},
      kVersion);
}

TEST(ReadGatewayApiMatch, GrpcMethods) {
  test::check_specs(
      "GRPCRoute", kHttp,
      {{"{method: {service: a.b.C, method: D}}", ""},
       {"{method: {method: D}}", ""},
       {"{method: {type: RegularExpression, service: 'a.*'}}", ""},
       {"{headers: [{name: a, value: b}]}", ""},
       {"{method: {}}", "7:24 Error IST0106 one or both of service or method must be specified"},
       {"{method: {service: a-b}}", "7:34 Error IST0106 service \"a-b\" is not the name of a gRPC service"},
       {"{method: {method: /D}}", "7:33 Error IST0106 method \"/D\" is not the name of a gRPC method"},
       {"{method: {type: RegularExpression, method: '('}}", "7:58 Error IST0106 method \"(\" is not a regular"},
       {"{path: {value: /a}}", "7:16 Error WEIR0101 unknown field"}},
      kVersion);
}

TEST(ReadGatewayApiMatch, WithoutMatchesEverythingMatches) {
  for (const char* spec : {"rules: [{}]", "rules: [{matches: []}]", "rules: [{matches: [{}]}]", "{}"}) {
    const auto route = test::only<gateway_api::HttpRoute>(test::object(kVersion, "HTTPRoute", spec));
    ASSERT_EQ(route.rules.size(), 1U) << spec;
    ASSERT_EQ(route.rules[0].matches.size(), 1U) << spec;
    EXPECT_EQ(route.rules[0].matches[0].path.value, "/") << spec;
    EXPECT_EQ(route.rules[0].matches[0].path.type, gateway_api::PathMatch::Type::kPathPrefix) << spec;
  }
}

}  // namespace
}  // namespace weir::config
