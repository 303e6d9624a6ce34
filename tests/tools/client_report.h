#pragma once
// What a run of connections came to, as one line of JSON.

#include <cstdint>
#include <string>

#include "client_worker.h"

namespace weir::tools {

/// {"total","failed","errors":{},"by_version":{},"elapsed_us","connections_per_s","latency_us":{"mean","p50","p90","p99","max"}}
/// and "sequence" where it was kept.
std::string to_json(ClientCounts counts, uint64_t elapsed_ns);

}  // namespace weir::tools
