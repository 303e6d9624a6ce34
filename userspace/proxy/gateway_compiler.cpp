// Route lists of connections from outside, taken in for an ingress gateway: as explain has them.

#include <algorithm>

#include "proxy/route_compiler.h"
#include "routing/hosts.h"
#include "routing/view/match_connection.h"
#include "routing/view/resolve_gateway.h"

namespace weir::proxy {

std::shared_ptr<const RouteList> RouteCompiler::compile_gateway(const Frontend& frontend,
                                                                std::string_view authority) const {
  auto list = std::make_shared<RouteList>();
  list->table = table_;
  const routing::Client& gateway = *frontend.gateway;
  const uint16_t port = frontend.address.port;
  const std::string name = "gateway:" + std::to_string(port);
  list->unmatched_traffic = shared_->stats.traffic(name, "");
  auto servers = routing::find_gateway_servers(*table_, gateway, port);
  std::erase_if(servers, [](const routing::GatewayServer& server) { return !server.is_plain_http(); });
  const auto hosts = routing::find_gateway_hosts(*table_, gateway, servers);
  const auto found = routing::find_gateway_host(hosts, routing::to_lower(routing::without_port(authority)));
  if (found == hosts.end()) return list;
  list->service = found->first;
  if (found->second.https_redirect) {
    list->kind = RouteList::Kind::kHttpsRedirect;
    return list;
  }
  add_routes(*list, {gateway, frontend, name + "/" + found->first}, found->second.routes);
  return list;
}

std::shared_ptr<const RouteList> RouteCompiler::compile_gateway_tunnel(const Frontend& frontend, bool tls,
                                                                       std::string_view sni) const {
  auto list = std::make_shared<RouteList>();
  list->table = table_;
  list->kind = RouteList::Kind::kTunnel;
  const routing::Client& gateway = *frontend.gateway;
  const uint16_t port = frontend.address.port;
  auto servers = routing::find_gateway_servers(*table_, gateway, port);
  std::erase_if(servers,
                [](const routing::GatewayServer& server) { return server.is_plain_http() || server.terminates_tls(); });
  const auto rules = routing::find_gateway_l4_rules(*table_, gateway, servers, tls);
  const routing::ConnectionFacts facts{std::nullopt, std::nullopt, routing::to_lower(sni)};
  const routing::ApplicableL4Route* rule = routing::match_connection(rules, facts);
  if (rule == nullptr) return list;
  list->service = rule->virtual_service->hosts.front();
  routing::ApplicableL4Route taken = *rule;
  taken.match.clear();  // it has been matched
  add_l4_route(*list, {gateway, frontend, "gateway:" + std::to_string(port)}, taken, tls ? "tls#" : "tcp#");
  return list;
}

}  // namespace weir::proxy
