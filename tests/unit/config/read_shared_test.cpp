// Destinations, weights, header operations and exportTo, which several kinds share.

#include <gtest/gtest.h>

#include "config/read.h"
#include "support.h"

namespace weir::config {
namespace {

// Line 9, column 5.
constexpr const char* kAround = "hosts: [a]\nhttp:\n- route:\n  - @";

TEST(ReadDestinations, Bad) {
  const std::string two = "\n- destination: {host: b}\n  weight: 10";
  test::check_specs(
      "VirtualService", kAround,
      {{"{}", "9:7 Error IST0106 spec.http[0].route[0].destination is required"},
       {"destination: {}", "9:20 Error IST0106 spec.http[0].route[0].destination.host is required"},
       {"destination: a", "9:20 Error IST0106 spec.http[0].route[0].destination must be a map"},
       {"destination: {host: ''}", "9:27 Error IST0106 spec.http[0].route[0].destination.host is required"},
       {"destination: {host: '*'}", "9:27 Error IST0106 destination host \"*\" is not allowed"},
       {"destination: {host: a.*.com}", "9:27 Error IST0106 destination host \"a.*.com\" may have a wildcard"},
       {"destination: {host: a_b}", "9:27 Error IST0106 destination host \"a_b\" is not a host name"},
       {"destination: {host: 'a:80'}", "9:27 Error IST0106"},
       {"destination: {host: a, subset: v_1}", "9:38 Error IST0106 subset name \"v_1\" is invalid"},
       {"destination: {host: a, port: 80}", "9:36 Error IST0106 spec.http[0].route[0].destination.port must be a map"},
       {"destination: {host: a, port: {}}",
        "9:36 Error IST0106 spec.http[0].route[0].destination.port.number is required"},
       {"destination: {host: a, port: {number: 0}}",
        "9:45 Error IST0106 spec.http[0].route[0].destination.port.number is 0"},
       {"destination: {host: a, port: {number: 65536}}", "9:45 Error IST0106"},
       {"destination: {host: a}\nweight: -1", "10:15 Error IST0106 weight -1 < 0"},
       {"destination: {host: a}\nweight: 50.5",
        "10:15 Error IST0106 spec.http[0].route[0].weight must be a whole number"},
       {"destination: {host: a}\nweight: ", "10:7 Error IST0106 spec.http[0].route[0].weight must not be null"},
       {"destination: {host: a}\nweight: 2147483648", "10:15 Error IST0106 spec.http[0].route[0].weight is 2147483648"},
       {"destination: {host: a}\nweight: 1e99", "10:15 Error IST0106"},
       {"destination: {host: a}\nweight: ten", "10:15 Error IST0106"},
       {"destination: {host: a}\nweight: '50'",
        "10:15 Error IST0106 spec.http[0].route[0].weight must be a whole number"},
       {"destination: {host: 10.0.0.1}", "9:27 Error IST0106 destination host \"10.0.0.1\""},
       {"destination: {host: a}\nweights: 10", "10:7 Warning IST0133 unknown field"},
       {"destination: {host: a}\nheaders: {response: {add: {':x': y}}}",
        "10:34 Error IST0106 header \":x\" cannot be changed"}});
  for (const char* weight : {"0", "0.0"}) {
    const auto found = test::read_findings(test::istio(
        "VirtualService", "hosts: [a]\nhttp:\n- route:\n  - {destination: {host: a}, weight: " + std::string(weight) +
                              "}\n  - {destination: {host: b}}"));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0], "8:5 Error IST0106 total destination weight = 0");
  }
}

TEST(ReadDestinations, AnySumIsGood) {
  const auto object = test::only<VirtualService>(
      test::istio("VirtualService",
                  "hosts: [a]\nhttp:\n- route:\n  - {destination: {host: a, port: {number: 80}}, weight: 50}\n  - "
                  "{destination: {host: b}, weight: 2147483647}\n"
                  "  - {destination: {host: c}}\n- route:\n  - {destination: {host: d}, weight: 0}"));
  ASSERT_EQ(object.http.size(), 2U);
  ASSERT_EQ(object.http[0].route.size(), 3U);
  EXPECT_EQ(object.http[0].route[0].weight->value, 50U);
  EXPECT_EQ(object.http[0].route[0].weight->at, (Position{9, 60}));
  EXPECT_EQ(object.http[0].route[0].destination.port->value, 80);
  EXPECT_EQ(object.http[0].route[1].weight->value, 2'147'483'647U);
  EXPECT_FALSE(object.http[0].route[2].weight);
  EXPECT_EQ(object.http[1].route[0].weight->value, 0U);
}

TEST(ReadHeaders, KeepOrderAndSpelling) {
  const auto object = test::only<VirtualService>(
      test::istio("VirtualService",
                  "hosts: [a]\nhttp:\n- route: [{destination: {host: a}, headers: {response: {remove: [X-Q]}}}]\n"
                  "  headers: {request: {set: {Z-a: '1', A-b: '2'}, add: {host: h}, remove: [c]}}"));
  ASSERT_EQ(object.http.size(), 1U);
  const HeaderOperations& request = object.http[0].headers.request;
  ASSERT_EQ(request.set.size(), 2U);
  EXPECT_EQ(request.set[0].first, "Z-a");
  EXPECT_EQ(request.add[0].second, "h");
  EXPECT_EQ(request.remove, std::vector<std::string>{"c"});
  EXPECT_EQ(object.http[0].route[0].headers.response.remove, std::vector<std::string>{"X-Q"});
}

TEST(ReadExportTo, Bad) {
  test::check_specs("DestinationRule", "host: a\nexportTo: @",
                    {{"['*', b]", "7:14 Error IST0106 exportTo \"*\" cannot stand beside others"},
                     {"[., default]", "7:17 Error IST0106 exportTo \"default\" is given twice"},
                     {"[., .]", "7:17 Error IST0106 exportTo \".\" is given twice"},
                     {"[a, a]", "7:17 Error IST0106 exportTo \"a\" is given twice"},
                     {"['~']", "7:14 Error IST0106 exportTo \"~\" is for ServiceEntries only"},
                     {"['a/b']", "7:14 Error IST0106 exportTo \"a/b\" is not a namespace"},
                     {"['']", "7:14 Error IST0106"},
                     {"all", "7:13 Error IST0106 spec.exportTo must be a list"}});
  test::check_specs("ServiceEntry", "hosts: [a.com]\nexportTo: @",
                    {{"['~']", ""}, {"['~', a]", "7:14 Error IST0106 exportTo \"~\" cannot stand beside others"}});
}

TEST(NormalizeProtocol, KnowsIstios) {
  EXPECT_EQ(normalize_protocol("grpc-Web"), "GRPC-WEB");
  EXPECT_EQ(normalize_protocol("tcp"), "TCP");
  for (const char* text : {"", "quic", "HTTP3", "TCP ", "http-web"}) EXPECT_EQ(normalize_protocol(text), "") << text;
}

}  // namespace
}  // namespace weir::config
