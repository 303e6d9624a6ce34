#pragma once
// Which network namespace on this node has which address: how rules that tell clients apart find a pod's connections.
// Namespaces are found through processes and /run/netns; needs CAP_SYS_ADMIN to look into them (and the host's /proc).

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"

namespace weir::datapath {

struct NetNamespace {
  uint64_t inode = 0;
  uint64_t cookie = 0;               // what bpf_get_netns_cookie() gives for its sockets
  bool own = false;                  // the one this process is in: the node's, whose processes cannot be told apart
  std::vector<IpAddress> addresses;  // without loopback and link-local ones, sorted
  std::string error;                 // why it could not be looked into; then cookie is 0
};

/// Calls `visit` in each namespace that can be found now, by inode, one after the other, on threads of their own; with
/// an error for one that cannot be entered.
Result<void> visit_net_namespaces(const std::function<void(uint64_t inode, std::optional<Error> error)>& visit,
                                  const std::string& proc = "/proc", const std::string& run_netns = "/run/netns");

/// All that can be found now, sorted by inode. Nothing is kept from one call to the next: the kernel gives a dead
/// namespace's inode number to a new one.
Result<std::vector<NetNamespace>> find_net_namespaces(const std::string& proc = "/proc",
                                                      const std::string& run_netns = "/run/netns");

}  // namespace weir::datapath
