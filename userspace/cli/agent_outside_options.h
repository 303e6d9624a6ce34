#pragma once
// Options of `weir agent` that are about what comes to the node from outside.

#include <string>
#include <vector>

#include "agent/options.h"
#include "base/result.h"

namespace weir::cli {

/// "eth0" or "eth0=xdp" each, "20000-29999", into `options`, whose proxy ports are set. An error names the option.
Result<void> read_outside_options(const std::vector<std::string>& interfaces, const std::string& ports,
                                  agent::Options& options);

}  // namespace weir::cli
