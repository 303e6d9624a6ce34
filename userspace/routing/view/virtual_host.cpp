#include "routing/view/virtual_host.h"

#include "routing/hosts.h"

namespace weir::routing {
namespace {

/// The service that the Host header names among those that speak HTTP on the dialled port: where the one of that very
/// name does not, a wildcard ServiceEntry that does.
const Service* find_http_service(const Table& table, const Client& client, const Service* dialled, uint16_t port,
                                 std::string_view authority) {
  const Service* named = find_service_by_authority(table, client, authority, dialled);
  if (named != nullptr && named->speaks_http(port)) return named;
  if (!table.wide_services) return nullptr;
  const std::string host = to_lower(without_port(authority));
  for (const ServicePtr& service : *table.wide_services) {  // the longest host comes first
    if (is_wildcard(service->host) && host_matches(service->host, host) && service->speaks_http(port) &&
        service->export_to.visible_to(client.namespace_))
      return service.get();
  }
  return nullptr;
}

/// By what the rules of a service are found: of a wildcard one, by the name that was asked for where rules name it or a
/// narrower wildcard, so that the choices stay as few as the hosts that are written.
std::string rules_host(const Table& table, const Client& client, const Service& service, std::string_view authority) {
  if (!is_wildcard(service.host)) return service.host;
  const std::string host = to_lower(without_port(authority));
  const auto sets = find_rule_sets(table, client, host);
  if (sets.empty()) return service.host;
  std::string best = service.host;
  for (const std::string& written : sets.front()->hosts)
    if (host_matches(written, host) && (!is_wildcard(written) || (is_wildcard(best) && written.size() > best.size())))
      best = written;
  return best;
}

}  // namespace

HostChoice choose_host(const Table& table, const Client& client, const Service* dialled, uint16_t port,
                       std::string_view authority, bool from_outside) {
  using Kind = HostChoice::Kind;
  const ServicePort* dialled_port = dialled != nullptr ? dialled->find_port(port) : nullptr;
  if (dialled_port != nullptr && (from_outside || !is_http(dialled_port->protocol)))
    return {Kind::kService, dialled, dialled->host};
  if (const Service* service = find_http_service(table, client, dialled, port, authority))
    return {Kind::kService, service, rules_host(table, client, *service, authority)};
  std::string host = find_host_without_service(table, client, authority, port);
  if (!host.empty() && find_http_rules(table, client, host, port).decides != nullptr)
    return {Kind::kRulesOnly, nullptr, std::move(host)};
  return {Kind::kUnknown, dialled, {}};
}

HostChoice choose_gateway_host(const GatewayHosts& hosts, std::string_view authority) {
  const auto found = find_gateway_host(hosts, to_lower(without_port(authority)));
  if (found == hosts.end()) return {HostChoice::Kind::kNotFound, nullptr, {}};
  return {HostChoice::Kind::kGateway, nullptr, found->first};
}

VirtualHost virtual_host(const Table& table, const Client& client, const HostChoice& choice, uint16_t port) {
  VirtualHost result;
  result.host = choice.host;
  result.service = choice.service;
  result.port = port;
  if (choice.kind == HostChoice::Kind::kUnknown) {
    const bool refused = table.mesh.outbound_traffic_policy == config::MeshConfig::OutboundPolicy::kRegistryOnly;
    result.kind = refused ? VirtualHost::Kind::kRefused : VirtualHost::Kind::kPassthrough;
    return result;
  }
  HttpRules rules = find_http_rules(table, client, choice.host, port);
  result.kind = rules.decides != nullptr ? VirtualHost::Kind::kRules : VirtualHost::Kind::kDefault;
  result.decides = rules.decides;
  result.rules = std::move(rules.rules);
  return result;
}

VirtualHost gateway_virtual_host(const GatewayHosts& hosts, const HostChoice& choice) {
  VirtualHost result;
  result.kind = VirtualHost::Kind::kNotFound;
  const auto found = hosts.find(choice.host);
  if (found == hosts.end()) return result;
  result.host = found->first;
  result.port = found->second.port;
  result.rules = found->second.rules;
  result.kind = found->second.https_redirect ? VirtualHost::Kind::kHttpsRedirect : VirtualHost::Kind::kRules;
  return result;
}

}  // namespace weir::routing
