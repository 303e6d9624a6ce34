#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

// Line 8, column 3.
constexpr const char* kBare = "hosts: [a]\nhttp:\n- @";
constexpr const char* kRouted = "hosts: [a]\nhttp:\n- @\n  route: [{destination: {host: a}}]";

HttpRoute route_of(const std::string& text) {
  const auto object = test::only<VirtualService>(test::istio("VirtualService", "hosts: [a]\nhttp:\n- " + text));
  return object.http.empty() ? HttpRoute{} : object.http[0];
}

TEST(ReadRedirect, Bad) {
  test::check_specs(
      "VirtualService", kBare,
      {{"redirect: {}", "8:15 Error IST0106 redirect must specify a uri, authority, scheme or port"},
       {"redirect: {uri: /a, redirectCode: 200}", "8:39 Error IST0106 200 is not a redirect code"},
       {"redirect: {uri: /a, redirectCode: 400}", "8:39 Error IST0106 400 is not a redirect code"},
       {"redirect: {uri: /a, prefixRewrite: /b}", "8:25 Error IST0106 redirect has both uri and prefixRewrite"},
       {"redirect: {scheme: ftp}", "8:24 Error IST0106 redirect scheme \"ftp\" must be http or https"},
       {"redirect: {port: 80, derivePort: FROM_REQUEST_PORT}",
        "8:26 Error IST0106 spec.http[0].redirect cannot have both port and derivePort"},
       {"redirect: {port: 0}", ""},
       {"redirect: {uri: /a, port: 65536}", "8:31 Error IST0106"},
       {"redirect: {derivePort: MAYBE}", "8:28 Error IST0106 spec.http[0].redirect.derivePort has no choice \"MAYBE\""},
       {"redirect: {uri: /a, redirectcode: 301}",
        "8:25 Warning IST0133 unknown field \"spec.http[0].redirect.redirectcode\""},
       {"redirect: /a", "8:15 Error IST0106 spec.http[0].redirect must be a map"}});
}

TEST(ReadRedirect, Good) {
  const HttpRoute route = route_of(
      "redirect: {uri: /n, authority: b, scheme: https, derivePort: FROM_PROTOCOL_DEFAULT, redirectCode: 308}");
  ASSERT_TRUE(route.redirect);
  EXPECT_EQ(route.redirect->code, 308);
  EXPECT_EQ(route.redirect->scheme, "https");
  EXPECT_EQ(route.redirect->derive_port, HttpRedirect::DerivePort::kFromProtocolDefault);
  EXPECT_EQ(route_of("redirect: {uri: /n}").redirect->code, 301);
  EXPECT_EQ(route_of("redirect: {uri: /n, redirectCode: 305}").redirect->code, 305);
}

TEST(ReadDirectResponse, Bad) {
  test::check_specs("VirtualService", kBare,
                    {{"directResponse: {}", "8:21 Error IST0106 spec.http[0].directResponse.status is required"},
                     {"directResponse: {status: 199}",
                      "8:30 Error IST0106 spec.http[0].directResponse.status is 199, it must be 200 to 600"},
                     {"directResponse: {status: 601}", "8:30 Error IST0106"},
                     {"directResponse: {status: OK}", "8:30 Error IST0106"},
                     {"directResponse: {status: 200, body: {string: a, bytes: YQ==}}",
                      "8:53 Error IST0106 spec.http[0].directResponse.body cannot have both string and bytes"},
                     {"directResponse: {status: 200, body: {bytes: '*'}}",
                      "8:49 Error IST0106 spec.http[0].directResponse.body.bytes is not base64"},
                     {"directResponse: {status: 200, body: {string: " + std::string(102'401, 'a') + "}}",
                      "8:35 Warning IST0133 large direct responses"}});
}

TEST(ReadDirectResponse, Good) {
  EXPECT_EQ(route_of("directResponse: {status: 503, body: {bytes: aGVsbG8=}}").direct_response->body, "hello");
  EXPECT_EQ(route_of("directResponse: {status: 503, body: {string: x}}").direct_response->status, 503);
}

TEST(ReadRewrite, Bad) {
  test::check_specs(
      "VirtualService", kRouted,
      {{"rewrite: {}", "8:14 Error IST0106 rewrite must specify uri, uriRegexRewrite or authority"},
       {"rewrite: {uri: /a, uriRegexRewrite: {match: a, rewrite: b}}",
        "8:24 Error IST0106 rewrite has both uri and uriRegexRewrite"},
       {"rewrite: {uriRegexRewrite: {match: a}}", "8:32 Error IST0106 uriRegexRewrite needs both match and rewrite"},
       {"rewrite: {uriRegexRewrite: {rewrite: a}}", "8:32 Error IST0106 uriRegexRewrite needs both match and rewrite"},
       {"rewrite: {uriRegexRewrite: {match: '(', rewrite: b}}", "8:40 Error IST0106"}});
}

TEST(ReadRetry, Bad) {
  test::check_specs(
      "VirtualService", kRouted,
      {{"retries: {attempts: -1}", "8:25 Error IST0106 spec.http[0].retries.attempts is -1"},
       {"retries: {attempts: 0, retryOn: 5xx}", "8:15 Error IST0106 retries are configured, and attempts is 0"},
       {"retries: {attempts: 0, perTryTimeout: 1s}", "8:15 Error IST0106 retries are configured"},
       {"retries: {retryRemoteLocalities: true}", "8:14 Error IST0106 retries are configured"},
       {"retries: {attempts: 1, perTryTimeout: 0s}",
        "8:43 Error IST0106 spec.http[0].retries.perTryTimeout is 0s, it must be at least 1ms"},
       {"retries: {attempts: 1, perTryTimeout: 10us}", "8:43 Error IST0106"},
       {"retries: {attempts: 1, perTryTimeout: 1.0005s}",
        "8:43 Error IST0106 spec.http[0].retries.perTryTimeout must be whole milliseconds"},
       {"retries: {attempts: 1, perTryTimeout: 5}",
        "8:43 Error IST0106 spec.http[0].retries.perTryTimeout must be a duration"},
       {"retries: {attempts: 1, retryOn: sometimes}", "8:37 Error IST0106 \"sometimes\" is not a condition of retryOn"},
       {"retries: {attempts: 1, retryOn: '5xx,99'}", "8:37 Error IST0106 \"99\" is not a condition of retryOn"},
       {"retries: {attempts: 1, retryOn: '5xx,,'}", "8:37 Error IST0106 \"\" is not a condition"},
       {"retries: {attempts: 1, retryOn: 'reset, 503'}", "8:37 Error IST0106 \" 503\" is not a condition"}});
}

TEST(ReadRetry, WhatHasNoEffectIsSaid) {
  test::check_specs("VirtualService", kRouted,
                    {{"retries: {attempts: 1, retryOn: 'reset,retriable-headers'}", "8:37 Warning WEIR0218"},
                     {"retries: {attempts: 1, retryOn: 'envoy-ratelimited'}", "8:37 Warning WEIR0218"},
                     {"retries: {attempts: 1, retryRemoteLocalities: true}", "8:28 Warning WEIR0218"},
                     {"retries: {attempts: 1, retryIgnorePreviousHosts: false}", "8:28 Warning WEIR0218"},
                     {"retries: {attempts: 1, retryOn: 'reset,refused-stream', retryRemoteLocalities: false}", ""},
                     {"fault: {abort: {grpcStatus: INTERNAL, percentage: {value: 5}}}", "8:21 Warning WEIR0219"}});
}

TEST(ReadRetry, Good) {
  const HttpRoute route = route_of(
      "retries: {attempts: 3, perTryTimeout: 100ms, retryOn: 'gateway-error,404', backoff: 25ms, "
      "retryIgnorePreviousHosts: false}\n"
      "  route: [{destination: {host: a}}]");
  ASSERT_TRUE(route.retries);
  EXPECT_EQ(route.retries->attempts, 3U);
  EXPECT_EQ(route.retries->per_try_timeout, std::chrono::milliseconds(100));
  EXPECT_EQ(route.retries->retry_on, "gateway-error,404");
  EXPECT_EQ(route.retries->retry_ignore_previous_hosts, false);
  EXPECT_FALSE(route.retries->retry_remote_localities);
}

TEST(ReadFault, Bad) {
  test::check_specs(
      "VirtualService", kRouted,
      {{"fault: {}", "8:12 Error IST0106 fault must have an abort or a delay"},
       {"fault: {delay: {fixedDelay: 5s, percentage: {value: 101}}}",
        "8:57 Error IST0106 spec.http[0].fault.delay.percentage.value must be 0 to 100"},
       {"fault: {delay: {fixedDelay: 5s, percentage: {value: -1}}}", "8:57 Error IST0106"},
       {"fault: {delay: {fixedDelay: 5s, percentage: {value: 0.00001}}}", "8:57 Error IST0106"},
       {"fault: {delay: {fixedDelay: 5s, percentage: 10}}",
        "8:49 Error IST0106 spec.http[0].fault.delay.percentage must be a map"},
       {"fault: {delay: {exponentialDelay: 5s}}", "8:21 Error IST0106 exponentialDelay is not supported"},
       {"fault: {delay: {fixedDelay: 0s}}", "8:33 Error IST0106"},
       {"fault: {delay: {percentage: {value: 10}}}", "8:20 Warning IST0133 spec.http[0].fault.delay has no fixedDelay"},
       {"fault: {delay: {fixedDelay: 1s, percent: 10}}",
        "8:37 Warning IST0002 spec.http[0].fault.delay.percent is deprecated and ignored"},
       {"fault: {abort: {httpStatus: 199}}", "8:33 Error IST0106"},
       {"fault: {abort: {httpStatus: 601}}", "8:33 Error IST0106"},
       {"fault: {abort: {grpcStatus: NOPE}}", "8:33 Error IST0106 \"NOPE\" is not a gRPC status"},
       {"fault: {abort: {http2Error: REFUSED_STREAM}}",
        "8:21 Error IST0106 HTTP/2 abort fault injection is not supported"},
       {"fault: {abort: {httpStatus: 500, grpcStatus: INTERNAL}}",
        "8:38 Error IST0106 spec.http[0].fault.abort cannot have both httpStatus and grpcStatus"},
       {"fault: {abort: {percentage: {value: 10}}}", "8:20 Warning IST0133 spec.http[0].fault.abort has no status"}});
}

TEST(ReadFault, PercentagesAreInSteps) {
  const auto share = [](const std::string& value) {
    return route_of("fault: {abort: {httpStatus: 500, percentage: {value: " + value +
                    "}}}\n  route: [{destination: {host: a}}]")
        .fault->abort->percentage.parts_per_million;
  };
  EXPECT_EQ(share("0"), 0U);
  EXPECT_EQ(share("0.0001"), 1U);
  EXPECT_EQ(share("33.3333"), 333'333U);
  EXPECT_EQ(share("0.29"), 2'900U);
  EXPECT_EQ(share("100"), 1'000'000U);
  const HttpRoute none = route_of("fault: {abort: {httpStatus: 500}}\n  route: [{destination: {host: a}}]");
  EXPECT_EQ(none.fault->abort->percentage.parts_per_million, 0U);  // unset is never (semantics 1.2)
}

TEST(ReadCors, Bad) {
  test::check_specs("VirtualService", kRouted,
                    {{"corsPolicy: {allowMethods: [FETCH]}", "8:33 Error IST0106 \"FETCH\" is not an HTTP method"},
                     {"corsPolicy: {maxAge: 1.5s}", "8:26 Error IST0106 maxAge must be whole seconds"},
                     {"corsPolicy: {maxAge: 1}", "8:26 Error IST0106"},
                     {"corsPolicy: {allowOrigins: [{regex: '('}]}",
                      "8:41 Error IST0106 spec.http[0].corsPolicy.allowOrigins[0]: regex"},
                     {"corsPolicy: {allowOrigins: [null]}", "8:33 Error IST0106"},
                     {"corsPolicy: {allowHeaders: ['a b']}", "8:33 Error IST0106"},
                     {"corsPolicy: {exposeHeaders: ['']}", "8:34 Error IST0106"},
                     {"corsPolicy: {unmatchedPreflights: DROP}", "8:39 Error IST0106"},
                     {"corsPolicy: {allowOrigin: [a]}", "8:32 Warning IST0002 allowOrigin is deprecated"}});
}

}  // namespace
}  // namespace weir::config
