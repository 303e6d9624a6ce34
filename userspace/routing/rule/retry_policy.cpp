#include "routing/rule/retry_policy.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace weir::routing {
namespace {

constexpr std::string_view kByStatus = "retriable-status-codes";

void add_condition(RetryPolicy& policy, std::string_view word) {
  uint16_t status = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), status);
  if (error == std::errc{} && end == word.data() + word.size()) {
    policy.statuses.push_back(status);
  } else if (!word.empty()) {
    policy.conditions.emplace_back(word);
  }
}

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::string RetryPolicy::on() const {
  std::string result;
  const auto append = [&](const std::string& word) { result += (result.empty() ? "" : ",") + word; };
  for (const std::string& condition : conditions) {
    if (statuses.empty() || condition != kByStatus) append(condition);
  }
  for (const uint16_t status : statuses) append(std::to_string(status));
  return result;
}

std::optional<RetryPolicy> make_retry_policy(const std::optional<config::HttpRetry>& written) {
  RetryPolicy policy;
  std::string_view words = kDefaultRetryOn;
  if (written) {
    if (written->attempts == 0) return std::nullopt;
    policy.attempts = written->attempts;
    policy.per_try_timeout = written->per_try_timeout;
    policy.backoff = written->backoff;
    if (written->retry_on && !written->retry_on->empty()) words = *written->retry_on;
  }
  while (!words.empty()) {
    const size_t comma = std::min(words.find(','), words.size());
    add_condition(policy, trimmed(words.substr(0, comma)));
    words.remove_prefix(std::min(words.size(), comma + 1));
  }
  if (!policy.statuses.empty() && std::ranges::find(policy.conditions, kByStatus) == policy.conditions.end()) {
    policy.conditions.emplace_back(kByStatus);
  }
  return policy;
}

}  // namespace weir::routing
