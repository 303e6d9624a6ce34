#pragma once
// What goes from maps into those that take their place: everything that fits, so that ids hold, nothing is counted
// twice and no counter falls. One thread.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"
#include "datapath/bpf_map.h"
#include "datapath/map_set.h"

namespace weir::datapath {

/// A map that another takes the place of.
struct OldMap {
  FileDescriptor fd;
  MapInfo info;
};
/// By MapId; none where the map is carried on as it is, or there was none.
using OldMaps = std::array<std::optional<OldMap>, kMapCount>;

/// Fills `fresh` from `old`: what user space writes, and `verdicts`. Programs go on writing `sockets` and `redirects`
/// (see move_elements()), `cursors` and `counters` (NumberCarry). False: something did not fit, and the maps do not say
/// all that the old ones did.
Result<bool> fill_maps(const OldMaps& old, const MapSet& fresh);

/// Moves what `from` holds into `to`, hash maps of one layout, while programs look into both and write to `to` alone.
/// What is closed meanwhile stays closed; what does not fit is left where it is.
Result<void> move_elements(const OldMap& from, int to);

/// Numbers that programs count on in old arrays until the last of them runs on the new ones.
class NumberCarry {
 public:
  NumberCarry() = default;
  /// Copies what has been counted so far; nothing where `old` has no such map of the same layout.
  static Result<NumberCarry> begin(const OldMaps& old, const MapMemory& fresh);
  /// Adds what was counted in the old arrays since the last time.
  void go_on(const MapMemory& fresh);

 private:
  Mapping old_cursors_, old_counters_;
  std::vector<uint64_t> cursors_;       // as seen last
  std::vector<abi::counter> counters_;  // as seen last
};

}  // namespace weir::datapath
