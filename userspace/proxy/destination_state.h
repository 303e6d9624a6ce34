#pragma once
// What all loops know together of a destination and its endpoints: how much is under way (for limits and for the least
// loaded endpoint), and which endpoints have failed too often (outlier detection). Kept over changes of the
// configuration by name.
//
// Any thread. Counters are exact, checks against limits are not locked: two loops that ask at once may both be let in.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/socket.h"
#include "net/timer_wheel.h"
#include "proxy/hash_table.h"

namespace weir::proxy {

/// connectionPool of a DestinationRule (semantics 1.4); of one destination, over all loops.
struct PoolLimits {
  static constexpr uint32_t kNone = 0xffffffff;
  uint32_t max_connections = kNone;
  uint32_t max_pending = kNone;   // http1MaxPendingRequests: waiting for a connection
  uint32_t max_requests = kNone;  // http2MaxRequests
  uint32_t max_retries = kNone;
  uint32_t max_requests_a_connection = 0;  // 0: no limit
  net::Duration connect_timeout{};         // 0: the proxy's own
  net::Duration idle_timeout{};            // of pooled connections; 0: the proxy's own
  net::Duration tunnel_idle_timeout{};     // of tunnels; 0: the proxy's own
  net::Duration max_connection_age{};      // older ones are not used again; 0: no limit
  std::optional<net::Keepalive> keepalive;
};

/// outlierDetection of a DestinationRule; Envoy's arithmetic (semantics 1.4).
struct OutlierRules {
  bool enabled = false;
  uint32_t consecutive_5xx = 5;      // 0: off, as the others
  uint32_t consecutive_gateway = 0;  // 502, 503, 504
  uint32_t consecutive_local = 0;    // failures to connect, resets, timeouts; counted apart only if `split_local`
  bool split_local = false;          // else failures of our own count as gateway errors
  net::Duration interval = std::chrono::seconds(10);
  net::Duration base_ejection = std::chrono::seconds(30);
  uint32_t max_ejection_percent = 10;
  uint32_t min_health_percent = 0;  // with fewer endpoints left than this, ejections do not count
};

/// One endpoint of one destination.
class EndpointState {
 public:
  std::atomic<uint32_t> open_requests{0};

  [[nodiscard]] bool ejected(net::TimePoint now) const {
    return now.time_since_epoch().count() < ejected_until_.load(std::memory_order_relaxed);
  }
  /// How often it was ejected since it began.
  [[nodiscard]] uint64_t ejections() const { return ejections_.load(std::memory_order_relaxed); }

 private:
  friend class DestinationState;
  std::atomic<uint32_t> server_errors_{0}, gateway_errors_{0}, local_failures_{0};  // in a row
  std::atomic<int64_t> ejected_until_{INT64_MIN};                                   // ns of CLOCK_MONOTONIC
  std::atomic<uint64_t> ejections_{0};
  uint32_t multiplier_ = 0;  // of the base time; under the destination's mutex
};
using EndpointStatePtr = std::shared_ptr<EndpointState>;

/// How a try ended, for outlier detection.
enum class TryResult : uint8_t {
  kSuccess,       // an answer below 500
  kServerError,   // 5xx but for the next
  kGatewayError,  // 502, 503, 504
  kLocalFailure,  // no connection, a reset, a timeout
};

class DestinationState {
 public:
  // Under way now.
  std::atomic<uint32_t> connections{0}, pending{0}, requests{0}, retries{0};

  /// The state of the endpoint at `address`, made if need be.
  EndpointStatePtr endpoint(const net::SocketAddress& address);

  /// `all`: the destination's endpoints now. Ejects the endpoint if the rules say so; true if it did.
  bool report(EndpointState& endpoint, TryResult result, const OutlierRules& rules,
              std::span<const EndpointStatePtr> all, net::TimePoint now);
  /// False: no endpoint is ejected now, nothing else need be asked.
  [[nodiscard]] bool any_ejected(net::TimePoint now) const {
    return now.time_since_epoch().count() < last_ejection_end_.load(std::memory_order_relaxed);
  }
  /// The table with that fingerprint, made by `make` if nobody holds it.
  std::shared_ptr<const HashTable> table(uint64_t fingerprint, const std::function<HashTable()>& make);
  /// Forgets endpoints that nobody holds.
  void sweep();

 private:
  bool eject(EndpointState& endpoint, const OutlierRules& rules, std::span<const EndpointStatePtr> all,
             net::TimePoint now);

  std::atomic<int64_t> last_ejection_end_{INT64_MIN};
  std::mutex mutex_;
  std::map<net::SocketAddress, EndpointStatePtr> endpoints_;
  std::map<uint64_t, std::weak_ptr<const HashTable>> tables_;
};
using DestinationStatePtr = std::shared_ptr<DestinationState>;

/// All destinations of the process by name ("reviews.default.svc.cluster.local:9080/v2").
class DestinationRegistry {
 public:
  DestinationStatePtr get(std::string_view name);
  void sweep();

 private:
  std::mutex mutex_;
  std::map<std::string, DestinationStatePtr, std::less<>> destinations_;
};

}  // namespace weir::proxy
