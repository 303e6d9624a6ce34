#include "proxy/retry.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "http/field.h"

namespace weir::proxy {
namespace {

constexpr net::Duration kBase = std::chrono::milliseconds(25);
constexpr uint32_t kMaxBackoffFactor = 10;

struct GrpcCondition {
  std::string_view word;
  uint8_t status;
};
constexpr std::array<GrpcCondition, 5> kGrpcConditions = {{
    {"cancelled", 1},
    {"deadline-exceeded", 4},
    {"resource-exhausted", 8},
    {"internal", 13},
    {"unavailable", 14},
}};

}  // namespace

RetryRules::RetryRules(const routing::RetryPolicy& policy)
    : attempts_(policy.attempts),
      statuses_(policy.statuses),
      per_try_timeout_(policy.per_try_timeout.value_or(net::Duration::zero())),
      base_(policy.backoff.value_or(kBase)) {
  for (const std::string& word : policy.conditions) {
    if (word == "5xx") any_answer_ = true;
    if (word == "gateway-error") gateway_error_ = true;
    if (word == "reset") reset_ = true;
    if (word == "connect-failure" || word == "reset-before-request") connect_failure_ = true;
    if (word == "retriable-4xx") retriable_4xx_ = true;
    for (const GrpcCondition& condition : kGrpcConditions) {
      if (word == condition.word) grpc_statuses_.push_back(condition.status);
    }
  }
}

bool RetryRules::takes(Failure failure) const {
  if (failure == Failure::kConnect && connect_failure_) return true;
  return any_answer_ || gateway_error_ || reset_;
}

bool RetryRules::takes(const http::ResponseHead& head) const {
  const uint16_t status = head.status;
  if (any_answer_ && status >= 500) return true;
  if (gateway_error_ && status >= 502 && status <= 504) return true;
  if (retriable_4xx_ && status == 409) return true;
  if (std::find(statuses_.begin(), statuses_.end(), status) != statuses_.end()) return true;
  if (grpc_statuses_.empty()) return false;
  // An answer that is a gRPC status alone has it among its header fields.
  const http::Header* grpc = head.headers.find("grpc-status");
  const auto number = grpc == nullptr ? std::nullopt : http::parse_canonical_decimal(grpc->value);
  return number && std::find(grpc_statuses_.begin(), grpc_statuses_.end(), *number) != grpc_statuses_.end();
}

net::Duration RetryRules::backoff(uint32_t number, uint64_t random) const {
  const uint32_t factor = std::min((1U << std::min(number, 16U)) - 1, kMaxBackoffFactor);
  const auto bound = static_cast<uint64_t>((base_ * factor).count());
  return net::Duration(bound == 0 ? 0 : random % bound);
}

}  // namespace weir::proxy
