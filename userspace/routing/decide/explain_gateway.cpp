// What an ingress gateway answers.

#include "routing/decide/explain_internal.h"
#include "routing/hosts.h"
#include "routing/rule/redirect.h"
#include "routing/view/gateway.h"

namespace weir::routing::explaining {
namespace {

void refuse(Inquiry& inquiry, std::optional<int> status, std::string why) {
  inquiry.decision.action = Action::kNoRoute;
  inquiry.decision.status = status;
  inquiry.decision.reason = why;
  inquiry.step(std::move(why));
}

void explain_http(Inquiry& inquiry, const std::vector<ServerOfGateway>& servers) {
  if (!read_request(inquiry)) return;
  const GatewayHosts hosts = find_gateway_hosts(inquiry.table, inquiry.client, servers);
  const VirtualHost host = gateway_virtual_host(hosts, choose_gateway_host(hosts, inquiry.authority));
  if (host.kind == VirtualHost::Kind::kNotFound) {
    return refuse(inquiry, 404,
                  "no rule is bound for host \"" + to_lower(without_port(inquiry.authority)) + "\" on port " +
                      std::to_string(inquiry.request.port));
  }
  inquiry.rule_port = host.port;
  inquiry.decision.service = host.host;
  inquiry.decision.reason = "decided at the gateway";
  inquiry.step("host " + host.host + " on gateway port " + std::to_string(inquiry.request.port));
  if (host.kind == VirtualHost::Kind::kHttpsRedirect && inquiry.view.scheme == "http") {
    inquiry.decision.action = Action::kRedirect;
    inquiry.decision.status = 301;
    inquiry.decision.redirect = https_redirect_location(inquiry.view);
    return inquiry.step("the Gateway's httpsRedirect: to " + *inquiry.decision.redirect);
  }
  decide_by_rules(inquiry, host);
}

/// tls[] (with SNI) or tcp[] of the rule sets bound to the servers.
void explain_l4(Inquiry& inquiry, const std::vector<ServerOfGateway>& servers, bool tls) {
  const auto rules = find_gateway_l4_rules(inquiry.table, inquiry.client, servers, tls);
  const ConnectionFacts facts{std::nullopt, std::nullopt, to_lower(inquiry.request.sni.value_or("")), true};
  inquiry.decision.reason = "decided at the gateway, per connection";
  if (!servers.empty()) inquiry.rule_port = servers.front().server->port;
  if (const AppliedL4Rule* rule = match_connection(rules, facts)) return take_l4_rule(inquiry, *rule);
  refuse(inquiry, std::nullopt, "no rule of the gateway takes the connection: it is closed");
}

/// TLS that ends here: what is inside is HTTP or, of a server of protocol TLS, bytes.
void explain_terminated(Inquiry& inquiry, const std::vector<ServerOfGateway>& chosen) {
  inquiry.step("TLS ends at the gateway, which Weir does not do yet: this port is not served");
  if (chosen.front().server->is_https()) return explain_http(inquiry, chosen);
  explain_l4(inquiry, chosen, false);
}

}  // namespace

void explain_gateway(Inquiry& inquiry) {
  const auto servers = find_gateway_servers(inquiry.table, inquiry.client, inquiry.request.port);
  if (servers.empty()) {
    return refuse(inquiry, std::nullopt,
                  "no Gateway that selects these labels listens on port " + std::to_string(inquiry.request.port));
  }
  std::vector<ServerOfGateway> http, terminating, opaque;
  for (const ServerOfGateway& server : servers) {
    inquiry.step("Gateway " + server.gateway_name() + place(server.gateway->origin) + " listens on port " +
                 std::to_string(server.server->port) + " (" + server.server->protocol + ")");
    (server.server->is_plain_http() ? http : server.server->terminates_tls() ? terminating : opaque).push_back(server);
  }
  const bool tls = inquiry.request.sni.has_value() || inquiry.request.scheme == "https";
  if (!tls && inquiry.request.is_http && !http.empty()) return explain_http(inquiry, http);
  if (tls && !terminating.empty()) {
    const auto chosen = servers_for_sni(terminating, to_lower(inquiry.request.sni.value_or("")));
    if (!chosen.empty()) return explain_terminated(inquiry, chosen);
  }
  explain_l4(inquiry, opaque, tls);
}

}  // namespace weir::routing::explaining
