#pragma once
// Looks for drift without touching anything of the datapath that it was made by: what was applied, to be compared with
// the pinned maps on any thread.

#include <cstdint>
#include <string>

#include "base/result.h"
#include "datapath/datapath.h"
#include "datapath/proxy_ports.h"
#include "datapath/service_delta.h"

namespace weir::datapath {

struct DriftCheck {
  std::string maps_dir;  // where the maps are pinned
  MapSizes sizes;
  uint64_t node_phase = 0;
  Services services;  // that were applied, as `generation`
  ProxyPorts ports;
  uint64_t generation = 0;

  /// Whether `frontends`, `splits`, `endpoints` and `counters` hold what was applied and nothing else. Writes nothing.
  /// What is applied while it reads looks like drift: compare generations before believing it. An error: the maps are
  /// not there or cannot be read.
  [[nodiscard]] Result<bool> finds_nothing() const;
};

}  // namespace weir::datapath
