#pragma once
// At which of its addresses this node's proxy is dialled: one that pods can reach, of each family.

#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"

namespace weir::agent {

struct NodeAddresses {
  std::optional<IpAddress> v4, v6;
  bool operator==(const NodeAddresses&) const = default;
};

/// "127.0.0.1" or "::1" of a NodeAddresses that has no better: clients of our own network namespace only.
bool is_loopback_only(const NodeAddresses& addresses);

/// Each as --node-address has it, at most one of a family; an error names what cannot be one.
Result<NodeAddresses> read_node_addresses(const std::vector<std::string>& texts);

/// What the machine has, of the calling thread's network namespace: the source address of the default route, else a
/// global address of an interface that is up, else loopback.
NodeAddresses find_node_addresses();

/// All that interfaces have that are up.
std::vector<IpAddress> own_addresses();
/// Of those interfaces that are there and up.
std::vector<IpAddress> addresses_of_interfaces(const std::vector<std::string>& names);

/// An address of an interface, for choose_node_address().
struct InterfaceAddress {
  IpAddress address;
  bool loopback = false;  // of a loopback interface
  std::string interface = {};
};
/// Pure. `by_route`: what the default route says. The lowest of several, so that the choice stands.
std::optional<IpAddress> choose_node_address(const std::optional<IpAddress>& by_route,
                                             const std::vector<InterfaceAddress>& all, bool v4);

}  // namespace weir::agent
