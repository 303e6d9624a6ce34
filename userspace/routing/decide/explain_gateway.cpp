// What an ingress gateway answers.

#include "routing/decide/explain_internal.h"
#include "routing/hosts.h"
#include "routing/rule/redirect.h"
#include "routing/view/resolve_gateway.h"

namespace weir::routing::explaining {
namespace {

void refuse(Inquiry& inquiry, std::optional<int> status, std::string why) {
  inquiry.decision.action = Action::kNoRoute;
  inquiry.decision.status = status;
  inquiry.decision.reason = why;
  inquiry.step(std::move(why));
}

void explain_http(Inquiry& inquiry, const std::vector<GatewayServer>& servers) {
  if (!read_request(inquiry)) return;
  const GatewayHosts hosts = find_gateway_hosts(inquiry.table, inquiry.client, servers);
  const std::string host = to_lower(without_port(inquiry.authority));
  const auto found = find_gateway_host(hosts, host);
  if (found == hosts.end()) {
    return refuse(
        inquiry, 404,
        "no VirtualService is bound for host \"" + host + "\" on port " + std::to_string(inquiry.request.port));
  }
  inquiry.decision.service = found->first;
  inquiry.decision.reason = "decided at the gateway";
  inquiry.step("host " + found->first + " on gateway port " + std::to_string(inquiry.request.port));
  if (found->second.https_redirect && inquiry.view.scheme == "http") {
    inquiry.decision.action = Action::kRedirect;
    inquiry.decision.status = 301;
    inquiry.decision.redirect = https_redirect_location(inquiry.view);
    return inquiry.step("the Gateway's httpsRedirect: to " + *inquiry.decision.redirect);
  }
  decide_by_routes(inquiry, found->second.routes);
}

/// tls[] (with SNI) or tcp[] of the VirtualServices bound to the servers.
void explain_l4(Inquiry& inquiry, const std::vector<GatewayServer>& servers, bool tls) {
  const auto routes = find_gateway_l4_rules(inquiry.table, inquiry.client, servers, tls);
  const ConnectionFacts facts{find_dialled(inquiry).address, inquiry.client.address,
                              to_lower(inquiry.request.sni.value_or(""))};
  inquiry.decision.reason = "decided at the gateway, per connection";
  if (const ApplicableL4Route* route = match_connection(routes, facts)) return take_l4_route(inquiry, *route);
  refuse(inquiry, std::nullopt, "no rule of the gateway takes the connection: it is closed");
}

}  // namespace

void explain_gateway(Inquiry& inquiry) {
  const auto servers = find_gateway_servers(inquiry.table, inquiry.client, inquiry.request.port);
  if (servers.empty()) {
    return refuse(inquiry, std::nullopt,
                  "no Gateway that selects these labels listens on port " + std::to_string(inquiry.request.port));
  }
  std::vector<GatewayServer> http, terminating, opaque;
  for (const GatewayServer& server : servers) {
    inquiry.step("Gateway " + server.gateway_name() + place(server.gateway->origin) + " listens on port " +
                 std::to_string(server.config->port.value) + " (" + server.config->protocol + ")");
    (server.is_plain_http() ? http : server.terminates_tls() ? terminating : opaque).push_back(server);
  }
  const bool tls = inquiry.request.sni.has_value() || inquiry.request.scheme == "https";
  if (!tls && inquiry.request.is_http && !http.empty()) return explain_http(inquiry, http);
  if (tls && !terminating.empty()) {
    const auto chosen = servers_for_sni(terminating, to_lower(inquiry.request.sni.value_or("")));
    if (!chosen.empty()) return explain_http(inquiry, chosen);
  }
  explain_l4(inquiry, opaque, tls);
}

}  // namespace weir::routing::explaining
