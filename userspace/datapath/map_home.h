#pragma once
// The maps' place in bpffs: <dir>/maps, and <dir>/maps_new while a set of another shape is being built beside a running
// one. A start that died at any point is finished or undone by the next.

#include <optional>
#include <string>

#include "base/result.h"
#include "datapath/bpf_object.h"
#include "datapath/map_set.h"

namespace weir::datapath {

/// Maps and programs on them.
struct Home {
  MapSet maps;
  HookPrograms programs;
  bool adopted = false;
  /// The maps are in maps_new: attach first, then settle_in().
  bool beside = false;
  std::string why_new;  // why pinned maps were not adopted; empty: there were none, or they were
};

/// Adopts the pinned maps or makes new ones, and loads the programs on them. EPROTO for maps of a newer ABI.
Result<Home> open_home(const std::string& directory, const MapSizes& sizes, const KernelFeatures& features,
                       const abi::meta& meta, PortRange proxy_ports = {});
/// maps_new becomes maps; the old ones go.
Result<void> settle_in(const std::string& directory);
/// Pins again what is not pinned any more.
Result<std::vector<std::string>> repin_maps(const std::string& directory, const MapSet& maps);

}  // namespace weir::datapath
