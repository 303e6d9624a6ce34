#pragma once
// Picks made with the kernel's own code, to show what a split comes to.

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace weir::cli {

struct DrawTarget {
  uint64_t weight = 0;  // > 0
};

struct Drawn {
  uint64_t phase = 0;            // the order of the picks: the same phase draws the same again
  std::vector<uint64_t> picked;  // by target
};

/// The first `count` picks of bpf/pick.h in the order of `phase`. An error when the kernel has no room for so many
/// targets.
Result<Drawn> draw(std::span<const DrawTarget> targets, uint64_t count, uint64_t phase);

}  // namespace weir::cli
