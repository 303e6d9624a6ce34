#pragma once
// The agent's state as JSON, for the admin API; `weir get`, `status` and `describe` show nothing else. Field names are
// stable. Pure functions of snapshots: any thread.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "agent/views/observed.h"
#include "agent/views/state.h"
#include "datapath/datapath.h"
#include "datapath/maps_view.h"

namespace weir::agent {

using Json = nlohmann::ordered_json;

/// RFC 3339 in UTC with milliseconds: "2026-11-21T10:00:00.000Z".
std::string to_text(WallClock::time_point time);

/// Facts that do not change while the agent runs.
struct AgentFacts {
  int pid = 0;
  std::string version, node, config_dir, run_dir, bpffs_dir, cgroup;
  WallClock::time_point started_at;
  bool all_services = false;
};

/// What the kernel's side says; absent parts could not be read.
struct KernelFacts {
  std::optional<datapath::Status> status;
  std::optional<datapath::MapsView> maps;
  std::string error;  // why not
};

/// All that is not as it should be, a line each; empty: healthy.
std::vector<std::string> problems(const State& state, const KernelFacts& kernel);

Json status_view(const AgentFacts& facts, const State& state, const KernelFacts& kernel);
/// One entry a service port. `table` may be null: nothing yet.
Json services_view(const routing::Table* table, const datapath::MapsView* maps);
/// One entry a route of a VirtualService.
Json routes_view(const routing::Table* table);
/// One entry a split, with intended and observed share.
Json splits_view(const routing::Table* table, const datapath::MapsView* maps, const Observed& observed);
/// One entry a port of this node that is an ingress gateway's.
Json gateways_view(const routing::Table* table, const datapath::MapsView* maps);
/// One entry an endpoint of a service port.
Json endpoints_view(const routing::Table* table, const datapath::MapsView* maps);

// Shared with the command line where no agent runs.
Json hooks_json(const datapath::Status& status);
Json maps_json(const datapath::MapsView& maps);
Json verdicts_json(const datapath::MapsView& maps);
Json packets_json(const datapath::MapsView& maps);
Json counts_json(const datapath::Counts& counts);
/// {"kind","namespace","name","route","index","file","line","column"}.
Json origin_json(const routing::Origin& origin);
/// {"level","code","message","hint","object","file","line","column"}.
Json diagnostic_json(const config::Diagnostic& diagnostic);

}  // namespace weir::agent
