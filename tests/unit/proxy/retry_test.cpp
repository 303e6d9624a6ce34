#include "proxy/retry.h"

#include <gtest/gtest.h>

namespace weir::proxy {
namespace {

RetryRules rules(std::vector<std::string> conditions, std::vector<uint16_t> statuses = {}) {
  routing::RetryPolicy policy;
  policy.attempts = 2;
  policy.conditions = std::move(conditions);
  policy.statuses = std::move(statuses);
  return RetryRules(policy);
}

bool takes_status(const RetryRules& rules, uint16_t status) {
  http::ResponseHead head;
  head.status = status;
  return rules.takes(head);
}

TEST(Retry, NothingIsRetriedWithoutAPolicy) {
  const RetryRules none;
  EXPECT_EQ(none.attempts(), 0U);
  EXPECT_FALSE(none.takes(Failure::kConnect));
  EXPECT_FALSE(none.takes(Failure::kReset));
  EXPECT_FALSE(takes_status(none, 503));
}

TEST(Retry, IstiosDefaultIsForConnectionsOnly) {
  const auto policy = routing::make_retry_policy(std::nullopt);
  ASSERT_TRUE(policy);
  const RetryRules defaults(*policy);
  EXPECT_EQ(defaults.attempts(), 2U);
  EXPECT_TRUE(defaults.takes(Failure::kConnect));
  EXPECT_FALSE(defaults.takes(Failure::kReset));
  EXPECT_FALSE(defaults.takes(Failure::kPerTryTimeout));
  EXPECT_FALSE(takes_status(defaults, 503));
}

TEST(Retry, Words) {
  struct Case {
    std::vector<std::string> words;
    std::vector<uint16_t> taken, left;
    bool connect, reset;
  };
  const Case cases[] = {
      {{"5xx"}, {500, 502, 503, 599}, {200, 404, 409}, true, true},
      {{"gateway-error"}, {502, 503, 504}, {500, 505, 404}, true, true},
      {{"reset"}, {}, {500, 503}, true, true},
      {{"connect-failure"}, {}, {500, 503}, true, false},
      {{"reset-before-request"}, {}, {503}, true, false},
      {{"retriable-4xx"}, {409}, {404, 503}, false, false},
      {{"no-such-word"}, {}, {500, 409}, false, false},
      {{}, {}, {503}, false, false},
  };
  for (const Case& test : cases) {
    const RetryRules compiled = rules(test.words);
    const std::string name = test.words.empty() ? "" : test.words[0];
    EXPECT_EQ(compiled.takes(Failure::kConnect), test.connect) << name;
    EXPECT_EQ(compiled.takes(Failure::kReset), test.reset) << name;
    for (const uint16_t status : test.taken) EXPECT_TRUE(takes_status(compiled, status)) << name << status;
    for (const uint16_t status : test.left) EXPECT_FALSE(takes_status(compiled, status)) << name << status;
  }
}

TEST(Retry, ListedStatuses) {
  const RetryRules compiled = rules({"gateway-error", "retriable-status-codes"}, {404, 429});
  EXPECT_TRUE(takes_status(compiled, 404));
  EXPECT_TRUE(takes_status(compiled, 429));
  EXPECT_TRUE(takes_status(compiled, 503));
  EXPECT_FALSE(takes_status(compiled, 500));
}

TEST(Retry, GrpcStatuses) {
  const RetryRules compiled = rules({"unavailable", "cancelled"});
  http::ResponseHead head;
  head.status = 200;
  EXPECT_FALSE(compiled.takes(head));
  head.headers.add("grpc-status", "14");
  EXPECT_TRUE(compiled.takes(head));
  head.headers.set("grpc-status", "5");
  EXPECT_FALSE(compiled.takes(head));
  head.headers.set("grpc-status", "x");
  EXPECT_FALSE(compiled.takes(head));
}

TEST(Retry, BackoffDoublesUpToABound) {
  using std::chrono::milliseconds;
  const RetryRules compiled = rules({"5xx"});
  for (uint64_t random = 0; random < 1'000'000'000; random += 99'999'989) {
    EXPECT_LT(compiled.backoff(1, random), milliseconds(25));
    EXPECT_LT(compiled.backoff(2, random), milliseconds(75));
    EXPECT_LT(compiled.backoff(3, random), milliseconds(175));
    EXPECT_LT(compiled.backoff(4, random), milliseconds(250));
    EXPECT_LT(compiled.backoff(40, random), milliseconds(250));
    EXPECT_GE(compiled.backoff(40, random), milliseconds(0));
  }
}

}  // namespace
}  // namespace weir::proxy
