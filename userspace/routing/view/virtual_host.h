#pragma once
// What a Host means at a listener, and what decides its requests: the one place where explain, the plan and the proxy
// get it from (semantics 1.0, istio-facts 10-17, 41). Pure; results point into the table.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "routing/client.h"
#include "routing/table.h"
#include "routing/view/gateway.h"
#include "routing/view/resolve.h"

namespace weir::routing {

/// Which virtual host a request falls under. There are as many different ones as the configuration has, however many
/// spellings of hosts clients make up: what is compiled for one can be kept by it.
struct HostChoice {
  enum class Kind {
    kService,    // `service`; `host` is what its rules are looked up by
    kRulesOnly,  // no service defines it, the rules of `host` do
    kGateway,    // `host`: exact, "*.x" or "*"
    kUnknown,    // in the mesh: to whoever was dialled, or refused (outboundTrafficPolicy)
    kNotFound,   // at a gateway: 404
  };
  Kind kind = Kind::kUnknown;
  const Service* service = nullptr;
  std::string host;
  bool operator==(const HostChoice&) const = default;
};

/// Of a mesh client that has dialled `port` of `dialled` (may be null: an address that nobody defines). The Host
/// decides, not what was dialled, except where the dialled port is not said to be HTTP (istio-facts 10, 41) and where
/// `from_outside`: the names that those outside know the service by are not the cluster's.
HostChoice choose_host(const Table& table, const Client& client, const Service* dialled, uint16_t port,
                       std::string_view authority, bool from_outside = false);
/// At a gateway.
HostChoice choose_gateway_host(const GatewayHosts& hosts, std::string_view authority);

/// What decides the requests of one virtual host.
struct VirtualHost {
  enum class Kind {
    kRules,          // 404 where none matches
    kDefault,        // the service's default route
    kPassthrough,    // whoever was dialled
    kRefused,        // unknown host under REGISTRY_ONLY: 502
    kHttpsRedirect,  // a gateway's host that is to be asked for by https: 301
    kNotFound,       // 404
  };
  Kind kind = Kind::kPassthrough;
  std::string host;                  // fully qualified; empty for an unknown one
  const Service* service = nullptr;  // null: none, or at a gateway
  const RuleSet* decides = nullptr;  // in the mesh
  std::vector<AppliedHttpRule> rules;
  uint16_t port = 0;  // what rules mean by the dialled port
};

VirtualHost virtual_host(const Table& table, const Client& client, const HostChoice& choice, uint16_t port);
VirtualHost gateway_virtual_host(const GatewayHosts& hosts, const HostChoice& choice);

/// How a destination without a port is meant by rules of this client.
inline PortMeaning http_port_meaning(const Client& client) {
  return client.is_gateway ? PortMeaning::kOnlyElseDialled : PortMeaning::kDialled;
}

}  // namespace weir::routing
