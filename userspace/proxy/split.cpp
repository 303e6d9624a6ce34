#include "proxy/split.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <string>

#include "bpf/pick.h"

namespace weir::abi {

struct pick_endpoints {
  std::span<const endpoint> all;
};

static inline const endpoint* pick_endpoint_at(const pick_endpoints* endpoints, __u32 index) {
  return index < endpoints->all.size() ? &endpoints->all[index] : nullptr;
}

}  // namespace weir::abi

namespace weir::proxy {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr uint32_t kOwnId = 1;

/// Weights as inclusive upper points of 2^32, as the kernel's maps hold them: strictly rising, the last one 2^32 - 1,
/// no interval empty.
std::vector<uint32_t> thresholds(std::span<const uint64_t> weights) {
  Wide sum = 0;
  for (const uint64_t weight : weights) sum += weight;
  std::vector<uint32_t> result;
  result.reserve(weights.size());
  Wide before = 0;
  int64_t previous = -1;
  for (size_t index = 0; index < weights.size(); ++index) {
    before += weights[index];
    const auto ideal = static_cast<int64_t>((before << 32) / sum) - 1;
    const int64_t most = (int64_t{1} << 32) - static_cast<int64_t>(weights.size() - index);
    previous = std::min(std::max(ideal, previous + 1), most);
    result.push_back(static_cast<uint32_t>(previous));
  }
  return result;
}

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
  const std::vector<uint32_t> lasts = thresholds(weights);
  for (size_t number = 0; number < shares_.size(); ++number) {
    const auto& endpoints = shares_[number].endpoints;
    abi::split_destination& destination = split_->destinations[number];
    destination.last = lasts[number];
    destination.first = static_cast<uint32_t>(endpoints_.size());
    destination.count = static_cast<uint32_t>(endpoints.size());
    if (endpoints.empty()) continue;
    if (!even(endpoints)) destination.flags = abi::DESTINATION_WEIGHTED;
    std::vector<uint64_t> parts;
    for (const WeightedEndpoint& endpoint : endpoints) parts.push_back(endpoint.weight);
    const std::vector<uint32_t> ends = thresholds(parts);
    for (size_t index = 0; index < endpoints.size(); ++index) {
      abi::endpoint entry{};
      std::memcpy(entry.address, endpoints[index].address.address.bytes().data(), sizeof entry.address);
      entry.port = htons(endpoints[index].address.port);
      entry.last = ends[index];
      entry.split = kOwnId;
      endpoints_.push_back(entry);
    }
  }
}

Split::Pick Split::pick() const {
  const uint64_t before = cursor_->fetch_add(WEIR_GOLDEN_RATIO, std::memory_order_relaxed);
  return pick_at(abi::pick_point(before + WEIR_GOLDEN_RATIO));
}

Split::Pick Split::pick_at(uint32_t point) const {
  abi::pick_place place{};
  abi::pick_destination(split_.get(), point, &place);
  assert(place.found);
  // pick_destination() says where, not which: the range is the destination's own, but several may be empty.
  Pick pick;
  while (split_->destinations[pick.destination].last < point) ++pick.destination;
  const abi::pick_endpoints source{endpoints_};
  const uint32_t index = abi::pick_endpoint(&source, &place);
  if (index != abi::PICK_NONE) pick.endpoint = index - place.first;
  return pick;
}

double Split::share(size_t destination) const {
  double sum = 0;
  for (const Share& share : shares_) sum += static_cast<double>(share.weight);
  return static_cast<double>(shares_[destination].weight) / sum;
}

}  // namespace weir::proxy
