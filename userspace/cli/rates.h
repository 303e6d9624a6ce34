#pragma once
// Rates and percentiles out of two looks at counters. Pure.

#include <optional>
#include <string>

#include "cli/output.h"

namespace weir::cli {

/// Duration below which `share` of what `durations` count lies ([{"upto_us", "count"}], ascending), in milliseconds:
/// the upper end of its bucket. Nothing without any.
std::optional<double> percentile_ms(const Json& durations, double share);

/// `now` less `before`, entry by entry as /stat gives them ("services"): a row that is new, or whose counters went back
/// (the proxy was restarted), counts from 0. Adds "rate" (a second) and, for requests, "success_rate", "p50_ms",
/// "p95_ms", "p99_ms"; and "share" of the rule's total. `seconds` > 0.
Json add_rates(const Json& before, const Json& now, double seconds);

}  // namespace weir::cli
