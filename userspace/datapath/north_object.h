#pragma once
// The packet programs, carried inside the binary, loaded on the maps of the connect programs and on their own.

#include <array>
#include <cstdint>

#include "base/file_descriptor.h"
#include "base/result.h"
#include "datapath/map_set.h"
#include "datapath/north.h"
#include "datapath/probe.h"

namespace weir::datapath {

/// The packet programs' own maps that outlive a process.
enum class NorthMap {
  kFlows,
  kReverse,
  kEmbryos,
  kEmbryoReverse,
  kConfig,
  kState,
  kDevices,
  kCounts,
  kSieve,
};
inline constexpr size_t kNorthMapCount = 9;
/// As in bpf/packet/maps.h, also of the pin.
const char* north_map_name(NorthMap map);

using NorthMaps = std::array<FileDescriptor, kNorthMapCount>;

struct NorthObject {
  NorthMaps maps;
  FileDescriptor xdp, tc_in, tc_out;
};

/// Loads the programs on `shared`. `existing`: descriptors of own maps to use; those that are not valid are made anew
/// in `sizes`. A program that the verifier refuses is an error with the first 16 KiB of the verifier's log.
Result<NorthObject> load_north_object(const KernelFeatures& features, const NorthSizes& sizes, const MapSet& shared,
                                      const NorthMaps* existing);

}  // namespace weir::datapath
