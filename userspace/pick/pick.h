#pragma once
// The kernel's pick, for user space: the same C (bpf/pick.h) over plain arrays. Pure.

#include <cstdint>
#include <optional>
#include <span>

#include "bpf/abi.h"

namespace weir::pick {

enum class PickOutcome { kEndpoint, kEmpty, kBad };

struct PickResult {
  PickOutcome outcome = PickOutcome::kBad;
  uint32_t endpoint = 0;  // index, for kEndpoint
};

/// As the connect programs pick for split `id` with the number `cursor`: kEmpty for a destination without endpoints,
/// kBad for values that make no sense.
PickResult pick(const abi::split& split, uint32_t id, std::span<const abi::endpoint> endpoints, uint64_t cursor);

/// One turn of a destination.
struct Turn {
  uint32_t destination = 0;  // number in the split
  uint32_t number = 0;       // of this pick among the destination's own
  uint64_t phase = 0;        // of the destination: where its endpoints' order begins
};

/// The two halves of pick(), for whoever chooses endpoints by another rule. Nothing for values that make no sense.
/// Precondition of the first: the destinations' `first` differ (an empty destination's too).
std::optional<Turn> pick_destination(const abi::split& split, uint64_t cursor);
/// Index into `endpoints`; nothing where the destination has none.
std::optional<uint32_t> pick_endpoint(const abi::split& split, std::span<const abi::endpoint> endpoints,
                                      const Turn& turn);

/// The destination whose interval of 2^32 holds `point`, by their `last`: what a sticky key's hash picks. The same
/// point stays where it is when a destination before it in the list does not shrink.
/// Precondition: at least one destination, the last one's `last` is 2^32 - 1.
uint32_t destination_at(const abi::split& split, uint32_t point);

/// What abi::frontend::check holds for `key`.
uint64_t frontend_check(const abi::frontend_key& key);

}  // namespace weir::pick
