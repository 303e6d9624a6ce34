#pragma once
// All counters of the request path as one JSON document, for the agent and everything that it feeds. Pure but for
// reading the counters, which go on counting: numbers of one document may be a request apart. Any thread.
//
//   {"routes":    [{"route": "reviews.default.svc.cluster.local:9080/jason",      the rule's name, or "reviews#0",
//   "default"
//                   "destination": "reviews.default.svc.cluster.local:9080/v2",   "" for answers of the proxy's own
//                   "requests", "tunnels", "retries", "mirrors", "mirrors_dropped", "delays", "aborts",
//                   "bytes_received", "bytes_sent",                                bodies, from and to the client
//                   "codes": {"2xx": 10, "none": 1},                               those that occurred
//                   "flags": {"UF": 1},                                            proxy/flags.h; those that occurred
//                   "duration_us": {"sum", "p50", "p95", "p99", "buckets": [[upper, count], ...]}}],
//    "endpoints": [{"destination", "address", "requests", "connections", "connect_failures", "resets", "ejections",
//                   "codes"}],
//    "loops":     [{"connections", "connections_open", "requests", ...}]}          every counter of LoopStats
//
// Counters only rise, but for connections_open. `upper` is a bucket's inclusive upper end in microseconds; buckets
// without a count are left out. Names come from the configuration, never from a request.

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>

#include "proxy/stats.h"

namespace weir::proxy {

using BucketCounts = std::array<uint64_t, Histogram::kBuckets>;

/// The upper end of the bucket in which `share` (0 to 1) of all durations are; 0 if there are none.
std::chrono::microseconds percentile(const BucketCounts& counts, double share);
/// Over all loops.
BucketCounts sum_of_durations(const Sharded<TrafficStats>& stats);

std::string stats_json(StatsRegistry& registry, std::span<const LoopStats* const> loops);

}  // namespace weir::proxy
