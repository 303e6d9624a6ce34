#include "datapath/map_state.h"

#include <algorithm>

namespace weir::datapath {

size_t FrontendKeyHash::operator()(const abi::frontend_key& key) const noexcept {
  uint64_t words[3];
  static_assert(sizeof(words) == sizeof(key));
  std::memcpy(words, &key, sizeof(words));
  uint64_t hash = 0;
  for (const uint64_t word : words) {
    hash = (hash ^ word) * 0x9E3779B97F4A7C15ULL;
    hash ^= hash >> 29;
  }
  return hash;
}

MapState::MapState(const MapMemory& maps, uint32_t frontend_capacity, uint32_t split_capacity, uint64_t node_phase)
    : memory(maps),
      max_frontends(frontend_capacity),
      max_splits(split_capacity),
      phase(node_phase),
      ranges(static_cast<uint32_t>(std::min<size_t>(maps.endpoints.size(), abi::MAX_ENDPOINTS))),
      split_ids(static_cast<uint32_t>(std::min<size_t>(maps.cursors.size(), split_capacity))),
      counters(maps.counters) {}

bool MapState::take_ranges(const abi::split& split) {
  if (split.key == 0 || split.destination_count == 0 || split.destination_count > abi::MAX_DESTINATIONS) return false;
  for (uint32_t i = 0; i < split.destination_count; ++i) {
    const auto& destination = split.destinations[i];
    const bool fits = destination.count == 0 ||
                      (destination.first > 0 && uint64_t{destination.first} + destination.count <= ranges.size());
    if (fits && ranges.reserve({destination.first, destination.count})) continue;
    for (uint32_t taken = 0; taken < i; ++taken)
      if (split.destinations[taken].count > 0)
        ranges.untake({split.destinations[taken].first, split.destinations[taken].count});
    return false;
  }
  return true;
}

void MapState::rebuild(const std::vector<std::pair<abi::frontend_key, abi::frontend>>& frontend_elements,
                       const std::vector<std::pair<uint32_t, abi::split>>& split_elements) {
  frontends.clear();
  splits.clear();
  stray_splits.clear();
  ranges.reset();
  split_ids.reset();
  counters.rebuild();
  for (const auto& [key, value] : frontend_elements) frontends.emplace(key, value);
  for (const auto& [id, value] : split_elements) {
    if (value.stamp >= next_stamp) next_stamp = value.stamp + 1;
    if (id == 0 || value.key == 0 || splits.contains(value.key) || !split_ids.reserve({id, 1})) {
      stray_splits.push_back(id);
      continue;
    }
    Split& split = splits[value.key];
    split = {.id = id, .sound = take_ranges(value), .value = value};
    if (!split.sound) continue;
    for (uint32_t i = 0; i < value.destination_count; ++i)
      for (uint32_t k = 0; k < value.destinations[i].count; ++k)
        counters.use(memory.endpoints[value.destinations[i].first + k].counter);
  }
}

}  // namespace weir::datapath
