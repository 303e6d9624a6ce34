#pragma once
// What the agent knows of itself, as its views and its log show it. Values: a copy is a snapshot, any thread.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/dns/resolved_name.h"
#include "agent/outside/state.h"
#include "agent/proxy/state.h"
#include "config/diagnostic.h"
#include "datapath/datapath.h"
#include "routing/table.h"

namespace weir::agent {

using WallClock = std::chrono::system_clock;

/// The folder as it is now is not what the kernel does; the last good configuration goes on.
struct Trouble {
  enum class Kind {
    kFolder,  // cannot be read at all
    kConfig,  // has errors
    kKernel,  // the maps did not take it (full, no right)
  };
  Kind kind = Kind::kConfig;
  WallClock::time_point since;
  std::string summary;         // one line
  config::Diagnostics errors;  // of kConfig
};
/// "folder", "config", "kernel".
std::string_view to_string(Trouble::Kind kind);

/// How long the last change took, in milliseconds.
struct Timing {
  double debounce_ms = 0;         // from the first event of the burst until the debounce let it through
  double event_to_kernel_ms = 0;  // from then on until the kernel had it
  // Of which:
  double read_ms = 0, build_ms = 0, apply_ms = 0;
};

/// Drift that the periodic look at the maps found and mended.
struct Drift {
  uint64_t times = 0;
  WallClock::time_point last;
  std::vector<std::string> lines;  // of the last time, the first few
};

/// Records of sockets that are gone, which a look once a minute has taken away.
struct Swept {
  uint64_t times = 0;
  uint64_t records = 0, proofs = 0;  // removed in all
  std::string trouble;               // why the last look came to nothing; empty: it did not
};

struct State {
  // The configuration that the kernel has. Null until one was taken over.
  std::shared_ptr<const routing::Table> table;
  uint64_t generation = 0;
  WallClock::time_point applied_at;
  datapath::ApplyReport report;
  Timing timing;

  size_t files = 0, warnings = 0;         // of the folder as it is now
  std::map<std::string, size_t> objects;  // by kind
  bool attached = false;                  // the hooks, by this agent
  std::optional<Trouble> trouble;
  Drift drift;
  Swept swept;
  bool adopted = false;  // the maps were an earlier agent's when this one started
  ProxyState proxy;
  OutsideState outside;
  ResolvedNameStates names;  // that endpoints are called by
};

}  // namespace weir::agent
