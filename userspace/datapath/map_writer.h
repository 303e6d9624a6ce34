#pragma once
// Carries out a list of writes in its order.

#include <cstdint>
#include <span>

#include "base/result.h"
#include "datapath/datapath.h"
#include "datapath/map_diff.h"
#include "datapath/map_set.h"

namespace weir::datapath {

/// After an error the maps hold a part of it, each service whole: old or new. The caller reads them anew before the
/// next diff.
Result<void> write_changes(const MapSet& maps, const Changes& changes, uint64_t unix_ns);

/// Returns when every BPF program that was running has ended.
void wait_for_programs();

/// Makes `sources` the list. ENOSPC: more than `capacity`.
Result<void> write_sources(const MapSet& maps, std::span<const SourceEntry> sources, uint32_t capacity);

}  // namespace weir::datapath
