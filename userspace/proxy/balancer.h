#pragma once
// Which endpoint of a destination gets a try: loadBalancer of a DestinationRule, less those that outlier detection has
// ejected and those that this request has tried already. The version has been chosen before, so every kind of balancing
// keeps a split exact.
//
// Immutable, but for the shared states that it reads; any thread.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/model.h"
#include "proxy/destination_state.h"
#include "proxy/hash_table.h"
#include "proxy/request_key.h"
#include "proxy/split.h"

namespace weir::proxy {

/// What a generated cookie says (consistentHash.httpCookie with a ttl).
struct CookieRule {
  std::string name, path;
  std::chrono::seconds ttl{};  // 0: until the browser is closed
};

class Balancer {
 public:
  enum class Kind : uint8_t {
    kTurns,         // ROUND_ROBIN
    kRandom,        // RANDOM
    kLeastRequest,  // LEAST_REQUEST, and the default: of the one whose turn it is and another one at random, the one
                    // with fewer requests under way; so without load it is as even as turns
    kHash,          // consistentHash
  };

  Balancer() = default;
  /// `written`: null for the default. `endpoints` and `states` are parallel.
  Balancer(const config::LoadBalancer* written, std::span<const WeightedEndpoint> endpoints,
           std::vector<EndpointStatePtr> states, DestinationState& shared, const OutlierRules& outlier);

  struct Question {
    const Split& split;
    const pick::Turn& turn;
    /// Of the request, for kHash; nothing: it has no key, any endpoint will do.
    std::optional<uint64_t> key;
    uint64_t random = 0;
    net::TimePoint now;
    std::span<const uint32_t> tried;  // avoided where there is another one (not by kHash: its key knows one place)
  };
  /// Index into the destination's endpoints; nothing: there is none that may get the request.
  [[nodiscard]] std::optional<uint32_t> choose(const DestinationState& shared, const Question& question) const;

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] const KeySource& key_source() const { return key_; }
  [[nodiscard]] const std::optional<CookieRule>& cookie() const { return cookie_; }
  [[nodiscard]] std::span<const EndpointStatePtr> states() const { return states_; }

 private:
  [[nodiscard]] std::optional<uint32_t> first_choice(const Question& question) const;
  [[nodiscard]] std::optional<uint32_t> among(const Question& question, bool avoid_tried, bool avoid_ejected) const;
  [[nodiscard]] std::optional<uint32_t> around(const Question& question) const;
  [[nodiscard]] bool too_few_left(net::TimePoint now) const;

  Kind kind_ = Kind::kLeastRequest;
  std::vector<EndpointStatePtr> states_;
  std::vector<uint32_t> weights_;
  uint32_t min_health_percent_ = 0;
  KeySource key_;
  std::optional<CookieRule> cookie_;
  std::shared_ptr<const HashTable> table_;
};

}  // namespace weir::proxy
