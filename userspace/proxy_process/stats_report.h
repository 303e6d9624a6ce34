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

/// {"generation", "uptime_ms", "loops": [{...}], "traffic": [{"route", "destination", "requests", ...}],
/// "endpoints": [{"destination", "address", ...}], "histogram": upper ends in us}. Any thread.
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
