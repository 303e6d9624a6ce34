#pragma once
// Starting `weir proxy`: a child without rights, in a cgroup of its own, that outlives us.

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace weir::agent {

struct ProxyLaunch {
  /// "proxy --control-fd 3 --agent-uid N" are its arguments.
  std::string executable = "/proc/self/exe";
  std::string run_dir;     // its control socket is RUN_DIR/proxy-N.sock
  std::string cgroup_dir;  // exists; empty: ours
  uid_t uid = 65534;
  gid_t gid = 65534;
};

struct LaunchedProxy {
  pid_t pid = 0;
  std::string socket_path;
};

/// The ids of `user`; where there is no such user, "nobody's" (65534). `user` empty: weir-proxy. An error when a user
/// was named and is not there.
struct UserIds {
  uid_t uid = 65534;
  gid_t gid = 65534;
};
Result<UserIds> proxy_user_ids(const std::string& user);

/// Returns when the program runs; it may end at once (its stderr, which is ours, says why). Whoever calls reaps it.
Result<LaunchedProxy> launch_proxy(const ProxyLaunch& launch);

/// RUN_DIR/proxy-*.sock, lowest number first.
std::vector<std::string> proxy_sockets(const std::string& run_dir);

}  // namespace weir::agent
