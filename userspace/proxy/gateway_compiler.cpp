// Route lists of connections from outside, taken in for an ingress gateway: as explain has them.

#include <algorithm>

#include "proxy/route_compiler.h"
#include "routing/view/gateway.h"

namespace weir::proxy {

GatewayView view_gateway(const routing::Table& table, const routing::Client& gateway, uint16_t port, bool tls) {
  const auto servers = routing::find_gateway_servers(table, gateway, port);
  std::vector<routing::ServerOfGateway> http, opaque;
  for (const routing::ServerOfGateway& server : servers) {
    if (server.server->is_plain_http()) http.push_back(server);
    if (!server.server->is_plain_http() && !server.server->terminates_tls()) opaque.push_back(server);
  }
  GatewayView view;
  view.hosts = routing::find_gateway_hosts(table, gateway, http);
  view.connections = routing::find_gateway_l4_rules(table, gateway, opaque, tls);
  view.tls = tls;
  view.port = opaque.empty() ? port : opaque.front().server->port;
  return view;
}

std::shared_ptr<const RouteList> RouteCompiler::compile_gateway(const Frontend& frontend, const GatewayView& view,
                                                                const routing::HostChoice& choice) const {
  auto list = make_list();
  const std::string name = "gateway:" + std::to_string(frontend.address.port);
  list->unmatched_traffic = shared_->stats.traffic(name, "");
  const routing::VirtualHost host = routing::gateway_virtual_host(view.hosts, choice);
  if (host.kind == routing::VirtualHost::Kind::kNotFound) return list;
  list->service = host.host;
  list->port = host.port;
  list->rule_sets = view.hosts.at(choice.host).sets;
  list->gateway_rules = host.rules;
  if (host.kind == routing::VirtualHost::Kind::kHttpsRedirect) {
    list->kind = RouteList::Kind::kHttpsRedirect;
    return list;
  }
  const routing::Client& gateway = *frontend.gateway;
  add_rules(*list, {gateway, name + "/" + host.host, host.port, routing::http_port_meaning(gateway)}, host.rules);
  return list;
}

std::shared_ptr<const RouteList> RouteCompiler::compile_gateway_tunnel(const Frontend& frontend,
                                                                       const GatewayView& view,
                                                                       const routing::AppliedL4Rule* rule) const {
  auto list = make_list();
  list->kind = RouteList::Kind::kTunnel;
  list->port = view.port;
  if (rule == nullptr) return list;
  list->service = rule->set->hosts.front();
  list->rule_sets.push_back(rule->set->shared_from_this());
  const Question question{*frontend.gateway, "gateway:" + std::to_string(frontend.address.port), view.port,
                          routing::PortMeaning::kOnlyElseDialled};
  add_connection_rule(*list, question, *rule->rule, view.tls ? "tls#" : "tcp#");
  return list;
}

}  // namespace weir::proxy
