#pragma once
// A gateway's view of a Table: which servers listen where, and what is bound to them (semantics 1.0 and 1.5,
// istio-facts 15-19). Pure; results point into the table.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "routing/client.h"
#include "routing/table.h"
#include "routing/view/resolve.h"

namespace weir::routing {

/// A server and whose it is.
struct ServerOfGateway {
  const Gateway* gateway = nullptr;
  const GatewayServer* server = nullptr;

  /// "namespace/name".
  [[nodiscard]] std::string gateway_name() const { return gateway->namespace_ + "/" + gateway->name; }
  /// Its hosts as far as they hold for rules of one namespace ("ns/host", "./host", "*/host"); of all, if that is
  /// empty.
  [[nodiscard]] std::vector<std::string> hosts_for(std::string_view rule_namespace) const;
};

/// One virtual host of a gateway port.
struct GatewayHost {
  /// All bound rule sets' in order of age, those that take every request last (istio-facts 15, 16).
  std::vector<AppliedHttpRule> rules;
  /// What `rules` are of: whoever keeps them keeps these.
  std::vector<RuleSetPtr> sets;
  bool https_redirect = false;
  uint16_t port = 0;  // as the server has it, which is what rules mean by the dialled one
};
/// By host: exact, "*.x" or "*".
using GatewayHosts = std::map<std::string, GatewayHost>;

/// Of all Gateways that select the client's labels: oldest first.
std::vector<ServerOfGateway> find_gateway_servers(const Table& table, const Client& gateway);
/// Of these, those that listen on `port`: a server's number is the gateway Service's port, and the gateway listens on
/// what that maps to; without such a Service port, as it is.
std::vector<ServerOfGateway> find_gateway_servers(const Table& table, const Client& gateway, uint16_t port);
/// Of servers that terminate TLS, the one whose hosts hold the SNI most closely; none: empty.
std::vector<ServerOfGateway> servers_for_sni(const std::vector<ServerOfGateway>& servers, const std::string& sni);

/// What is bound to `servers`, which share a port.
GatewayHosts find_gateway_hosts(const Table& table, const Client& gateway, const std::vector<ServerOfGateway>& servers);
/// The entry that `host` (lower case, no port) falls under: exact, then the longest wildcard; end() when none.
GatewayHosts::const_iterator find_gateway_host(const GatewayHosts& hosts, std::string_view host);
/// tls[] or tcp[] of the rule sets bound to `servers`, in order of age.
std::vector<AppliedL4Rule> find_gateway_l4_rules(const Table& table, const Client& gateway,
                                                 const std::vector<ServerOfGateway>& servers, bool tls);

}  // namespace weir::routing
