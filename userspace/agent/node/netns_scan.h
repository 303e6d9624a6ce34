#pragma once
// Which network namespaces this node has, and which addresses are in them: so that a pod's address leads to the cookie
// by which the kernel programs know its connections.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"

namespace weir::agent {

struct NetnsScan {
  /// Without loopback and link-local addresses. An address that several namespaces have is left out: it tells nobody
  /// apart.
  std::map<IpAddress, uint64_t> cookie_of;
  size_t namespaces = 0;
  size_t unreadable = 0;  // entered without success (gone meanwhile, no right)
  auto operator<=>(const NetnsScan&) const = default;
};

/// Looks into every network namespace but our own that a process in /proc or a name in /run/netns keeps alive. Moves
/// the calling thread between namespaces: call it on a thread that does nothing else. An error when the thread could
/// not come back; then end it.
Result<NetnsScan> scan_network_namespaces();

}  // namespace weir::agent
