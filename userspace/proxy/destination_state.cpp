#include "proxy/destination_state.h"

#include <algorithm>

namespace weir::proxy {
namespace {

// Envoy's max_ejection_time, which Istio leaves at its default.
constexpr net::Duration kMaxEjection = std::chrono::seconds(300);

int64_t ticks(net::TimePoint time) {
  return time.time_since_epoch().count();
}

/// One more in a row; true when that reaches `limit` (and the row begins anew).
bool reaches(std::atomic<uint32_t>& row, uint32_t limit) {
  const uint32_t now = row.fetch_add(1, std::memory_order_relaxed) + 1;
  if (limit == 0 || now < limit) return false;
  row.store(0, std::memory_order_relaxed);
  return true;
}

void clear(std::atomic<uint32_t>& row) {
  if (row.load(std::memory_order_relaxed) != 0) row.store(0, std::memory_order_relaxed);
}

}  // namespace

EndpointStatePtr DestinationState::endpoint(const net::SocketAddress& address) {
  const std::lock_guard guard(mutex_);
  EndpointStatePtr& state = endpoints_[address];
  if (!state) state = std::make_shared<EndpointState>();
  return state;
}

bool DestinationState::report(EndpointState& endpoint, TryResult result, const OutlierRules& rules,
                              std::span<const EndpointStatePtr> all, net::TimePoint now) {
  if (!rules.enabled) return false;
  if (result == TryResult::kLocalFailure && rules.split_local) {
    return reaches(endpoint.local_failures_, rules.consecutive_local) && eject(endpoint, rules, all, now);
  }
  if (rules.split_local) clear(endpoint.local_failures_);  // it has answered
  if (result == TryResult::kSuccess) {
    clear(endpoint.server_errors_);
    clear(endpoint.gateway_errors_);
    return false;
  }
  bool too_many = false;
  if (result == TryResult::kServerError) {
    clear(endpoint.gateway_errors_);
  } else {
    too_many = reaches(endpoint.gateway_errors_, rules.consecutive_gateway);
  }
  too_many |= reaches(endpoint.server_errors_, rules.consecutive_5xx);
  return too_many && eject(endpoint, rules, all, now);
}

bool DestinationState::eject(EndpointState& endpoint, const OutlierRules& rules, std::span<const EndpointStatePtr> all,
                             net::TimePoint now) {
  const std::lock_guard guard(mutex_);
  if (endpoint.ejected(now)) return false;
  const auto ejected = std::count_if(all.begin(), all.end(), [&](const auto& other) { return other->ejected(now); });
  if (static_cast<uint64_t>(ejected + 1) * 100 > uint64_t{rules.max_ejection_percent} * all.size()) return false;
  // Each interval that it has held out since the last one takes one off the multiplier.
  const int64_t last = endpoint.ejected_until_.load(std::memory_order_relaxed);
  if (endpoint.multiplier_ > 0 && rules.interval > net::Duration::zero()) {
    const int64_t quiet = (ticks(now) - last) / rules.interval.count();
    endpoint.multiplier_ -= static_cast<uint32_t>(std::min<int64_t>(quiet, endpoint.multiplier_));
  }
  ++endpoint.multiplier_;
  const net::Duration most = std::max(kMaxEjection, rules.base_ejection);
  const net::Duration time =
      rules.base_ejection > most / endpoint.multiplier_ ? most : rules.base_ejection * endpoint.multiplier_;
  const int64_t until = ticks(now + time);
  endpoint.ejected_until_.store(until, std::memory_order_relaxed);
  endpoint.ejections_.fetch_add(1, std::memory_order_relaxed);
  if (until > last_ejection_end_.load(std::memory_order_relaxed)) {
    last_ejection_end_.store(until, std::memory_order_relaxed);
  }
  return true;
}

std::shared_ptr<const HashTable> DestinationState::table(uint64_t fingerprint, const std::function<HashTable()>& make) {
  const std::lock_guard guard(mutex_);
  std::weak_ptr<const HashTable>& place = tables_[fingerprint];
  std::shared_ptr<const HashTable> found = place.lock();
  if (!found) place = found = std::make_shared<const HashTable>(make());
  return found;
}

void DestinationState::sweep() {
  const std::lock_guard guard(mutex_);
  std::erase_if(tables_, [](const auto& entry) { return entry.second.expired(); });
  std::erase_if(endpoints_, [](const auto& entry) { return entry.second.use_count() == 1; });
}

DestinationStatePtr DestinationRegistry::get(std::string_view name) {
  const std::lock_guard guard(mutex_);
  const auto found = destinations_.find(name);
  if (found != destinations_.end()) return found->second;
  return destinations_.emplace(std::string(name), std::make_shared<DestinationState>()).first->second;
}

void DestinationRegistry::sweep() {
  const std::lock_guard guard(mutex_);
  for (auto entry = destinations_.begin(); entry != destinations_.end();) {
    entry->second->sweep();
    entry = entry->second.use_count() == 1 ? destinations_.erase(entry) : std::next(entry);
  }
}

}  // namespace weir::proxy
