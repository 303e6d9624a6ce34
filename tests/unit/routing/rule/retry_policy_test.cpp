#include "routing/rule/retry_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::routing {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

config::HttpRetry retry(uint32_t attempts, std::optional<std::string> on = std::nullopt) {
  config::HttpRetry written;
  written.attempts = attempts;
  written.retry_on = std::move(on);
  return written;
}

TEST(RetryPolicyTest, DefaultsToTwoOnWhatNeverReachedTheEndpoint) {
  for (const auto& written :
       {std::optional<config::HttpRetry>(), std::optional(retry(2)), std::optional(retry(2, ""))}) {
    const auto policy = make_retry_policy(written);
    ASSERT_TRUE(policy.has_value());
    EXPECT_EQ(policy->attempts, 2U);
    EXPECT_EQ(policy->on(), kDefaultRetryOn);
    EXPECT_THAT(policy->statuses, IsEmpty());
  }
}

TEST(RetryPolicyTest, ZeroAttemptsMeansNone) {
  EXPECT_EQ(make_retry_policy(retry(0)), std::nullopt);
}

TEST(RetryPolicyTest, NumbersAreStatuses) {
  const auto policy = make_retry_policy(retry(3, "gateway-error, 404,,503"));
  ASSERT_TRUE(policy.has_value());
  EXPECT_THAT(policy->conditions, ElementsAre("gateway-error", "retriable-status-codes"));
  EXPECT_THAT(policy->statuses, ElementsAre(404, 503));
  EXPECT_EQ(policy->on(), "gateway-error,404,503");
}

TEST(RetryPolicyTest, TheStatusConditionIsNotDoubled) {
  const auto policy = make_retry_policy(retry(1, "retriable-status-codes,500"));
  EXPECT_THAT(policy->conditions, ElementsAre("retriable-status-codes"));
  EXPECT_EQ(policy->on(), "500");
  EXPECT_EQ(make_retry_policy(retry(1, "retriable-status-codes"))->on(), "retriable-status-codes");
}

TEST(RetryPolicyTest, KeepsTheTimes) {
  config::HttpRetry written = retry(1, "5xx");
  written.per_try_timeout = std::chrono::milliseconds(200);
  written.backoff = std::chrono::milliseconds(50);
  const auto policy = make_retry_policy(written);
  EXPECT_EQ(policy->per_try_timeout, written.per_try_timeout);
  EXPECT_EQ(policy->backoff, written.backoff);
}

}  // namespace
}  // namespace weir::routing
