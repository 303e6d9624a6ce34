#include "routing/rule/cors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace weir::routing {
namespace {

using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;
using Type = config::StringMatch::Type;
using Verdict = CorsPolicy::Verdict;

config::CorsPolicy full_policy() {
  config::CorsPolicy policy;
  policy.allow_origins = {{Type::kExact, "https://a.example.com", {}},
                          {Type::kPrefix, "https://b.", {}},
                          {Type::kRegex, "https://.*\\.c\\.com", {}}};
  policy.allow_methods = {"GET", "PUT"};
  policy.allow_headers = {"x-one", "x-two"};
  policy.expose_headers = {"x-exp"};
  policy.max_age = std::chrono::hours(24);
  policy.allow_credentials = true;
  return policy;
}

CorsPolicy::Outcome decide(const config::CorsPolicy& written, const std::string& method,
                           std::vector<HeaderField> headers) {
  const auto policy = CorsPolicy::compile(written);
  EXPECT_TRUE(policy.has_value());
  RequestView view{method, "http", "web", {}, {}, {}, headers};
  view.set_target("/");
  return policy->decide(view);
}

TEST(CorsPolicyTest, PreflightsOfAllowedOriginsAreAnswered) {
  for (const char* origin : {"https://a.example.com", "https://b.any", "https://x.c.com"}) {
    const auto outcome =
        decide(full_policy(), "OPTIONS", {{"Origin", origin}, {"access-control-request-method", "PUT"}});
    EXPECT_EQ(outcome.verdict, Verdict::kAnswer);
    EXPECT_THAT(outcome.response_headers, UnorderedElementsAre(Pair("access-control-allow-origin", origin),
                                                               Pair("access-control-allow-credentials", "true"),
                                                               Pair("access-control-allow-methods", "GET,PUT"),
                                                               Pair("access-control-allow-headers", "x-one,x-two"),
                                                               Pair("access-control-expose-headers", "x-exp"),
                                                               Pair("access-control-max-age", "86400")));
  }
}

TEST(CorsPolicyTest, SimpleRequestsPassWithHeaders) {
  const auto outcome = decide(full_policy(), "GET", {{"origin", "https://b.any"}});
  EXPECT_EQ(outcome.verdict, Verdict::kPass);
  EXPECT_THAT(outcome.response_headers, UnorderedElementsAre(Pair("access-control-allow-origin", "https://b.any"),
                                                             Pair("access-control-allow-credentials", "true"),
                                                             Pair("access-control-expose-headers", "x-exp")));
}

TEST(CorsPolicyTest, OthersPassWithoutHeaders) {
  const std::vector<std::vector<HeaderField>> requests = {{},
                                                          {{"origin", ""}},
                                                          {{"origin", "https://evil.com"}},
                                                          {{"origin", "HTTPS://A.example.com"}},
                                                          {{"origin", "https://a.example.com.evil"}}};
  for (const auto& headers : requests) {
    const auto outcome = decide(full_policy(), "GET", headers);
    EXPECT_EQ(outcome.verdict, Verdict::kPass);
    EXPECT_THAT(outcome.response_headers, IsEmpty());
  }
}

TEST(CorsPolicyTest, UnmatchedPreflightsAreForwardedUnlessIgnored) {
  config::CorsPolicy policy = full_policy();
  const std::vector<HeaderField> preflight = {{"origin", "https://evil.com"}, {"access-control-request-method", "PUT"}};
  EXPECT_EQ(decide(policy, "OPTIONS", preflight).verdict, Verdict::kPass);
  policy.unmatched_preflights = config::CorsPolicy::UnmatchedPreflights::kIgnore;
  EXPECT_EQ(decide(policy, "OPTIONS", preflight).verdict, Verdict::kAnswer);
  EXPECT_THAT(decide(policy, "OPTIONS", preflight).response_headers, IsEmpty());
}

TEST(CorsPolicyTest, OptionsWithoutRequestMethodIsNoPreflight) {
  EXPECT_EQ(decide(full_policy(), "OPTIONS", {{"origin", "https://b.any"}}).verdict, Verdict::kPass);
  EXPECT_EQ(
      decide(full_policy(), "OPTIONS", {{"origin", "https://b.any"}, {"access-control-request-method", ""}}).verdict,
      Verdict::kPass);
}

TEST(CorsPolicyTest, AStarAllowsEveryOrigin) {
  config::CorsPolicy policy;
  policy.allow_origins = {{Type::kExact, "*", {}}};
  EXPECT_THAT(decide(policy, "GET", {{"origin", "https://x"}}).response_headers,
              UnorderedElementsAre(Pair("access-control-allow-origin", "https://x")));
}

TEST(CorsPolicyTest, RefusesABadRegex) {
  config::CorsPolicy policy;
  policy.allow_origins = {{Type::kRegex, "(", {}}};
  const auto compiled = CorsPolicy::compile(policy);
  ASSERT_FALSE(compiled.has_value());
  EXPECT_TRUE(compiled.error().message.starts_with("corsPolicy.allowOrigins: regex")) << compiled.error().message;
}

}  // namespace
}  // namespace weir::routing
