#include "agent/proxy/cgroup.h"

#include <sys/stat.h>

#include <cerrno>

#include "datapath/cgroup.h"

namespace weir::agent {

std::string proxy_cgroup_dir(const std::string& hook_cgroup) {
  return hook_cgroup + "/weir-proxy";
}

Result<uint64_t> make_proxy_cgroup(const std::string& dir) {
  if (::mkdir(dir.c_str(), 0755) != 0 && errno != EEXIST) return errno_error("make the proxy's cgroup " + dir);
  const auto cgroup = datapath::open_cgroup(dir);
  if (!cgroup) return cgroup.error();
  return datapath::cgroup_id(*cgroup);
}

}  // namespace weir::agent
