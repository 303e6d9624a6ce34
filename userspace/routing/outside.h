#pragma once
// What of this node decides about connections that come to it from outside. The agent finds it out.

#include <string>
#include <vector>

#include "base/ip_address.h"

namespace weir::routing {

struct Outside {
  std::string node;                       // its name, as nodeName has it
  std::vector<IpAddress> node_addresses;  // where node ports are served; sorted, each once
  /// Of the node and of network namespaces on it: where endpoints are local that no nodeName speaks of. Sorted.
  std::vector<IpAddress> local_addresses;
  bool operator==(const Outside&) const = default;
};

}  // namespace weir::routing
