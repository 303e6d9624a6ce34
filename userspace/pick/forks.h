#pragma once
// Weights as a tree of forks: what bpf/pick.h walks.

#include <cstdint>
#include <span>
#include <vector>

#include "bpf/abi.h"

namespace weir::pick {

/// One fork fewer than weights, the root first; none for one weight. Balanced by weight, so that the errors of one fork
/// after the other do not add up. Precondition: 1 to MAX_DESTINATIONS weights, all > 0, any sum.
std::vector<abi::split_fork> make_forks(std::span<const uint64_t> weights);

}  // namespace weir::pick
