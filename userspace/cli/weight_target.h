#pragma once
// Which route of which rule `weir weight SERVICE v2=90 v3=10` means, and what becomes of its destinations. Pure.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cli/weight_edit.h"
#include "routing/table.h"

namespace weir::cli {

/// "v2=90": a subset (or the host where there is none) and its weight.
struct Assignment {
  std::string destination;
  uint32_t weight = 0;
};
/// Errors are the command line's fault.
Result<std::vector<Assignment>> parse_assignments(const std::vector<std::string>& words);

struct WeightChange {
  std::string destination;
  uint64_t before = 0, after = 0;
};

struct WeightTarget {
  routing::Origin route;              // file and index
  std::string protocol;               // "http", "tls", "tcp"
  std::vector<WeightChange> changes;  // every destination of the route, in order
  std::vector<WeightEdit> edits;
};

/// `service`: as find_service() takes it, for a client of `namespace_`. `route`: name or index; empty: the only one
/// that has all the destinations. An error says what there is instead.
Result<WeightTarget> find_weight_target(const routing::Table& table, const std::string& service,
                                        const std::string& namespace_, const std::string& route,
                                        const std::vector<Assignment>& assignments);

}  // namespace weir::cli
