#include <gtest/gtest.h>

#include "config/read_gateway_api.h"
#include "support.h"

namespace weir::config {
namespace {

constexpr const char* kVersion = "gateway.networking.k8s.io/v1";
constexpr const char* kParents = "rules: [{backendRefs: [{name: b, port: 80}]}]\nparentRefs: @";
constexpr const char* kBackend = "rules:\n- backendRefs: [@]";  // line 7, column 19

TEST(ReadGatewayApiNames, Subdomains) {
  for (const std::string_view good : {"a", "a.b", "a-b.c-d", "0", "1.2.3", "a--b"}) {
    EXPECT_FALSE(gateway_api::check_subdomain(good)) << good;
  }
  for (const std::string_view bad :
       {"", ".", "a.", ".a", "a..b", "-a", "a-", "a.-b", "a-.b", "A", "a_b", "a b", "*.a"}) {
    EXPECT_TRUE(gateway_api::check_subdomain(bad)) << bad;
  }
  EXPECT_FALSE(gateway_api::check_subdomain(std::string(253, 'a')));
  EXPECT_TRUE(gateway_api::check_subdomain(std::string(254, 'a')));
  EXPECT_FALSE(gateway_api::check_hostname("*.a.b"));
  for (const std::string_view bad : {"*", "*.", "a.*", "*a", "*.*.a", "A.com"}) {
    EXPECT_TRUE(gateway_api::check_hostname(bad)) << bad;
  }
}

TEST(ReadGatewayApiNames, Parents) {
  test::check_specs(
      "TCPRoute", kParents,
      {{"[{name: g}, {name: h}]", ""},
       {"[{name: g, sectionName: a}, {name: g, sectionName: b}]", ""},
       {"[{name: g, port: 1}, {name: g, port: 2}]", ""},
       {"[{name: g}, {name: g, namespace: n}, {group: '', kind: Service, name: g}]", ""},
       {"[{name: g, sectionName: a, port: 1}, {name: g, sectionName: a, port: 2}]", ""},
       {"[{name: g, namespace: N}]", "7:37 Error IST0106 spec.parentRefs[0].namespace \"N\" is not a namespace"},
       {"[{}]", "7:16 Error IST0106 spec.parentRefs[0].name is required"},
       {"[{name: ''}]", "7:23 Error IST0106 spec.parentRefs[0].name is required"},
       {"[{name: g, kind: ''}]", "7:32 Error IST0106 spec.parentRefs[0].kind must not be empty"},
       {"[{name: g, kind: '-'}]", "7:32 Error IST0106 spec.parentRefs[0].kind \"-\" is not the name of a kind"},
       {"[{name: g, group: A}]", "7:33 Error IST0106 spec.parentRefs[0].group \"A\" must be lower-case"},
       {"[{name: g, port: 0}]", "7:32 Error IST0106 spec.parentRefs[0].port is 0"},
       {"[{name: g, sectionName: A}]", "7:39 Error IST0106 spec.parentRefs[0].sectionName \"A\" must be lower-case"},
       {"[{name: g}, {name: g}]",
        "7:27 Error IST0106 sectionName or port must be unique when parentRefs includes 2 or more references"},
       {"[{name: g}, {name: g, port: 80}]",
        "7:27 Error IST0106 sectionName or port must be specified when parentRefs includes 2 or more references"},
       {"[{name: g, sectionName: a}, {name: g, sectionName: a}]",
        "7:43 Error IST0106 sectionName or port must be unique"},
       {"[{name: g, nick: h}]", "7:26 Warning IST0133 unknown field \"spec.parentRefs[0].nick\""}},
      kVersion);
}

TEST(ReadGatewayApiNames, ThereAreAtMost32Parents) {
  std::string many;
  for (int i = 0; i < 33; ++i) many += "{name: g" + std::to_string(i) + "},";
  test::check_specs("TCPRoute", kParents,
                    {{"[" + many + "]", "7:3 Error IST0106 spec.parentRefs has 33 items, at most 32 are allowed"}},
                    kVersion);
}

TEST(ReadGatewayApiNames, Backends) {
  test::check_specs(
      "TCPRoute", kBackend,
      {{"{name: b, port: 80, weight: 0}", ""},
       {"{name: b, port: 80, weight: 1000000}", ""},
       {"{name: b, group: x.y, kind: Other}", ""},
       {"{name: b, kind: Other}", ""},
       {"{name: b}", "7:19 Error IST0106 spec.rules[0].backendRefs[0].port is required: must have port for Service"},
       {"{port: 80}", "7:19 Error IST0106 spec.rules[0].backendRefs[0].name is required"},
       {"{name: b, port: 70000}", "7:35 Error IST0106 spec.rules[0].backendRefs[0].port is 70000"},
       {"{name: b, port: http}", "7:35 Error IST0106 spec.rules[0].backendRefs[0].port must be a whole number"},
       {"{name: b, port: 80, weight: -1}", "7:47 Error IST0106 spec.rules[0].backendRefs[0].weight is -1"},
       {"{name: b, port: 80, weight: 1000001}", "7:47 Error IST0106 spec.rules[0].backendRefs[0].weight is 1000001"},
       {"null", "7:19 Error IST0106 spec.rules[0].backendRefs[0] must not be null"},
       {"b", "7:19 Error IST0106 spec.rules[0].backendRefs[0] must be a map, it is a scalar"}},
      kVersion);
}

TEST(ReadGatewayApiNames, Durations) {
  test::check_specs("HTTPRoute", "rules:\n- timeouts: {request: @}",  // line 7, column 25
                    {{"5s", ""},
                     {"0s", ""},
                     {"1h2m3s4ms", ""},
                     {"99999h", ""},
                     {"5", "7:25 Error IST0106 spec.rules[0].timeouts.request must be a duration, it is \"5\""},
                     {"0.5s", "7:25 Error IST0106 spec.rules[0].timeouts.request must be a duration"},
                     {"-1s", "7:25 Error IST0106 spec.rules[0].timeouts.request must be a duration"},
                     {"5us", "7:25 Error IST0106 spec.rules[0].timeouts.request must be a duration"},
                     {"100000s", "7:25 Error IST0106 spec.rules[0].timeouts.request must be a duration"},
                     {"1s1s1s1s1s", "7:25 Error IST0106 spec.rules[0].timeouts.request must be a duration"},
                     {"''", "7:25 Error IST0106 spec.rules[0].timeouts.request must be a duration"},
                     {"[]", "7:25 Error IST0106 spec.rules[0].timeouts.request must be a duration, it is a list"}},
                    kVersion);
}

}  // namespace
}  // namespace weir::config
