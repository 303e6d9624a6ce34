// The view of an ingress gateway: Gateways that select it, VirtualServices bound to them (semantics 1.0 and 1.5,
// istio-facts 15-19).

#include <algorithm>
#include <map>
#include <tuple>

#include "routing/explain_internal.h"
#include "routing/hosts.h"
#include "routing/redirect.h"

namespace weir::routing::explaining {
namespace {

using Tls = config::GatewayServer::Tls;

/// A server of a Gateway that listens on the dialled port.
struct Server {
  const Gateway* gateway = nullptr;
  const config::GatewayServer* config = nullptr;
  [[nodiscard]] std::string gateway_name() const { return gateway->namespace_ + "/" + gateway->name; }
};

/// One virtual host: its routes, all VirtualServices' in order of age (istio-facts 15, 16).
struct VirtualHost {
  std::vector<ApplicableHttpRoute> routes;
  bool https_redirect = false;
};

bool has_all(const config::Labels& labels, const config::Labels& wanted) {
  return std::ranges::all_of(wanted, [&](const auto& label) {
    const auto found = labels.find(label.first);
    return found != labels.end() && found->second == label.second;
  });
}

/// A server's number is the gateway Service's port; the pod listens on what that maps to. Without such a port, as it
/// is.
bool listens_on(const Inquiry& inquiry, uint16_t number) {
  if (inquiry.request.port == number) return true;
  bool found = false;
  inquiry.table.services.for_each([&](std::string_view, const std::shared_ptr<const HostServices>& host) {
    for (const ServicePtr& service : host->services) {
      if (service->selector.empty() || service->namespace_ != inquiry.client.namespace_) continue;
      const ServicePort* port = service->find_port(number);
      if (port == nullptr || !has_all(inquiry.client.labels, service->selector)) continue;
      found = found ||
              std::ranges::any_of(port->endpoints, [&](const Endpoint& e) { return e.port == inquiry.request.port; });
    }
  });
  return found;
}

std::vector<Server> find_servers(const Inquiry& inquiry) {
  std::vector<const Gateway*> gateways;
  inquiry.table.gateways.for_each([&](std::string_view, const std::shared_ptr<const Gateway>& gateway) {
    if (has_all(inquiry.client.labels, gateway->config->selector)) gateways.push_back(gateway.get());
  });
  std::ranges::sort(gateways, [](const Gateway* a, const Gateway* b) {
    return std::tie(a->config->meta.creation_timestamp, a->name, a->namespace_) <
           std::tie(b->config->meta.creation_timestamp, b->name, b->namespace_);
  });
  std::vector<Server> servers;
  for (const Gateway* gateway : gateways) {
    for (const config::GatewayServer& server : gateway->config->servers) {
      if (listens_on(inquiry, server.port.value)) servers.push_back({gateway, &server});
    }
  }
  return servers;
}

/// A server's hosts as far as they hold for VirtualServices of one namespace ("ns/host", "./host", "*/host").
std::vector<std::string> server_hosts(const Server& server, std::string_view rule_namespace) {
  std::vector<std::string> hosts;
  for (const auto& written : server.config->hosts) {
    std::string_view host = written.value;
    const size_t slash = host.find('/');
    if (slash != std::string_view::npos) {
      const std::string_view wanted = host.substr(0, slash) == "." ? server.gateway->namespace_ : host.substr(0, slash);
      if (wanted != "*" && !rule_namespace.empty() && wanted != rule_namespace) continue;
      host.remove_prefix(slash + 1);
    }
    hosts.push_back(to_lower(host));
  }
  return hosts;
}

/// The more specific host of every pair that goes together.
std::vector<std::string> intersect(const std::vector<std::string>& server, const std::vector<std::string>& rule) {
  std::vector<std::string> result;
  for (const std::string& a : server) {
    for (const std::string& b : rule) {
      if (!hosts_overlap(a, b)) continue;
      const std::string& narrower = !is_wildcard(a) || (is_wildcard(b) && a.size() > b.size()) ? a : b;
      if (std::ranges::find(result, narrower) == result.end()) result.push_back(narrower);
    }
  }
  return result;
}

/// The key that `host` falls under: exact, then the longest wildcard; end() when none.
template <class Map>
typename Map::iterator find_host(Map& hosts, std::string_view host) {
  auto best = hosts.end();
  for (auto entry = hosts.begin(); entry != hosts.end(); ++entry) {
    if (!host_matches(entry->first, host)) continue;
    if (best == hosts.end() || !is_wildcard(entry->first) ||
        (is_wildcard(best->first) && entry->first.size() > best->first.size())) {
      best = entry;
    }
    if (!is_wildcard(best->first)) break;
  }
  return best;
}

template <class Match>
bool applies(const Inquiry& inquiry, const Match& match, const Server& server) {
  const auto& written = *match.config;
  if (written.port && written.port->value != server.config->port.value) return false;
  if (!match.gateways.empty()) return std::ranges::find(match.gateways, server.gateway_name()) != match.gateways.end();
  return has_all(inquiry.client.labels, written.source_labels) &&
         (written.source_namespace.empty() || written.source_namespace == inquiry.client.namespace_);
}

std::vector<ApplicableHttpRoute> routes_of(const Inquiry& inquiry, const VirtualService& rule, const Server& server) {
  std::vector<ApplicableHttpRoute> routes;
  for (const HttpRoute& route : rule.http) {
    ApplicableHttpRoute applicable{&route, {}, route.match.empty()};
    for (const HttpMatch& match : route.match) {
      if (!applies(inquiry, match, server)) continue;
      applicable.match.push_back(&match);
      applicable.takes_all = takes_every_request(*match.config);
      if (applicable.takes_all) break;
    }
    if (!applicable.takes_all && applicable.match.empty()) continue;
    routes.push_back(std::move(applicable));
    if (routes.back().takes_all) break;
  }
  return routes;
}

bool is_bound(const Inquiry& inquiry, const VirtualService& rule, const Server& server) {
  return rule.binds(server.gateway_name()) && rule.export_to.visible_to(inquiry.client.namespace_);
}

using VirtualHosts = std::map<std::string, VirtualHost>;

void add_rule(const Inquiry& inquiry, const VirtualService& rule, const Server& server, VirtualHosts& hosts) {
  const auto routes = routes_of(inquiry, rule, server);
  if (routes.empty()) return;
  for (const std::string& host : intersect(server_hosts(server, rule.namespace_), rule.hosts)) {
    VirtualHost& entry = hosts[host];
    entry.routes.insert(entry.routes.end(), routes.begin(), routes.end());
  }
}

VirtualHosts make_hosts(const Inquiry& inquiry, const std::vector<Server>& servers) {
  VirtualHosts hosts;
  const auto rules = inquiry.table.all_virtual_services();
  for (const Server& server : servers) {
    for (const VirtualServicePtr& rule : rules) {
      if (is_bound(inquiry, *rule, server)) add_rule(inquiry, *rule, server, hosts);
    }
    if (!server.config->https_redirect) continue;
    for (const std::string& host : server_hosts(server, {})) hosts[host];
    for (auto& [host, entry] : hosts) {
      for (const std::string& own : server_hosts(server, {})) {
        if (host_matches(own, host)) entry.https_redirect = true;
      }
    }
  }
  for (auto& [host, entry] : hosts) {
    std::ranges::stable_partition(entry.routes, [](const ApplicableHttpRoute& route) { return !route.takes_all; });
  }
  return hosts;
}

void refuse(Inquiry& inquiry, std::optional<int> status, std::string why) {
  inquiry.decision.action = Action::kNoRoute;
  inquiry.decision.status = status;
  inquiry.decision.reason = why;
  inquiry.step(std::move(why));
}

void explain_http(Inquiry& inquiry, const std::vector<Server>& servers) {
  if (!read_request(inquiry)) return;
  VirtualHosts hosts = make_hosts(inquiry, servers);
  const std::string host = to_lower(without_port(inquiry.authority));
  const auto found = find_host(hosts, host);
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
void explain_l4(Inquiry& inquiry, const std::vector<Server>& servers, bool tls) {
  std::vector<ApplicableL4Route> routes;
  for (const VirtualServicePtr& rule : inquiry.table.all_virtual_services()) {
    for (const Server& server : servers) {
      if (!is_bound(inquiry, *rule, server) || intersect(server_hosts(server, rule->namespace_), rule->hosts).empty())
        continue;
      for (const L4Route& route : tls ? rule->tls : rule->tcp) {
        ApplicableL4Route applicable{rule.get(), &route, {}};
        for (const L4Match& match : route.match) {
          if (applies(inquiry, match, server)) applicable.match.push_back(&match);
        }
        if (route.match.empty() || !applicable.match.empty()) routes.push_back(std::move(applicable));
      }
    }
  }
  const ConnectionFacts facts{find_dialled(inquiry).address, inquiry.client.address,
                              to_lower(inquiry.request.sni.value_or(""))};
  inquiry.decision.reason = "decided at the gateway, per connection";
  if (const ApplicableL4Route* route = match_connection(routes, facts)) return take_l4_route(inquiry, *route);
  refuse(inquiry, std::nullopt, "no rule of the gateway takes the connection: it is closed");
}

/// Of servers that terminate TLS, those whose hosts hold the SNI most closely.
std::vector<Server> servers_for_sni(const std::vector<Server>& servers, const std::string& sni) {
  std::map<std::string, std::vector<Server>> by_host;
  for (const Server& server : servers) {
    for (const std::string& host : server_hosts(server, {})) by_host[host].push_back(server);
  }
  const auto found = find_host(by_host, sni);
  return found == by_host.end() ? std::vector<Server>{} : std::vector<Server>{found->second.front()};
}

bool is_plain_http(const Server& server) {
  const std::string& protocol = server.config->protocol;
  return protocol == "HTTP" || protocol == "HTTP2" || protocol == "GRPC" || protocol == "GRPC-WEB";
}

}  // namespace

void explain_gateway(Inquiry& inquiry) {
  const std::vector<Server> servers = find_servers(inquiry);
  if (servers.empty()) {
    return refuse(inquiry, std::nullopt,
                  "no Gateway that selects these labels listens on port " + std::to_string(inquiry.request.port));
  }
  for (const Server& server : servers) {
    inquiry.step("Gateway " + server.gateway_name() + place(server.gateway->origin) + " listens on port " +
                 std::to_string(server.config->port.value) + " (" + server.config->protocol + ")");
  }
  std::vector<Server> http, terminating, opaque;
  for (const Server& server : servers) {
    const Tls mode = server.config->tls;
    if (is_plain_http(server))
      http.push_back(server);
    else if (server.config->protocol == "HTTPS" && mode != Tls::kPassthrough && mode != Tls::kAutoPassthrough)
      terminating.push_back(server);
    else
      opaque.push_back(server);
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
