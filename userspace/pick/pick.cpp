#include "pick/pick.h"

#include "bpf/pick.h"

namespace weir::abi {

struct pick_endpoints {
  std::span<const endpoint> all;
};

static inline const endpoint* pick_endpoint_at(const pick_endpoints* endpoints, __u32 index) {
  return index < endpoints->all.size() ? &endpoints->all[index] : nullptr;
}

}  // namespace weir::abi

namespace weir::pick {

PickResult pick(const abi::split& split, uint32_t id, std::span<const abi::endpoint> endpoints, uint64_t cursor) {
  abi::pick_place place{};
  abi::pick_destination(&split, cursor, &place);
  if (!place.found || split.mode != abi::SPLIT_EXACT) return {};
  if (place.count == 0) return {.outcome = PickOutcome::kEmpty};
  const abi::pick_endpoints source{endpoints};
  const uint32_t index = abi::pick_endpoint(&source, &place);
  const abi::endpoint* endpoint = abi::pick_endpoint_at(&source, index);
  if (endpoint == nullptr || endpoint->split != id || endpoint->port == 0) return {};
  return {.outcome = PickOutcome::kEndpoint, .endpoint = index};
}

std::optional<Turn> pick_destination(const abi::split& split, uint64_t cursor) {
  abi::pick_place place{};
  abi::pick_destination(&split, cursor, &place);
  if (!place.found) return std::nullopt;
  for (uint32_t number = 0; number < split.destination_count; ++number) {
    if (split.destinations[number].first == place.first) return Turn{number, place.turn, place.phase};
  }
  return std::nullopt;
}

std::optional<uint32_t> pick_endpoint(const abi::split& split, std::span<const abi::endpoint> endpoints,
                                      const Turn& turn) {
  const abi::split_destination& destination = split.destinations[turn.destination];
  abi::pick_place place{};
  place.found = 1;
  place.first = destination.first;
  place.count = destination.count;
  place.flags = destination.flags;
  place.turn = turn.number;
  place.phase = turn.phase;
  const abi::pick_endpoints source{endpoints};
  const uint32_t index = abi::pick_endpoint(&source, &place);
  if (index == abi::PICK_NONE) return std::nullopt;
  return index;
}

uint32_t destination_at(const abi::split& split, uint32_t point) {
  uint32_t number = 0;
  while (number + 1 < split.destination_count && split.destinations[number].last < point) ++number;
  return number;
}

uint64_t frontend_check(const abi::frontend_key& key) {
  return abi::frontend_check(&key);
}

}  // namespace weir::pick
