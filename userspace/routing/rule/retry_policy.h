#pragma once
// http[].retries with Istio's defaults filled in (semantics 1.2, istio-facts 36).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/model.h"

namespace weir::routing {

/// Conditions where a route names none.
inline constexpr const char* kDefaultRetryOn =
    "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes";
inline constexpr uint32_t kDefaultRetries = 2;

struct RetryPolicy {
  uint32_t attempts = kDefaultRetries;  // > 0; retries, not counting the first try
  std::vector<std::string> conditions;  // "5xx", "connect-failure" ...
  std::vector<uint16_t> statuses;       // answers that are tried again; conditions then hold "retriable-status-codes"
  std::optional<config::Duration> per_try_timeout, backoff;

  /// Conditions and statuses in one list, as a user would write them: "gateway-error,404".
  [[nodiscard]] std::string on() const;
  bool operator==(const RetryPolicy&) const = default;
};

/// Nothing: `attempts: 0`, no retries. `written` absent: the default.
std::optional<RetryPolicy> make_retry_policy(const std::optional<config::HttpRetry>& written);

}  // namespace weir::routing
