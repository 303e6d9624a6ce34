#pragma once
// The kernel's pick, for user space: the same C (bpf/pick.h) over plain arrays. Pure.

#include <cstdint>
#include <optional>
#include <span>

#include "bpf/abi.h"

namespace weir::datapath {

enum class PickOutcome { kEndpoint, kEmpty, kBad };

struct PickResult {
  PickOutcome outcome = PickOutcome::kBad;
  uint32_t endpoint = 0;  // index, for kEndpoint
};

/// As the connect programs pick for split `id` with the number `cursor`: kEmpty for a destination without endpoints,
/// kBad for values that make no sense.
PickResult pick(const abi::split& split, uint32_t id, std::span<const abi::endpoint> endpoints, uint64_t cursor);

/// What abi::frontend::check holds for `key`.
uint64_t frontend_check(const abi::frontend_key& key);

}  // namespace weir::datapath
