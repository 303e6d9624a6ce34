#pragma once
// Picks made with the kernel's own code, to show what a split comes to.

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace weir::cli {

struct DrawTarget {
  uint64_t weight = 0;     // > 0
  uint32_t endpoints = 0;  // 0: its share is refused
};

struct Drawn {
  uint64_t cursor = 0;           // where it began: the same cursor draws the same again
  std::vector<uint64_t> picked;  // by target; refused ones count too
};

/// `count` picks of bpf/pick.h from `cursor` on. An error when the kernel has no room for so many targets.
Result<Drawn> draw(std::span<const DrawTarget> targets, uint64_t count, uint64_t cursor);

}  // namespace weir::cli
