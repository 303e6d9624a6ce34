#pragma once
// What the maps hold as last read or written, and which places in them are free. Pure: the memory-mapped maps come in
// as spans.

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "bpf/abi.h"
#include "datapath/counter_table.h"
#include "datapath/id_allocator.h"

namespace weir::abi {

inline bool operator==(const frontend_key& a, const frontend_key& b) {
  return std::memcmp(&a, &b, sizeof(a)) == 0;
}
inline bool operator==(const frontend& a, const frontend& b) {
  return std::memcmp(&a, &b, sizeof(a)) == 0;
}
inline bool operator==(const endpoint& a, const endpoint& b) {
  return std::memcmp(&a, &b, sizeof(a)) == 0;
}
inline bool operator==(const split& a, const split& b) {
  return std::memcmp(&a, &b, sizeof(a)) == 0;
}

}  // namespace weir::abi

namespace weir::datapath {

struct FrontendKeyHash {
  size_t operator()(const abi::frontend_key& key) const noexcept;
};

/// The maps that are written through memory. Outlives every MapState made on it.
struct MapMemory {
  std::span<abi::endpoint> endpoints;
  std::span<uint64_t> cursors;  // as many as split ids
  std::span<abi::counter> counters;
};

struct MapState {
  struct Split {
    uint32_t id = 0;
    /// False: read back with values that make no sense. Its ranges are nobody's, and it is written anew at the next
    /// chance.
    bool sound = true;
    abi::split value{};
  };

  MapState(const MapMemory& maps, uint32_t frontend_capacity, uint32_t split_capacity, uint64_t node_phase);

  /// Starts over from what was read from `frontends` and `splits`, and from memory. What rests goes on resting.
  void rebuild(const std::vector<std::pair<abi::frontend_key, abi::frontend>>& frontend_elements,
               const std::vector<std::pair<uint32_t, abi::split>>& split_elements);

  MapMemory memory;
  uint32_t max_frontends = 0, max_splits = 0;
  uint64_t phase = 0;
  uint64_t next_stamp = 1;
  std::unordered_map<abi::frontend_key, abi::frontend, FrontendKeyHash> frontends;
  std::unordered_map<uint64_t, Split> splits;  // by key
  std::vector<uint32_t> stray_splits;          // ids of elements that no split of ours can be: to be deleted
  RangeAllocator ranges;
  RangeAllocator split_ids;
  CounterTable counters;

 private:
  bool take_ranges(const abi::split& split);
};

}  // namespace weir::datapath
