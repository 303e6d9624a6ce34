#pragma once
// Which port of the proxy stands for which proxied frontend: what the proxy learns from getsockname(). Pure.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "routing/plan/plan.h"

namespace weir::datapath {

/// A port of the proxy and what it stands for.
struct ProxyPort {
  uint16_t port = 0;
  IpAddress address;
  uint16_t frontend_port = 0;
  bool outside = false;  // of connections from outside the node; others have a port of their own
  bool operator==(const ProxyPort&) const = default;
};

/// A port of this node that is a gateway's, and the gateway's own port.
struct GatewayPort {
  uint16_t port = 0, listener = 0;
  bool operator==(const GatewayPort&) const = default;
};

/// The given ports. A frontend keeps its port for as long as it is in the plan, and gets it back when it returns
/// unless it was recycled.
class ProxyPorts {
 public:
  struct Entry {
    IpAddress address;
    uint16_t frontend_port = 0;
    uint64_t unused_since = 0;  // Unix time in ns; 0: in use
    uint16_t flags = 0;         // abi::proxy_port_flags
    bool operator==(const Entry&) const = default;
  };
  using Entries = std::map<uint16_t, Entry>;  // by port

  /// Ports [first, first + count) are to be given. Precondition: check_range().
  ProxyPorts(uint16_t first, uint16_t count) : first_(first), count_(count) {}
  /// Not 0, within 16 bits, no more than the map has room for.
  static Result<void> check_range(uint16_t first, uint16_t count);

  /// Starts over from what a map holds. What makes no sense (a port out of range, a frontend twice) is left out.
  void restore(const Entries& entries);
  /// Makes the proxied frontends of `plan` have ports and marks the others unused. ENOSPC, and nothing changed: the
  /// range is too small.
  Result<void> reserve(const routing::Plan& plan, uint64_t unix_ns);
  /// Whether `port` is one of the range.
  [[nodiscard]] bool contains(uint16_t port) const { return port >= first_ && port - first_ < count_; }
  /// The port for a frontend; 0: it has none.
  [[nodiscard]] uint16_t find(const IpAddress& address, uint16_t frontend_port, bool outside = false) const;
  /// The same for one of the service's frontends, which may be like another (PlanFrontend::like).
  [[nodiscard]] uint16_t find(const routing::ServicePlan& service, const routing::PlanFrontend& frontend) const;

  [[nodiscard]] const Entries& entries() const { return entries_; }
  [[nodiscard]] std::vector<ProxyPort> list() const;

 private:
  using Place = std::tuple<IpAddress, uint16_t, bool>;  // address and port of the frontend; from outside
  [[nodiscard]] uint16_t find(const Place& place) const;
  static Place place_of(const Entry& entry);
  static Place place_of(const routing::ServicePlan& service, const routing::PlanFrontend& frontend);
  /// A port from `from` on that nobody has, or else the one that has been unused longest.
  uint16_t take_port(uint32_t& from, std::set<std::pair<uint64_t, uint16_t>>& unused);

  uint16_t first_, count_;
  Entries entries_;
  std::map<Place, uint16_t> by_place_;
};

/// "61000 = 10.96.0.1:80" and, when unused, " unused".
std::string to_text(uint16_t port, const ProxyPorts::Entry& entry);

}  // namespace weir::datapath
