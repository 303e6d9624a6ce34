#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

constexpr const char* kAround =
    "hosts: [a]\n"
    "http:\n"
    "- route: [{destination: {host: a}}]\n"
    "  match:\n"
    "  - @";  // line 10, column 7

HttpMatch match_of(const std::string& text) {
  const auto object = test::only<VirtualService>(
      test::istio("VirtualService", "hosts: [a]\nhttp:\n- route: [{destination: {host: a}}]\n  match:\n  - " + text));
  return object.http.empty() || object.http[0].match.empty() ? HttpMatch{} : object.http[0].match[0];
}

TEST(ReadHttpMatch, Bad) {
  test::check_specs(
      "VirtualService", kAround,
      {
          {"uri: {exact: /a, prefix: /b}",
           "10:24 Error IST0106 spec.http[0].match[0].uri cannot have both exact and prefix"},
          {"uri: {suffix: /a}", "10:13 Error WEIR0101 unknown field \"spec.http[0].match[0].uri.suffix\" in a match"},
          {"uri: /a", "10:12 Error IST0106 spec.http[0].match[0].uri must be a map"},
          {"uri: {regex: ''}", "10:20 Error IST0106 spec.http[0].match[0].uri: regex must not be empty"},
          {"uri: {regex: '('}",
           "10:20 Error IST0106 spec.http[0].match[0].uri: regex is not a regular expression (RE2)"},
          {"uri: {regex: '*'}",
           "10:20 Error IST0106 spec.http[0].match[0].uri: regex is not a regular expression (RE2)"},
          {"uri: {regex: '" + std::string(1025, 'a') + "'}",
           "10:20 Error IST0106 spec.http[0].match[0].uri: regex is longer than 1024"},
          {"scheme: {prefix: ''}", "10:24 Error IST0106 spec.http[0].match[0].scheme: prefix must not be empty"},
          {"method: {prefix: ''}", "10:24 Error IST0106"},
          {"authority: {prefix: ''}", "10:27 Error IST0106"},
          {"headers: {x: {prefix: ''}}",
           "10:29 Error IST0106 spec.http[0].match[0].headers.x: prefix must not be empty"},
          {"headers: {x: null}", "10:20 Error IST0106 match spec.http[0].match[0].headers.x must not be null"},
          {"headers: {x: jason}", "10:20 Error IST0106 spec.http[0].match[0].headers.x must be a map"},
          {"headers: {'a b': {}}", "10:17 Error IST0106 header \"a b\" is not a header name"},
          {"headers: {'': {}}", "10:17 Error IST0106 header \"\" must not be empty"},
          {"headers: {X: {exact: a}, x: {exact: b}}", "10:32 Error IST0106 header \"x\" is matched twice"},
          {"headers: {x: {regex: '**'}}", "10:28 Error IST0106"},
          {"headers: {x: {regex: '*'}}", "10:28 Error IST0106"},  // R18: Istio takes it in withoutHeaders only
          {"port: '80'", "10:13 Error IST0106 spec.http[0].match[0].port must be a whole number, it is \"80\""},
          {"headers: {'@request.auth.claims.sub': {exact: a}}", "10:17 Error WEIR0102 match on JWT claim"},
          {"headers: {'@request.auth.claims[a][b]': {exact: a}}", "10:17 Error WEIR0102 match on JWT claim"},
          {"withoutHeaders: {x: null}",
           "10:27 Error IST0106 match spec.http[0].match[0].withoutHeaders.x must not be null"},
          {"queryParams: {x: null}", "10:24 Error IST0106"},
          {"queryParams: {x: {regex: '('}}", "10:32 Error IST0106"},
          {"ignoreUriCase: yes", "10:22 Error IST0106 spec.http[0].match[0].ignoreUriCase must be true or false"},
          {"port: 70000", "10:13 Error IST0106 spec.http[0].match[0].port is 70000"},
          {"port: http", "10:13 Error IST0106"},
          {"sourceLabels: {a: 'b c'}", "10:7 Error IST0106 label \"a\" has a bad value \"b c\""},
          {"sourceNamespace: a/b", "10:24 Error IST0106 sourceNamespace \"a/b\" is not a namespace"},
          {"gateways: [a/b/c]", "10:18 Error IST0106 gateway \"a/b/c\""},
          {"gateways: mesh", "10:17 Error IST0106 spec.http[0].match[0].gateways must be a list"},
          {"jwtClaims: {}", "10:7 Error WEIR0101 unknown field \"spec.http[0].match[0].jwtClaims\" in a match"},
          {"header: {x: {exact: a}}", "10:7 Error WEIR0101 unknown field"},
          {"method: {exact: get}", "10:23 Warning IST0133 method \"get\" is not a standard method"},
          {"statPrefix: a", "10:7 Warning WEIR0214"},
      });
}

TEST(ReadHttpMatch, Good) {
  test::check_specs("VirtualService", kAround,
                    {{"uri: {prefix: ''}", ""},
                     {"uri: {}", ""},
                     {"headers: {x: {}}", ""},
                     {"withoutHeaders: {x: {regex: '*'}}", ""},
                     {"headers: {':authority': {exact: a}}", ""},
                     {"queryParams: {x: {exact: ''}}", ""},
                     {"query_params: {x: {exact: ''}}", ""},
                     {"port: 80.0", ""}});
}

TEST(ReadHttpMatch, HeaderNamesAreInLowerCaseAndValuesAreNot) {
  const HttpMatch match =
      match_of("headers: {User-Agent: {exact: Firefox}, X: {}}\n    withoutHeaders: {Y: {regex: '*'}}");
  ASSERT_TRUE(match.headers.contains("user-agent"));
  EXPECT_EQ(match.headers.at("user-agent").value, "Firefox");
  EXPECT_EQ(match.headers.at("x").type, StringMatch::Type::kPresent);
  EXPECT_EQ(match.without_headers.at("y").type, StringMatch::Type::kPresent);
}

TEST(ReadHttpMatch, AllFields) {
  const HttpMatch match = match_of(
      "{name: n, uri: {regex: /a.*}, ignoreUriCase: true, scheme: {exact: https}, method: {exact: GET}, authority: "
      "{prefix: a}, "
      "queryParams: {Q: {exact: v}}, port: 80, sourceLabels: {app: x}, sourceNamespace: ns, gateways: [mesh, ns/gw]}");
  EXPECT_EQ(match.at, (Position{10, 7}));
  EXPECT_EQ(match.name, "n");
  EXPECT_EQ(match.uri->type, StringMatch::Type::kRegex);
  EXPECT_EQ(match.uri->at, (Position{10, 30}));
  EXPECT_TRUE(match.ignore_uri_case);
  EXPECT_EQ(match.scheme->value, "https");
  EXPECT_EQ(match.method->value, "GET");
  EXPECT_EQ(match.authority->type, StringMatch::Type::kPrefix);
  EXPECT_TRUE(match.query_params.contains("Q"));
  EXPECT_EQ(match.port->value, 80);
  EXPECT_EQ(match.source_labels, (Labels{{"app", "x"}}));
  EXPECT_EQ(match.source_namespace, "ns");
  ASSERT_EQ(match.gateways.size(), 2U);
  EXPECT_EQ(match.gateways[1].value, "ns/gw");
}

}  // namespace
}  // namespace weir::config
