#pragma once
// What the HTTP fuzz targets share: one input, cut in two ways, has one outcome; what is accepted can be written again,
// and what was written is sound and means the same.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/http/support.h"

namespace weir::http {

[[noreturn]] inline void found(const char* what, std::string_view bytes) {
  std::fprintf(stderr, "%s\n%.*s\n", what, static_cast<int>(bytes.size()), bytes.data());
  std::abort();
}

/// A few cuts that depend on `seed` alone, so that a crash can be replayed.
inline std::vector<std::size_t> some_cuts(std::uint8_t seed, std::size_t size) {
  std::vector<std::size_t> cuts;
  for (std::size_t at = seed % 7 + 1; at < size; at += seed % 31 + 1) cuts.push_back(at);
  return cuts;
}

template <class Replay>
Outcome replay_both_ways(std::string_view raw, std::uint8_t seed, Replay&& once) {
  Outcome whole = once(raw, std::vector<std::size_t>{});
  if (!(once(raw, some_cuts(seed, raw.size())) == whole)) found("the outcome depends on the cut", raw);
  if (!(once(raw, every_byte(raw.size())) == whole)) found("the outcome depends on the cut at every byte", raw);
  return whole;
}

}  // namespace weir::http
