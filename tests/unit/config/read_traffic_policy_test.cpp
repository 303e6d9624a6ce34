#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

using testing::Contains;
using testing::StartsWith;

constexpr const char* kAround = "host: a\ntrafficPolicy:\n  loadBalancer: @";  // line 8, column 19

TEST(ReadLoadBalancer, Bad) {
  test::check_specs(
      "DestinationRule", kAround,
      {{"{simple: FASTEST}", "8:28 Error IST0106 spec.trafficPolicy.loadBalancer.simple has no choice \"FASTEST\""},
       {"RANDOM", "8:19 Error IST0106 spec.trafficPolicy.loadBalancer must be a map"},
       {"{simple: RANDOM, consistentHash: {useSourceIp: true}}",
        "8:36 Error IST0106 spec.trafficPolicy.loadBalancer cannot have both simple and consistentHash"},
       {"{consistentHash: {useSourceIp: true, httpHeaderName: x}}",
        "8:56 Error IST0106 spec.trafficPolicy.loadBalancer.consistentHash cannot have both"},
       {"{consistentHash: {minimumRingSize: 0}}", "8:36 Warning IST0133 consistentHash has no key"},
       {"{consistentHash: {useSourceIp: true, minimumRingSize: 5}}", "8:73 Warning IST0002"},
       {"{consistentHash: {httpCookie: {path: /}}}", "8:49 Error IST0106 httpCookie needs a name"},
       {"{consistentHash: {httpCookie: {name: c, ttl: -1s}}}", "8:64 Error IST0106 "},
       {"{consistentHash: {httpCookie: {name: c, attributes: [{name: a, value: b}]}}}", "8:59 Warning WEIR0217"},
       {"{consistentHash: {useSourceIp: true, maglev: {}}}", "8:64 Error IST0106 maglev needs a tableSize"},
       {"{consistentHash: {useSourceIp: true, maglev: {tableSize: 65536}}}",
        "8:76 Error IST0106 maglev tableSize must be a prime number below 5000011"},
       {"{consistentHash: {useSourceIp: true, maglev: {tableSize: 5000011}}}", "8:76 Error IST0106 maglev tableSize"},
       {"{consistentHash: {useSourceIp: true, maglev: {tableSize: 7}, ringHash: {}}}",
        "8:36 Error IST0106 consistentHash has several hash kinds"},
       {"{consistentHash: {useSourceIp: true, ringHash: {minimumRingSize: -1}}}", "8:84 Error IST0106"},
       {"{localityLbSetting: {enabled: true}}",
        "8:20 Warning WEIR0207 spec.trafficPolicy.loadBalancer.localityLbSetting is not honoured"},
       {"{zoneAwareLbSetting: {}}", "8:20 Warning WEIR0207"},
       {"{warmup: {duration: 5s}}", "8:20 Warning WEIR0208"},
       {"{warmupDurationSecs: 5s}", "8:20 Warning WEIR0208"}});
}

/// Faults in fields that Weir does not honour are faults all the same.
TEST(ReadLoadBalancer, BadBesideNotHonoured) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"{warmup: {minimumPercent: 5}}",
       "8:28 Error IST0106 spec.trafficPolicy.loadBalancer.warmup.duration is required"},
      {"{warmup: {duration: 0s}}", "8:39 Error IST0106"},
      {"{warmup: {duration: 5s, minimumPercent: 101}}", "8:59 Error IST0106"},
      {"{warmup: {duration: 5s, aggression: 0}}", "8:55 Error IST0106"},
      {"{localityLbSetting: {}, zoneAwareLbSetting: {}}", "8:43 Error IST0106"},
      {"{localityLbSetting: {distribute: [], failover: []}}", "8:39 Error IST0106 localityLbSetting has both"},
      {"{localityLbSetting: {distribute: [{from: a, to: {b: 50, c: 49}}]}}",
       "8:63 Error IST0106 total locality weight 99 != 100"},
      {"{localityLbSetting: {distribute: [{from: a, to: {b: 0, c: 100}}]}}",
       "8:71 Error IST0106 locality weight of \"b\""},
      {"{consistentHash: {httpCookie: {name: c, attributes: [{value: a}]}}}",
       "8:72 Error IST0106 a cookie attribute needs a name"},
      {"{consistentHash: {httpCookie: {name: c, attributes: [{name: a}, {name: A}]}}}",
       "8:90 Error IST0106 cookie attribute \"A\" is given twice"},
  };
  for (const auto& [spec, expected] : table) {
    const auto found =
        test::read_findings(test::istio("DestinationRule", "host: a\ntrafficPolicy:\n  loadBalancer: " + spec));
    EXPECT_THAT(found, Contains(StartsWith(expected))) << spec;
  }
}

TEST(ReadLoadBalancer, Good) {
  const auto rule = [](const std::string& text) {
    return test::only<DestinationRule>(
        test::istio("DestinationRule", "host: a\ntrafficPolicy:\n  loadBalancer: " + text));
  };
  const auto simple = [&](const std::string& name) {
    return rule("{simple: " + name + "}").traffic_policy->load_balancer->simple;
  };
  using Simple = LoadBalancer::Simple;
  EXPECT_EQ(simple("LEAST_CONN"), Simple::kLeastRequest);
  EXPECT_EQ(simple("ROUND_ROBIN"), Simple::kRoundRobin);
  EXPECT_EQ(simple("PASSTHROUGH"), Simple::kPassthrough);
  const auto hash = rule("{consistentHash: {httpCookie: {name: c, path: /, ttl: 0s}, maglev: {tableSize: 65537}}}")
                        .traffic_policy->load_balancer;
  EXPECT_EQ(hash->consistent_hash->http_cookie->ttl, Duration{0});
  EXPECT_EQ(hash->consistent_hash->maglev_table_size, 65537U);
  EXPECT_EQ(hash->consistent_hash->minimum_ring_size, 1024U);
}

}  // namespace
}  // namespace weir::config
