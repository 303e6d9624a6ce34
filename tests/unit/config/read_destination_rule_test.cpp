#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

TEST(ReadDestinationRule, Bad) {
  test::check_specs(
      "DestinationRule", "@",  // line 6, column 3
      {{"subsets: []", "6:3 Error IST0106 spec.host is required"},
       {"host: ''", "6:3 Error IST0106 spec.host is required"},
       {"host: a.*.com", "6:9 Error IST0106 host \"a.*.com\""},
       {"host: [a]", "6:9 Error IST0106 spec.host must be a string"},
       {"host: a\nsubsets: [null]", "7:13 Error IST0106 spec.subsets[0] must not be null"},
       {"host: a\nsubsets: [v1]", "7:13 Error IST0106 spec.subsets[0] must be a map"},
       {"host: a\nsubsets: [{labels: {a: b}}]", "7:13 Error IST0106 spec.subsets[0].name is required"},
       {"host: a\nsubsets: [{name: ''}]", "7:13 Error IST0106 spec.subsets[0].name is required"},
       {"host: a\nsubsets: [{name: v_1}]", "7:20 Error IST0106 subset name \"v_1\" is invalid"},
       {"host: a\nsubsets: [{name: -v}]", "7:20 Error IST0106 subset name"},
       {"host: a\nsubsets: [{name: v1}, {name: v1}]",
        "7:32 Error IST0106 duplicate subset name \"v1\", first in line 7"},
       {"host: a\nsubsets: [{name: v1, labels: [a]}]", "7:32 Error IST0106 spec.subsets[0].labels must be a map"},
       {"host: a\nsubsets: [{name: v1, labels: {a: {}}}]",
        "7:36 Error IST0106 spec.subsets[0].labels.a must be a string"},
       {"host: a\nsubsets: [{name: v1, labels: {'a b': c}}]", "7:24 Error IST0106 label \"a b\" has a bad key"},
       {"host: a\nsubsets: [{name: v1, trafficPolicy: {}}]",
        "7:39 Error IST0106 traffic policy must have at least one field"},
       {"host: a\nsubsets: [{name: v1, label: {}}]", "7:24 Warning IST0133 unknown field \"spec.subsets[0].label\""},
       {"host: a\nworkloadSelector: {matchLabels: {a: b}}", ""},  // R17: it is honoured
       {"host: a\nworkloadSelector: {matchLabels: {a: '*'}}", "7:22 Error IST0106 wildcard is not supported"},
       {"host: a\nworkloadSelector: {}", "7:21 Warning IST0133 workload selector without labels"},
       {"host: 10.0.0.1", "6:9 Error IST0106 host \"10.0.0.1\""},
       {"host: a\nsubset: []", "7:3 Warning IST0133 unknown field \"spec.subset\""}});
}

TEST(ReadDestinationRule, WorkloadSelectorStaysInItsNamespace) {
  const auto found = test::read_findings(
      test::istio("DestinationRule", "host: a\nexportTo: ['*']\nworkloadSelector: {matchLabels: {a: b}}"));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(
      found[0].starts_with("7:14 Error IST0106 a DestinationRule with a workloadSelector cannot be exported to \"*\""));
}

TEST(ReadDestinationRule, Good) {
  const auto rule =
      test::only<DestinationRule>(test::istio("DestinationRule",
                                              "host: reviews.prod.svc.cluster.local\nsubsets:\n- name: v1\n  labels: "
                                              "{version: 1.10, on: no}\n- name: all\nexportTo: [.]"));
  EXPECT_EQ(rule.host.at, (Position{6, 9}));
  ASSERT_EQ(rule.subsets.size(), 2U);
  EXPECT_EQ(rule.subsets[0].labels, (Labels{{"version", "1.10"}, {"on", "no"}}));
  EXPECT_EQ(rule.subsets[0].name.at, (Position{8, 11}));
  EXPECT_TRUE(rule.subsets[1].labels.empty());
  EXPECT_FALSE(rule.traffic_policy);
}

}  // namespace
}  // namespace weir::config
