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

/// Loads the programs that this kernel can run. `existing`: maps to use (null: new ones of `sizes`). A program that the
/// verifier refuses is an error with the first 16 KiB of the verifier's log.
Result<LoadedObject> load_object(const KernelFeatures& features, const MapSizes& sizes, const MapSet* existing,
                                 PortRange proxy_ports = {});

}  // namespace weir::datapath
