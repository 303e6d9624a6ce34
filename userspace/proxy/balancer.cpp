#include "proxy/balancer.h"

#include <algorithm>

#include "base/hash.h"

namespace weir::proxy {
namespace {

constexpr uint32_t kMaxTableAttempts = 64;

Balancer::Kind kind_of(const config::LoadBalancer* written) {
  if (written == nullptr) return Balancer::Kind::kLeastRequest;
  if (written->consistent_hash) return Balancer::Kind::kHash;
  switch (written->simple) {
    case config::LoadBalancer::Simple::kRoundRobin:
      return Balancer::Kind::kTurns;
    case config::LoadBalancer::Simple::kRandom:
      return Balancer::Kind::kRandom;
    default:
      return Balancer::Kind::kLeastRequest;
  }
}

std::optional<CookieRule> cookie_of(const config::LoadBalancer::ConsistentHash& written) {
  if (!written.http_cookie || !written.http_cookie->ttl) return std::nullopt;
  const auto ttl = std::chrono::duration_cast<std::chrono::seconds>(*written.http_cookie->ttl);
  return CookieRule{written.http_cookie->name, written.http_cookie->path, ttl};
}

/// Tables are large and the same for all loops and clients.
std::shared_ptr<const HashTable> table_of(const config::LoadBalancer::ConsistentHash& written,
                                          std::span<const WeightedEndpoint> endpoints, DestinationState& shared) {
  uint64_t fingerprint =
      written.maglev_table_size ? *written.maglev_table_size << 1 : written.minimum_ring_size << 1 | 1;
  for (const WeightedEndpoint& endpoint : endpoints) {
    fingerprint = hash64(endpoint.address.to_string() + "*" + std::to_string(endpoint.weight), fingerprint);
  }
  return shared.table(fingerprint, [&] {
    return written.maglev_table_size ? HashTable::maglev(endpoints, *written.maglev_table_size)
                                     : HashTable::ring(endpoints, written.minimum_ring_size);
  });
}

bool holds(std::span<const uint32_t> list, uint32_t index) {
  return std::find(list.begin(), list.end(), index) != list.end();
}

}  // namespace

Balancer::Balancer(const config::LoadBalancer* written, std::span<const WeightedEndpoint> endpoints,
                   std::vector<EndpointStatePtr> states, DestinationState& shared, const OutlierRules& outlier)
    : kind_(kind_of(written)), states_(std::move(states)), min_health_percent_(outlier.min_health_percent) {
  weights_.reserve(endpoints.size());
  for (const WeightedEndpoint& endpoint : endpoints) weights_.push_back(endpoint.weight);
  if (kind_ != Kind::kHash) return;
  key_ = hash_key(*written->consistent_hash);
  cookie_ = cookie_of(*written->consistent_hash);
  if (key_.kind == KeySource::Kind::kNone || endpoints.empty()) {
    kind_ = Kind::kRandom;
  } else {
    table_ = table_of(*written->consistent_hash, endpoints, shared);
  }
}

std::optional<uint32_t> Balancer::choose(const DestinationState& shared, const Question& question) const {
  if (states_.empty()) return std::nullopt;
  const bool ejections = shared.any_ejected(question.now) && !too_few_left(question.now);
  const bool by_key = kind_ == Kind::kHash && question.key;
  if (by_key && ejections) return around(question);
  const auto first = first_choice(question);
  const bool avoid_tried = !by_key && !question.tried.empty();
  if (!first || (!avoid_tried && !ejections)) return first;
  const bool good =
      (!avoid_tried || !holds(question.tried, *first)) && (!ejections || !states_[*first]->ejected(question.now));
  if (good) return first;
  const auto other = among(question, avoid_tried, ejections);
  return other || !avoid_tried ? other : among(question, false, ejections);
}

std::optional<uint32_t> Balancer::first_choice(const Question& question) const {
  pick::Turn turn = question.turn;
  if (kind_ == Kind::kHash && question.key) return table_->find(*question.key);
  if (kind_ == Kind::kRandom || kind_ == Kind::kHash) turn.number = static_cast<uint32_t>(question.random >> 32);
  const auto first = question.split.endpoint_of(turn);
  if (kind_ != Kind::kLeastRequest || !first || states_.size() < 2) return first;
  auto other = static_cast<uint32_t>(question.random % (states_.size() - 1));
  if (other >= *first) ++other;
  const auto load = [&](uint32_t index) {
    return uint64_t{states_[index]->open_requests.load(std::memory_order_relaxed)};
  };
  // Per unit of weight; a draw goes to the one whose turn it is.
  return load(other) * weights_[*first] < load(*first) * weights_[other] ? other : first;
}

/// By weight at random.
std::optional<uint32_t> Balancer::among(const Question& question, bool avoid_tried, bool avoid_ejected) const {
  const auto usable = [&](uint32_t index) {
    return !(avoid_tried && holds(question.tried, index)) && !(avoid_ejected && states_[index]->ejected(question.now));
  };
  uint64_t sum = 0;
  for (uint32_t index = 0; index < states_.size(); ++index) {
    if (usable(index)) sum += weights_[index];
  }
  if (sum == 0) return std::nullopt;
  uint64_t point = question.random % sum;
  for (uint32_t index = 0; index < states_.size(); ++index) {
    if (!usable(index)) continue;
    if (point < weights_[index]) return index;
    point -= weights_[index];
  }
  return std::nullopt;
}

/// The next place of the key's at which nobody is ejected: the keys of all others stay where they are.
std::optional<uint32_t> Balancer::around(const Question& question) const {
  for (uint32_t attempt = 0; attempt < kMaxTableAttempts; ++attempt) {
    const uint32_t index = table_->find(*question.key, attempt);
    if (!states_[index]->ejected(question.now)) return index;
  }
  return among(question, false, true);
}

bool Balancer::too_few_left(net::TimePoint now) const {
  if (min_health_percent_ == 0) return false;
  const auto left =
      std::count_if(states_.begin(), states_.end(), [&](const auto& state) { return !state->ejected(now); });
  return static_cast<uint64_t>(left) * 100 < uint64_t{min_health_percent_} * states_.size();
}

}  // namespace weir::proxy
