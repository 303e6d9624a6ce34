#include "datapath/pick.h"

#include "bpf/pick.h"

namespace weir::abi {

struct pick_endpoints {
  std::span<const endpoint> all;
};

static inline const endpoint* pick_endpoint_at(const pick_endpoints* endpoints, __u32 index) {
  return index < endpoints->all.size() ? &endpoints->all[index] : nullptr;
}

}  // namespace weir::abi

namespace weir::datapath {

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

uint64_t frontend_check(const abi::frontend_key& key) {
  return abi::frontend_check(&key);
}

}  // namespace weir::datapath
