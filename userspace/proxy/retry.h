#pragma once
// When a failed try is made again: the words of retryOn, as Envoy takes them (istio-facts 36), and what HTTP forbids.

#include <cstdint>
#include <vector>

#include "http/message.h"
#include "net/timer_wheel.h"
#include "routing/rule/retry_policy.h"

namespace weir::proxy {

enum class Failure : uint8_t {
  kConnect,  // refused, unreachable, timed out: no byte was sent
  kReset,    // the connection ended before the head of the response
  kPerTryTimeout,
};

/// A route's retry policy, taken apart once.
class RetryRules {
 public:
  RetryRules() = default;  // never
  explicit RetryRules(const routing::RetryPolicy& policy);

  [[nodiscard]] uint32_t attempts() const { return attempts_; }
  [[nodiscard]] bool takes(Failure failure) const;
  [[nodiscard]] bool takes(const http::ResponseHead& head) const;
  /// Whether anything but a failed connection is retried: then a request's body must be kept.
  [[nodiscard]] bool after_sending() const {
    return any_answer_ || gateway_error_ || reset_ || !statuses_.empty() || retriable_4xx_;
  }
  [[nodiscard]] net::Duration per_try_timeout() const { return per_try_timeout_; }
  /// Before retry `number` (from 1): random up to a bound that doubles, 25 ms at first, ten times that at most.
  [[nodiscard]] net::Duration backoff(uint32_t number, uint64_t random) const;

 private:
  uint32_t attempts_ = 0;
  bool any_answer_ = false;  // 5xx
  bool gateway_error_ = false, reset_ = false, connect_failure_ = false, retriable_4xx_ = false;
  std::vector<uint16_t> statuses_;
  std::vector<uint8_t> grpc_statuses_;
  net::Duration per_try_timeout_{}, base_{};
};

}  // namespace weir::proxy
