#include "datapath/proxy_ports.h"

#include <cerrno>

#include "bpf/abi.h"

namespace weir::datapath {

Result<void> ProxyPorts::check_range(uint16_t first, uint16_t count) {
  if (first == 0 || count == 0 || uint32_t{first} + count > 65536)
    return Error{"ports of the proxy: " + std::to_string(count) + " from " + std::to_string(first) +
                     " on is not a range of ports",
                 EINVAL};
  if (count > abi::MAX_PROXY_PORTS)
    return Error{"ports of the proxy: at most " + std::to_string(abi::MAX_PROXY_PORTS), EINVAL};
  return {};
}

void ProxyPorts::restore(const Entries& entries) {
  entries_.clear();
  by_place_.clear();
  for (const auto& [port, entry] : entries) {
    const bool outside = entry.flags == abi::PROXY_PORT_OUTSIDE;
    if (!contains(port) || (entry.flags != 0 && !outside) || entry.frontend_port == 0 || entry.address.is_unspecified())
      continue;
    if (by_place_.emplace(place_of(entry), port).second) entries_.emplace(port, entry);
  }
}

ProxyPorts::Place ProxyPorts::place_of(const Entry& entry) {
  return {entry.address, entry.frontend_port, entry.flags == abi::PROXY_PORT_OUTSIDE};
}

/// All addresses of a service outside have one port: the proxy need not know which of them was dialled.
ProxyPorts::Place ProxyPorts::place_of(const routing::ServicePlan& service, const routing::PlanFrontend& frontend) {
  const bool outside = frontend.source == routing::kOutside && frontend.like < service.frontends.size();
  const routing::PlanFrontend& named = outside ? service.frontends[frontend.like] : frontend;
  return {named.address, named.port, outside};
}

uint16_t ProxyPorts::take_port(uint32_t& from, std::set<std::pair<uint64_t, uint16_t>>& unused) {
  if (entries_.size() < count_) {
    while (entries_.contains(static_cast<uint16_t>(from))) ++from;
    return static_cast<uint16_t>(from);
  }
  const uint16_t port = unused.begin()->second;
  unused.erase(unused.begin());
  const Entry& entry = entries_.at(port);
  by_place_.erase(place_of(entry));
  entries_.erase(port);
  return port;
}

Result<void> ProxyPorts::reserve(const routing::Plan& plan, uint64_t unix_ns) {
  std::set<Place> wanted;
  for (const auto& service : plan.services)
    for (const auto& frontend : service->frontends)
      if (frontend.proxied) wanted.insert(place_of(*service, frontend));
  if (wanted.size() > count_)
    return Error{"ports of the proxy: " + std::to_string(wanted.size()) + " needed, one for each address and port " +
                     "whose rules need the request; the range has " + std::to_string(count_),
                 ENOSPC};
  std::set<std::pair<uint64_t, uint16_t>> unused;  // the longest unused first
  for (auto& [port, entry] : entries_) {
    if (wanted.erase(place_of(entry)) > 0) {
      entry.unused_since = 0;
      continue;
    }
    if (entry.unused_since == 0) entry.unused_since = unix_ns;
    unused.emplace(entry.unused_since, port);
  }
  uint32_t from = first_;
  for (const Place& place : wanted) {
    const uint16_t port = take_port(from, unused);
    const auto& [address, frontend_port, outside] = place;
    entries_.emplace(port, Entry{address, frontend_port, 0, outside ? uint16_t{abi::PROXY_PORT_OUTSIDE} : uint16_t{0}});
    by_place_.emplace(place, port);
  }
  return {};
}

uint16_t ProxyPorts::find(const Place& place) const {
  const auto found = by_place_.find(place);
  return found == by_place_.end() ? uint16_t{0} : found->second;
}

uint16_t ProxyPorts::find(const IpAddress& address, uint16_t frontend_port, bool outside) const {
  return find(Place{address, frontend_port, outside});
}

uint16_t ProxyPorts::find(const routing::ServicePlan& service, const routing::PlanFrontend& frontend) const {
  return find(place_of(service, frontend));
}

std::vector<ProxyPort> ProxyPorts::list() const {
  std::vector<ProxyPort> list;
  list.reserve(entries_.size());
  for (const auto& [port, entry] : entries_)
    list.push_back({port, entry.address, entry.frontend_port, entry.flags == abi::PROXY_PORT_OUTSIDE});
  return list;
}

std::string to_text(uint16_t port, const ProxyPorts::Entry& entry) {
  if ((entry.flags & abi::PROXY_PORT_GATEWAY) != 0)
    return std::to_string(port) + " = gateway port " + std::to_string(entry.frontend_port) +
           ((entry.flags & abi::PROXY_PORT_BY_ADDRESS) != 0 ? " at some addresses" : "");
  return std::to_string(port) + " = " + to_string(entry.address, entry.frontend_port) +
         ((entry.flags & abi::PROXY_PORT_OUTSIDE) != 0 ? " from outside" : "") +
         (entry.unused_since != 0 ? " unused" : "");
}

}  // namespace weir::datapath
