#pragma once
// Our BPF programs, carried inside the binary, loaded on maps that are there or on new ones.

#include <array>

#include "base/file_descriptor.h"
#include "base/result.h"
#include "datapath/datapath.h"
#include "datapath/hooks.h"
#include "datapath/map_set.h"
#include "datapath/probe.h"

namespace weir::datapath {

struct LoadedObject {
  std::array<FileDescriptor, kMapCount> maps;  // in the order of MapId; duplicates of the descriptors that were given
  HookPrograms programs;
};

/// Ports of the proxy, [first, first + count).
struct PortRange {
  uint16_t first = 61000, count = 1000;
};

/// Maps for the programs to use.
struct GivenMaps {
  GivenMaps() { maps.fill(-1); }
  /// All of them.
  explicit GivenMaps(const MapSet& set) {
    for (size_t i = 0; i < kMapCount; ++i) maps[i] = set.fd(static_cast<MapId>(i));
  }
  std::array<int, kMapCount> maps;  // in the order of MapId; -1: a new one
  /// Those that `sockets` and `redirects` take the place of, to be looked into as well; -1: none.
  int sockets_before = -1, redirects_before = -1;
};

/// Loads the programs that this kernel can run; `sizes` are those of new maps. A program that the verifier refuses is
/// an error with the first 16 KiB of the verifier's log.
Result<LoadedObject> load_object(const KernelFeatures& features, const MapSizes& sizes, const GivenMaps& given,
                                 PortRange proxy_ports = {});

}  // namespace weir::datapath
