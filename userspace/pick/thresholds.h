#pragma once
// Weights as inclusive upper points of 2^32: what bpf/pick.h searches.

#include <cstdint>
#include <span>
#include <vector>

namespace weir::pick {

/// One threshold a weight, strictly rising, the last one 2^32 - 1. Each interval is off its exact share of 2^32 by at
/// most 1, except that none is empty. Any sum. Precondition: 1 to 2^20 weights, all > 0.
std::vector<uint32_t> thresholds(std::span<const uint64_t> weights);

}  // namespace weir::pick
