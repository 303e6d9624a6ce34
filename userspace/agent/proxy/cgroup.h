#pragma once
// The proxy's own cgroup, by which the kernel's programs know its connections from those of its clients.

#include <cstdint>
#include <string>

#include "base/result.h"

namespace weir::agent {

/// Below the cgroup that the hooks are at.
std::string proxy_cgroup_dir(const std::string& hook_cgroup);
/// Makes it where it is missing; its id.
Result<uint64_t> make_proxy_cgroup(const std::string& dir);

}  // namespace weir::agent
