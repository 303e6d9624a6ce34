#include "routing/plan/policy.h"

#include "support.h"

namespace weir::routing {
namespace {

std::string said(const std::string& policy, const std::string& rule = "") {
  const std::string http = "  http:\n  - route: [{destination: {host: web, subset: v1}}]\n" + rule;
  const auto table = table_of(service_yaml("web", "default", "10.0.0.2") +
                              subsets_yaml("web", "default", "web", "  trafficPolicy:\n" + policy) +
                              rule_yaml("web", "default", "web", http));
  return conditions_of(*table);
}

TEST(PolicyNotInKernel, NamesWhatOnlyRequestsGet) {
  struct Case {
    const char* policy;
    const char* word;
  };
  for (const Case& c : {
           Case{"    loadBalancer: {consistentHash: {httpHeaderName: x}}\n",
                "loadBalancer.consistentHash.httpHeaderName does not hold"},
           Case{"    loadBalancer: {consistentHash: {useSourceIp: true}}\n",
                "loadBalancer.consistentHash.useSourceIp does not hold"},
           Case{"    loadBalancer: {consistentHash: {httpCookie: {name: c, ttl: 0s}}}\n",
                "loadBalancer.consistentHash.httpCookie does not hold"},
           Case{"    loadBalancer: {simple: PASSTHROUGH}\n", "loadBalancer.simple PASSTHROUGH does not hold"},
           Case{"    outlierDetection: {consecutive5xxErrors: 3}\n", "outlierDetection does not hold"},
           Case{"    connectionPool: {tcp: {maxConnections: 1}}\n", "connectionPool does not hold"},
       }) {
    const std::string text = said(c.policy);
    EXPECT_NE(text.find(c.word), std::string::npos) << c.policy << text;
    EXPECT_NE(text.find("(DestinationRule default/web)"), std::string::npos) << text;
  }
}

TEST(PolicyNotInKernel, SaysNothingOfWhatTheKernelDoes) {
  EXPECT_EQ(said("    loadBalancer: {simple: ROUND_ROBIN}\n"), "");
  EXPECT_EQ(said("    loadBalancer: {simple: RANDOM}\n"), "");
}

TEST(PolicyNotInKernel, SaysNothingWhereTheProxyCarriesTheRule) {
  EXPECT_EQ(said("    outlierDetection: {consecutive5xxErrors: 3}\n", "    timeout: 1s\n"), "");
}

}  // namespace
}  // namespace weir::routing
