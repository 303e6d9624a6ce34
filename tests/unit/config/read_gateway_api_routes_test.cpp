#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

constexpr const char* kVersion = "gateway.networking.k8s.io/v1";

TEST(ReadGatewayApiRoutes, HttpRules) {
  test::check_specs(
      "HTTPRoute", "rules: [@]",  // line 6, column 11
      {{"{name: a, backendRefs: [{name: b, port: 80}]}", ""},
       {"{retry: {codes: [500, 503], attempts: 2, backoff: 100ms}, timeouts: {request: 0s, backendRequest: 5s}}", ""},
       {"{sessionPersistence: {sessionName: s, type: Header, absoluteTimeout: 1h}}", ""},
       {"{matches: [{path: {value: /a}}], filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, "
        "replacePrefixMatch: /b}}}]}",
        ""},
       {"{name: A}", "6:18 Error IST0106 spec.rules[0].name \"A\" must be lower-case"},
       {"{name: a}, {name: a}", "6:29 Error IST0106 rule name \"a\" must be unique within the route"},
       {"{filters: [{type: RequestRedirect, requestRedirect: {}}], backendRefs: [{name: b, port: 80}]}",
        "6:22 Error IST0106 RequestRedirect filter must not be used together with backendRefs"},
       {"{matches: [{path: {type: Exact, value: /a}}], filters: [{type: URLRewrite, urlRewrite: {path: {type: "
        "ReplacePrefixMatch, replacePrefixMatch: /b}}}]}",
        "6:67 Error IST0106 with path.replacePrefixMatch, exactly one PathPrefix match must be specified"},
       {"{matches: [{}, {}], backendRefs: [{name: b, port: 80, filters: [{type: URLRewrite, urlRewrite: {path: {type: "
        "ReplacePrefixMatch, replacePrefixMatch: /b}}}]}]}",
        "6:45 Error IST0106 with path.replacePrefixMatch, exactly one PathPrefix match must be specified"},
       {"{timeouts: {request: 1s, backendRequest: 2s}}",
        "6:52 Error IST0106 backendRequest timeout cannot be longer than request timeout"},
       {"{retry: {codes: [399]}}", "6:28 Error IST0106 spec.rules[0].retry.codes[0] is \"399\", it must be 400 to 599"},
       {"{retry: {codes: [500, 500]}}", "6:33 Error IST0106 spec.rules[0].retry.codes \"500\" is given twice"},
       {"{retry: {attempts: 0}}", "6:30 Error IST0106 spec.rules[0].retry.attempts is 0"},
       {"{sessionPersistence: {type: Header, cookieConfig: {}}}",
        "6:47 Error IST0106 cookieConfig can only be set with type Cookie"},
       {"{sessionPersistence: {cookieConfig: {lifetimeType: Permanent}}}",
        "6:32 Error IST0106 absoluteTimeout must be specified when cookie lifetimeType is Permanent"},
       {"{backends: []}", "6:12 Warning IST0133 unknown field \"spec.rules[0].backends\""}},
      kVersion);
}

TEST(ReadGatewayApiRoutes, Hostnames) {
  test::check_specs("HTTPRoute", "hostnames: [@]",
                    {{"a.com, '*.b.com'", ""},
                     {"A.com", "6:15 Error IST0106 hostname \"A.com\" is not a host name in lower case"},
                     {"'*'", "6:15 Error IST0106 hostname \"*\""},
                     {"a.*.com", "6:15 Error IST0106 hostname \"a.*.com\""}},
                    kVersion);
  test::check_specs("TLSRoute", "rules: [{backendRefs: [{name: b, port: 80}]}]\n@",
                    {{"hostnames: [a.com]", ""},
                     {"", "6:3 Error IST0106 spec.hostnames is required"},
                     {"hostnames: []", "7:3 Error IST0106 spec.hostnames must not be empty"},
                     {"hostnames: [10.0.0.1]", "7:15 Error IST0106 hostname \"10.0.0.1\" is an IP address"}},
                    kVersion);
  test::check_specs("TLSRoute", "rules: [{backendRefs: [{name: b, port: 80}]}]\n@", {{"useDefaultGateways: All", ""}},
                    "gateway.networking.k8s.io/v1alpha2");
}

TEST(ReadGatewayApiRoutes, L4RoutesHaveOneRuleWithBackends) {
  for (const char* kind : {"TCPRoute", "UDPRoute"}) {
    test::check_specs(kind, "@",
                      {{"rules: [{name: r, backendRefs: [{name: b, port: 80}, {name: c, port: 80}]}]", ""},
                       {"parentRefs: []", "6:3 Error IST0106 spec.rules is required"},
                       {"rules: [{}]", "6:11 Error IST0106 spec.rules[0].backendRefs is required"},
                       {"rules: [{backendRefs: []}]", "6:12 Error IST0106 spec.rules[0].backendRefs must not be empty"},
                       {"rules: [{backendRefs: [{name: b, port: 80}]}, {backendRefs: [{name: b, port: 80}]}]",
                        "6:3 Error IST0106 spec.rules has 2 items, at most 1 are allowed"}},
                      kVersion);
  }
}

TEST(ReadGatewayApiRoutes, CountsAreLimited) {
  std::string rules, matches;
  for (int i = 0; i < 17; ++i) rules += "{},";
  for (int i = 0; i < 43; ++i) matches += "{},";
  const std::string rule = "{matches: [" + matches + "]},";
  test::check_specs("HTTPRoute", "rules: [@]",
                    {{rules, "6:3 Error IST0106 spec.rules has 17 items, at most 16 are allowed"},
                     {rule + rule, ""},
                     {rule + rule + rule, "6:3 Error IST0106 the rules of a route have 129 matches, at most 128"}},
                    kVersion);
  test::check_specs("HTTPRoute", "@", {{"rules: []", "6:3 Error IST0106 spec.rules must not be empty"}}, kVersion);
}

TEST(ReadGatewayApiRoutes, EveryFieldIsKept) {
  const auto route = test::only<gateway_api::HttpRoute>(test::object(
      kVersion, "HTTPRoute",
      "useDefaultGateways: None\nrules:\n- name: r\n"
      "  timeouts: {request: 10s, backendRequest: 5s}\n  retry: {codes: [503], attempts: 2, backoff: 1s}\n"
      "  sessionPersistence: {sessionName: s, absoluteTimeout: 1h, cookieConfig: {lifetimeType: Permanent}}\n"
      "  backendRefs: [{name: b, port: 80, weight: 7, filters: [{type: RequestHeaderModifier, requestHeaderModifier: "
      "{set: [{name: A, value: b}]}}]}]\n"));
  EXPECT_EQ(route.use_default_gateways, "None");
  ASSERT_EQ(route.rules.size(), 1U);
  const gateway_api::HttpRule& rule = route.rules[0];
  EXPECT_EQ(rule.name.value, "r");
  EXPECT_EQ(rule.request_timeout->value, std::chrono::seconds(10));
  EXPECT_EQ(rule.backend_request_timeout->value, std::chrono::seconds(5));
  EXPECT_EQ(rule.retry->codes, std::vector<uint16_t>{503});
  EXPECT_EQ(rule.retry->attempts, 2U);
  EXPECT_EQ(rule.retry->backoff, std::chrono::seconds(1));
  EXPECT_EQ(rule.session_persistence->session_name, "s");
  EXPECT_EQ(rule.session_persistence->absolute_timeout, std::chrono::hours(1));
  EXPECT_EQ(rule.session_persistence->cookie_lifetime, gateway_api::SessionPersistence::CookieLifetime::kPermanent);
  ASSERT_EQ(rule.backends.size(), 1U);
  EXPECT_EQ(rule.backends[0].ref.weight.value, 7U);
  ASSERT_EQ(rule.backends[0].filters.size(), 1U);
  EXPECT_EQ(rule.backends[0].filters[0].headers.set.at(0), (std::pair<std::string, std::string>{"A", "b"}));
}

}  // namespace
}  // namespace weir::config
