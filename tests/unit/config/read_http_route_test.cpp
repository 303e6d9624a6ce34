#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

// Line 8, column 3.
constexpr const char* kAround = "hosts: [a]\nhttp:\n- @";

TEST(ReadHttpRoute, Bad) {
  const std::string route = "\nroute: [{destination: {host: a}}]";
  test::check_specs(
      "VirtualService", kAround,
      {{"name: a", "8:5 Error IST0106 HTTP route must have a route, redirect or directResponse"},
       {"route: []", "8:5 Error IST0106 HTTP route must have a route, redirect or directResponse"},
       {"route: {}", "8:12 Error IST0106 spec.http[0].route must be a list, it is a map"},
       {"redirect: {uri: /a}" + route, "9:5 Error IST0106 HTTP route cannot contain both route and redirect"},
       {"directResponse: {status: 200}" + route,
        "9:5 Error IST0106 HTTP route cannot contain both route and directResponse"},
       {"redirect: {uri: /a}\ndirectResponse: {status: 200}",
        "9:5 Error IST0106 HTTP route cannot contain both directResponse and redirect"},
       {"redirect: {uri: /a}\nfault: {abort: {httpStatus: 500}}",
        "9:5 Error IST0106 HTTP route cannot contain both fault and redirect"},
       {"redirect: {uri: /a}\nrewrite: {uri: /b}",
        "9:5 Error IST0106 HTTP route cannot contain both rewrite and redirect"},
       {"directResponse: {status: 200}\nrewrite: {uri: /b}",
        "9:5 Error IST0106 HTTP route cannot contain both rewrite and directResponse"},
       {"delegate: {name: d}" + route, "8:5 Error IST0106 HTTP route cannot contain both delegate and route"},
       {"delegate: {name: d}\nredirect: {uri: /a}",
        "8:5 Error IST0106 HTTP route cannot contain both delegate and redirect"},
       {"delegate: {}", "8:15 Error IST0106 spec.http[0].delegate.name is required"},
       {"redirect: {prefixRewrite: /a}\nmatch: [{uri: {exact: /b}}]",
        "9:27 Error IST0106 prefixRewrite needs a uri prefix match"},
       {"redirect: {prefixRewrite: /a}\nmatch: [{uri: {regex: /b}}]",
        "9:27 Error IST0106 prefixRewrite needs a uri prefix match"},
       {"mirror: {host: b}\nmirrors: [{destination: {host: c}}]" + route,
        "9:5 Error IST0106 HTTP route cannot contain both mirror and mirrors"},
       {"mirrors: [{percentage: {value: 5}}]" + route,
        "8:15 Error IST0106 spec.http[0].mirrors[0].destination is required"},
       {"mirrors: [null]" + route, "8:15 Error IST0106 spec.http[0].mirrors[0] must not be null"},
       {"mirror: {host: b}\nmirrorPercentage: {value: 101}" + route, "9:31 Error IST0106"},
       {"mirror: {host: b}\nmirrorPercentage: {value: -1}" + route, "9:31 Error IST0106"},
       {"mirror: {host: b}\nmirrorPercent: 101" + route, "9:20 Error IST0106"},
       {"mirror: {host: b}\nmirrorPercent: 10" + route,
        "9:5 Warning IST0133 using deprecated setting \"mirrorPercent\""},
       {"mirrorPercentage: {value: 5}" + route,
        "8:5 Warning IST0133 a mirror percentage without a mirror does nothing"},
       {"mirror: {subset: v1}" + route, "8:13 Error IST0106 spec.http[0].mirror.host is required"},
       {"timeout: 0s" + route, "8:14 Error IST0106 spec.http[0].timeout is 0s, it must be at least 1ms"},
       {"timeout: -1s" + route, "8:14 Error IST0106"},
       {"timeout: soon" + route, "8:14 Error IST0106 spec.http[0].timeout must be a duration"},
       {"rewrite: {authority: b}\nheaders: {request: {set: {host: c}}}" + route,
        "9:5 Error IST0106 authority header cannot be set multiple times"},
       {"headers: {request: {set: {host: b}, add: {':authority': c}}}" + route,
        "8:5 Error IST0106 authority header cannot be set multiple times"},
       {"headers: {request: {set: {':path': /b}}}" + route, "8:31 Error IST0106 header \":path\" cannot be changed"},
       {"headers: {request: {remove: [host]}}" + route, "8:34 Error IST0106 header \"host\" cannot be changed here"},
       {"headers: {response: {set: {Host: b}}}" + route, "8:32 Error IST0106 header \"Host\" cannot be changed here"},
       {"headers: {request: {set: {'': b}}}" + route, "8:31 Error IST0106 header \"\" must not be empty"},
       {"headers: {request: {set: {x: 100%}}}" + route, "8:34 Error IST0106 header value \"100%\" holds a lone \"%\""},
       {"headers: {request: {add: {x: \"a\\r\\nb\"}}}" + route, "8:34 Error IST0106 header value"},
       {"headers: {request: {set: [x]}}" + route, "8:30 Error IST0106"},
       {"websocketUpgrade: true" + route, "8:5 Warning IST0133 spec.http[0].websocketUpgrade was removed"},
       {"retry: {attempts: 3}" + route, "8:5 Warning IST0133 unknown field \"spec.http[0].retry\""}});
}

TEST(ReadHttpRoute, MirrorsWithoutPercentageGetEverything) {
  const auto object = test::only<VirtualService>(
      test::istio("VirtualService",
                  "hosts: [a]\nhttp:\n- route: [{destination: {host: a}}]\n  mirror: {host: b, subset: v2}\n"
                  "- route: [{destination: {host: a}}]\n  mirrors: [{destination: {host: c}, percentage: {value: 0}}, "
                  "{destination: {host: d}}]\n"
                  "- route: [{destination: {host: a}}]\n  mirror: {host: b}\n  mirrorPercentage: {value: 12.34567}"));
  ASSERT_EQ(object.http.size(), 3U);
  EXPECT_EQ(object.http[0].mirrors.at(0).percentage.parts_per_million, 1'000'000U);
  EXPECT_EQ(object.http[0].mirrors.at(0).destination.subset.value, "v2");
  EXPECT_EQ(object.http[1].mirrors.at(0).percentage.parts_per_million, 0U);
  EXPECT_EQ(object.http[1].mirrors.at(1).percentage.parts_per_million, 1'000'000U);
  EXPECT_EQ(object.http[2].mirrors.at(0).percentage.parts_per_million, 123'456U);  // cut, not rounded
}

}  // namespace
}  // namespace weir::config
