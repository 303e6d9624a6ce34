#pragma once
// What all loops and all snapshots of the process share: it outlives every change of the configuration.

#include <string>

#include "proxy/cursors.h"
#include "proxy/destination_state.h"
#include "proxy/stats.h"

namespace weir::proxy {

/// Any thread.
struct SharedState {
  /// `node`: this node's name; `loops`: number of workers, at least 1.
  SharedState(std::string node, size_t loops) : cursors(std::move(node)), stats(loops) {}

  Cursors cursors;
  StatsRegistry stats;
  DestinationRegistry destinations;

  /// Forgets what no snapshot holds any more. Call some time after a change.
  void sweep() {
    cursors.sweep();
    stats.sweep();
    destinations.sweep();
  }
};

}  // namespace weir::proxy
