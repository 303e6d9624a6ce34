#include "proxy/hash_table.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <utility>

#include "base/hash.h"

namespace weir::proxy {
namespace {

// 8 MiB of ring; more places would not make the shares any more even.
constexpr uint64_t kMaxRing = uint64_t{1} << 20;

uint64_t sum_of_weights(std::span<const WeightedEndpoint> endpoints) {
  uint64_t sum = 0;
  for (const WeightedEndpoint& endpoint : endpoints) sum += endpoint.weight;
  return sum;
}

uint64_t min_weight(std::span<const WeightedEndpoint> endpoints) {
  uint64_t least = endpoints.front().weight;
  for (const WeightedEndpoint& endpoint : endpoints) least = std::min<uint64_t>(least, endpoint.weight);
  return std::max<uint64_t>(least, 1);
}

uint64_t max_weight(std::span<const WeightedEndpoint> endpoints) {
  uint64_t most = 1;
  for (const WeightedEndpoint& endpoint : endpoints) most = std::max<uint64_t>(most, endpoint.weight);
  return most;
}

}  // namespace

HashTable HashTable::ring(std::span<const WeightedEndpoint> endpoints, uint64_t size) {
  size = std::min(std::max<uint64_t>(size, endpoints.size()), kMaxRing);
  const uint64_t sum = sum_of_weights(endpoints), least = min_weight(endpoints);
  // Places of the lightest endpoint. A power of two, so that it seldom changes with the number of endpoints: places
  // that come or go move keys between endpoints that stay.
  uint64_t unit = std::bit_ceil((size * least + sum - 1) / sum);
  while (unit > 1 && unit * sum / least > kMaxRing) unit /= 2;
  std::vector<std::pair<uint32_t, uint32_t>> places;
  for (uint32_t index = 0; index < endpoints.size(); ++index) {
    const std::string name = endpoints[index].address.to_string() + "_";
    const uint64_t count = std::clamp<uint64_t>(unit * endpoints[index].weight / least, 1, kMaxRing);
    for (uint64_t place = 0; place < count; ++place) {
      places.emplace_back(static_cast<uint32_t>(hash64(name + std::to_string(place)) >> 32), index);
    }
  }
  std::sort(places.begin(), places.end());
  HashTable table;
  table.points_.reserve(places.size());
  table.slots_.reserve(places.size());
  for (const auto& [point, index] : places) {
    table.points_.push_back(point);
    table.slots_.push_back(index);
  }
  return table;
}

HashTable HashTable::maglev(std::span<const WeightedEndpoint> endpoints, uint64_t size) {
  constexpr uint32_t kFree = 0xffffffff;
  struct Walk {
    uint64_t at, step;
    double weight, target = 0;
  };
  std::vector<Walk> walks;
  const auto most = static_cast<double>(max_weight(endpoints));
  for (const WeightedEndpoint& endpoint : endpoints) {
    const std::string name = endpoint.address.to_string();
    const uint64_t step = size > 1 ? hash64(name, hash64("step")) % (size - 1) + 1 : 1;
    walks.push_back({hash64(name) % size, step, endpoint.weight / most});
  }
  HashTable table;
  table.slots_.assign(size, kFree);
  uint64_t left = size;
  for (uint64_t round = 1; left > 0; ++round) {
    for (uint32_t index = 0; index < walks.size() && left > 0; ++index) {
      Walk& walk = walks[index];
      // Lighter endpoints sit rounds out.
      if (static_cast<double>(round) * walk.weight < walk.target) continue;
      walk.target += 1;
      while (table.slots_[walk.at] != kFree) walk.at = (walk.at + walk.step) % size;
      table.slots_[walk.at] = index;
      --left;
    }
  }
  return table;
}

uint32_t HashTable::find(uint64_t key, uint32_t attempt) const {
  if (points_.empty()) {
    // As Envoy does: another key for each attempt.
    if (attempt > 0) key ^= ~uint64_t{0} - attempt + 1;
    return slots_[key % slots_.size()];
  }
  const auto point = static_cast<uint32_t>(key >> 32);
  const auto place = std::lower_bound(points_.begin(), points_.end(), point) - points_.begin();
  return slots_[(static_cast<size_t>(place) + attempt) % slots_.size()];
}

}  // namespace weir::proxy
