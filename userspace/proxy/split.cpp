#include "proxy/split.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "base/hash.h"
#include "pick/forks.h"
#include "pick/thresholds.h"

namespace weir::proxy {
namespace {

constexpr uint32_t kOwnId = 1;

bool even(const std::vector<WeightedEndpoint>& endpoints) {
  return std::all_of(endpoints.begin(), endpoints.end(),
                     [&](const WeightedEndpoint& endpoint) { return endpoint.weight == endpoints.front().weight; });
}

}  // namespace

Result<Split> Split::make(std::vector<Share> shares, std::shared_ptr<Cursor> cursor) {
  if (shares.empty()) return Error{"no destination has a weight above 0"};
  if (shares.size() > abi::MAX_DESTINATIONS) {
    return Error{"a split takes " + std::to_string(abi::MAX_DESTINATIONS) + " destinations, this one has " +
                 std::to_string(shares.size())};
  }
  for (const Share& share : shares) {
    if (share.weight == 0) return Error{"a destination of weight 0 has no place in a split"};
    if (share.endpoints.size() > abi::MAX_ENDPOINTS) return Error{"a destination has too many endpoints"};
  }
  Split split;
  split.shares_ = std::move(shares);
  split.cursor_ = std::move(cursor);
  split.compile();
  return split;
}

void Split::compile() {
  split_ = std::make_unique<abi::split>();
  split_->destination_count = static_cast<uint32_t>(shares_.size());
  std::vector<uint64_t> weights;
  for (const Share& share : shares_) weights.push_back(share.weight);
  split_->phase = cursor_->phase();
  split_->start = cursor_->start_of(hash64({reinterpret_cast<const char*>(weights.data()), weights.size() * 8}));
  const std::vector<abi::split_fork> forks = pick::make_forks(weights);
  std::copy(forks.begin(), forks.end(), split_->forks);
  const std::vector<uint32_t> lasts = pick::thresholds(weights);
  for (uint32_t number = 0; number < shares_.size(); ++number) {
    abi::split_destination& destination = split_->destinations[number];
    destination.last = lasts[number];
    destination.key = number + 1;  // so that each begins its rounds of endpoints elsewhere
    add_endpoints(shares_[number].endpoints, destination);
  }
}

void Split::add_endpoints(const std::vector<WeightedEndpoint>& endpoints, abi::split_destination& destination) {
  destination.first = static_cast<uint32_t>(endpoints_.size());
  destination.count = static_cast<uint32_t>(endpoints.size());
  if (endpoints.empty()) {
    endpoints_.emplace_back();  // pick_destination() knows destinations by where their endpoints begin
    return;
  }
  if (!even(endpoints)) destination.flags = abi::DESTINATION_WEIGHTED;
  std::vector<uint64_t> parts;
  for (const WeightedEndpoint& endpoint : endpoints) parts.push_back(endpoint.weight);
  const std::vector<uint32_t> ends = pick::thresholds(parts);
  for (size_t index = 0; index < endpoints.size(); ++index) {
    abi::endpoint entry{};
    std::memcpy(entry.address, endpoints[index].address.address.bytes().data(), sizeof entry.address);
    entry.port = htons(endpoints[index].address.port);
    entry.last = ends[index];
    entry.split = kOwnId;
    endpoints_.push_back(entry);
  }
}

pick::Turn Split::pick() const {
  const uint64_t number = cursor_->next();
  return pick::pick_destination(*split_, number).value_or(pick::Turn{});
}

pick::Turn Split::pick(uint64_t hash) const {
  const uint64_t number = cursor_->next();
  const uint32_t destination = pick::destination_at(*split_, static_cast<uint32_t>(hash >> 32));
  return {destination, static_cast<uint32_t>(number), split_->phase ^ split_->destinations[destination].key};
}

std::optional<uint32_t> Split::endpoint_of(const pick::Turn& turn) const {
  const auto index = pick::pick_endpoint(*split_, endpoints_, turn);
  if (!index) return std::nullopt;
  return *index - split_->destinations[turn.destination].first;
}

double Split::share(size_t destination) const {
  double sum = 0;
  for (const Share& share : shares_) sum += static_cast<double>(share.weight);
  return static_cast<double>(shares_[destination].weight) / sum;
}

}  // namespace weir::proxy
