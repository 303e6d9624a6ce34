#pragma once
// The maps' place in bpffs: <dir>/maps; <dir>/maps_new while some of them are being made anew beside those that run,
// the others pinned there too; <dir>/maps_old until what programs had written in the old ones has been moved. A start
// that died at any point is finished or undone by the next.

#include <optional>
#include <string>

#include "base/result.h"
#include "datapath/bpf_object.h"
#include "datapath/map_carry.h"
#include "datapath/map_set.h"

namespace weir::datapath {

/// Maps and programs on them.
struct Home {
  MapSet maps;
  HookPrograms programs;
  /// The maps hold all that an earlier agent's did.
  bool adopted = false;
  /// The maps are in maps_new: attach first, then settle_in().
  bool beside = false;
  std::string why_new;  // why pinned maps were not all adopted; empty: there were none, or they were

  NumberCarry numbers;
  /// Of an earlier set, with connections in them: the programs look into both, and move_in() is to come.
  std::optional<OldMap> old_sockets, old_redirects;
};

/// Adopts the pinned maps, makes those anew that are missing or of another shape and fills them, and loads the programs
/// on them. EPROTO for maps of a newer ABI.
Result<Home> open_home(const std::string& directory, const MapSizes& sizes, const KernelFeatures& features,
                       const abi::meta& meta, PortRange proxy_ports = {});
/// Programs on the maps of `home` are attached: maps_new becomes maps, what was maps becomes maps_old.
Result<void> settle_in(const std::string& directory, Home* home);
/// No program runs any more that writes to the old maps: moves what is left in them, and removes them. The programs are
/// to be loaded anew afterwards: load_on().
Result<void> move_in(const std::string& directory, Home* home);
/// Programs on the maps of `home` alone.
Result<HookPrograms> load_on(const Home& home, const KernelFeatures& features, PortRange proxy_ports);
/// Pins again what is not pinned any more.
Result<std::vector<std::string>> repin_maps(const std::string& directory, const MapSet& maps);

}  // namespace weir::datapath
