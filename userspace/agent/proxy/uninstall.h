#pragma once
// Ending every proxy of a run directory, for `weir uninstall`: no agent runs.

#include <chrono>
#include <cstddef>
#include <string>

namespace weir::agent {

/// Lets each end its connections for at most `patience`, then ends it, removes its socket and, when given, the proxies'
/// cgroup below `hook_cgroup` (empty: not known). Returns how many were running.
size_t end_proxies(const std::string& run_dir, const std::string& hook_cgroup, std::chrono::milliseconds patience);

}  // namespace weir::agent
