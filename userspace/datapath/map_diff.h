#pragma once
// From what the maps hold to what they are to hold: a list of writes in an order that never shows a client half of it.
// Pure.
//
//   diff() takes places and lists the writes; then either the caller writes them in order and calls commit(), or
//   undo().

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "datapath/map_image.h"
#include "datapath/map_state.h"

namespace weir::datapath {

/// The writes, in the order in which they are to be made. Make before break: whatever a later write names is there
/// already.
struct Changes {
  uint64_t generation = 0;

  std::vector<std::pair<uint32_t, abi::counter>> counters;  // 1. identities of new counters
  std::vector<Range> fresh;                                 // 2. endpoints of these ranges, one after the other
  std::vector<abi::endpoint> endpoints;
  std::vector<uint32_t> split_ids;  // 3. whole splits
  std::vector<abi::split> splits;
  std::vector<abi::frontend_key> frontend_keys;  // 4.
  std::vector<abi::frontend> frontends;
  std::vector<abi::frontend_key> gone_frontends;  // 5.
  std::vector<uint32_t> gone_splits;              // 6.

  // What commit() and undo() need to know besides.
  std::vector<uint64_t> gone_split_keys;
  std::vector<Range> freed;
  std::vector<uint32_t> fresh_ids, freed_ids;
  std::vector<std::string> warnings;

  /// Elements written or deleted.
  [[nodiscard]] size_t operations() const;
};

struct Wanted {
  std::vector<const ServiceImage*> services;
  /// True: what none of `services` names goes. False: only what is listed below goes, unless one of `services` names
  /// it.
  bool everything = false;
  std::vector<abi::frontend_key> gone_frontends;
  std::vector<uint64_t> gone_splits;  // keys
};

/// Where two services claim one address and port, the first of the list has it (and a warning says so). ENOSPC, and
/// nothing taken, when a map is too small: the message names the map, what is needed and what there is.
Result<Changes> diff(MapState& state, const Wanted& wanted, uint64_t generation, uint64_t now_ns);
/// All of `changes` has been written (the endpoints to state.memory as well).
void commit(MapState& state, const Changes& changes, uint64_t now_ns);
/// None of it will be written.
void undo(MapState& state, const Changes& changes);

/// One line an operation, in order.
std::vector<std::string> to_lines(const Changes& changes);
/// One line: "default/reviews:9080/reviews#0/v4 v1=90.00% (10.0.0.1:80 10.0.0.2:80) v2=10.00% ()".
std::string to_text(const abi::split& split, std::span<const abi::endpoint> endpoints);
std::string to_text(const abi::frontend& frontend);

}  // namespace weir::datapath
