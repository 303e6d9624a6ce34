#include "agent/node/address.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/file_descriptor.h"
#include "net/socket.h"

namespace weir::agent {
namespace {

bool is_usable(const IpAddress& address) {
  return !address.is_unspecified() && !address.is_multicast() && !address.is_link_local();
}

/// Asks the routing table: connecting a datagram socket sends nothing.
std::optional<IpAddress> source_towards(const char* far) {
  const net::SocketAddress to{*IpAddress::parse(far), 9};
  const auto raw = net::to_raw(to);
  const FileDescriptor fd(::socket(raw.get()->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd || ::connect(fd.get(), raw.get(), raw.length) != 0) return {};
  const auto local = net::local_address(fd.get());
  if (!local || !is_usable(local->address) || local->address.is_loopback()) return {};
  return local->address;
}

std::vector<InterfaceAddress> interface_addresses() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> list(first, &::freeifaddrs);
  std::vector<InterfaceAddress> all;
  for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_UP) == 0) continue;
    const int family = entry->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    net::RawAddress raw;
    raw.length = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    std::memcpy(raw.get(), entry->ifa_addr, raw.length);
    all.push_back({net::from_raw(raw).address, (entry->ifa_flags & IFF_LOOPBACK) != 0, entry->ifa_name});
  }
  return all;
}

}  // namespace

bool is_loopback_only(const NodeAddresses& addresses) {
  const auto poor = [](const auto& address) { return !address || address->is_loopback(); };
  return poor(addresses.v4) && poor(addresses.v6);
}

Result<NodeAddresses> read_node_addresses(const std::vector<std::string>& texts) {
  NodeAddresses addresses;
  for (const auto& text : texts) {
    const auto address = IpAddress::parse(text);
    if (!address || !is_usable(*address)) return Error{"\"" + text + "\" is no address that a node can be dialled at"};
    auto& place = address->is_v4() ? addresses.v4 : addresses.v6;
    if (place) return Error{"two addresses of one family: " + place->to_string() + " and " + text};
    place = address;
  }
  return addresses;
}

std::optional<IpAddress> choose_node_address(const std::optional<IpAddress>& by_route,
                                             const std::vector<InterfaceAddress>& all, bool v4) {
  if (by_route) return by_route;
  std::optional<IpAddress> global, loopback;
  for (const auto& [address, on_loopback, name] : all) {
    if (address.is_v4() != v4) continue;
    auto& best = address.is_loopback() ? loopback : global;
    // Addresses on `lo` are services' as often as the node's.
    if (!address.is_loopback() && (on_loopback || !is_usable(address))) continue;
    if (!best || address < *best) best = address;
  }
  return global ? global : loopback;
}

std::vector<IpAddress> own_addresses() {
  std::vector<IpAddress> addresses;
  for (const auto& entry : interface_addresses()) addresses.push_back(entry.address);
  return addresses;
}

std::vector<IpAddress> addresses_of_interfaces(const std::vector<std::string>& names) {
  std::vector<IpAddress> addresses;
  for (const auto& entry : interface_addresses())
    if (std::ranges::find(names, entry.interface) != names.end()) addresses.push_back(entry.address);
  return addresses;
}

NodeAddresses find_node_addresses() {
  NodeAddresses found{source_towards("192.0.2.1"), source_towards("2001:db8::1")};
  if (found.v4 && found.v6) return found;
  const auto all = interface_addresses();
  return {choose_node_address(found.v4, all, true), choose_node_address(found.v6, all, false)};
}

}  // namespace weir::agent
