#pragma once
// What the request path has counted, as the agent gets it. Zeros are left out, and histograms list only the buckets
// that hold something: a large node has many destinations without traffic.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "proxy/shared_state.h"
#include "proxy/stats.h"
#include "proxy_process/message.h"

namespace weir::proxy_process {

struct ReportInput {
  uint64_t generation = 0, uptime_ms = 0, lost_log_lines = 0;
  std::vector<const proxy::LoopStats*> loops;
};

/// Counters go on counting meanwhile: numbers of one report may be a request apart. They only rise, but for
/// connections_open. Names come from the configuration, never from a request. Any thread.
///   {"generation", "uptime_ms", "lost_log_lines",
///    "totals":    {"connections", "connections_open", ...}                    every counter of LoopStats, over all
///    loops "traffic":   [{"route": "reviews.default.svc.cluster.local:9080/jason",  the rule's name, or "reviews#0",
///    "default"
///                   "destination": "reviews.default.svc.cluster.local:9080/v2",  "" for answers of the proxy's own
///                   "requests", "tunnels", "retries", ...,
///                   "status_classes": [none, 1xx, 2xx, 3xx, 4xx, 5xx],
///                   "statuses": {"503": 1}, "flags": {"UF": 1},              those that occurred; proxy/flags.h
///                   "duration_sum_us", "durations": [{"upto_us", "count"}]}],
///    "endpoints": [{"destination", "address", "requests", ...}]}
Json make_report(const ReportInput& input, proxy::StatsRegistry& registry);

// ---------------------------------------------------------------- the agent's side

struct TrafficReport {
  std::string route, destination;
  uint64_t requests = 0, tunnels = 0, retries = 0, mirrors = 0, mirrors_dropped = 0, delays = 0, aborts = 0;
  uint64_t bytes_received = 0, bytes_sent = 0;
  std::array<uint64_t, 6> status_classes{};
  std::map<uint16_t, uint64_t> statuses;  // those that were counted apart
  std::map<std::string, uint64_t> flags;
  std::map<uint64_t, uint64_t> durations;  // inclusive upper end in us -> how many
  uint64_t duration_sum_us = 0;
};

struct EndpointReport {
  std::string destination, address;
  uint64_t requests = 0, connect_failures = 0, resets = 0, ejections = 0, connections = 0;
  std::array<uint64_t, 6> status_classes{};
};

struct Report {
  uint64_t generation = 0, uptime_ms = 0, lost_log_lines = 0;
  std::map<std::string, uint64_t> totals;  // of LoopStats, over the loops
  std::vector<TrafficReport> traffic;
  std::vector<EndpointReport> endpoints;
};
Result<Report> report_from_json(const Json& json);

}  // namespace weir::proxy_process
