#include "routing/view/resolve_gateway.h"

#include <algorithm>
#include <tuple>

#include "routing/hosts.h"

namespace weir::routing {
namespace {

using Tls = config::GatewayServer::Tls;

bool has_all(const config::Labels& labels, const config::Labels& wanted) {
  return std::ranges::all_of(wanted, [&](const auto& label) {
    const auto found = labels.find(label.first);
    return found != labels.end() && found->second == label.second;
  });
}

bool listens_on(const Table& table, const Client& gateway, uint16_t number, uint16_t port) {
  if (port == number) return true;
  bool found = false;
  table.services.for_each([&](std::string_view, const std::shared_ptr<const HostServices>& host) {
    for (const ServicePtr& service : host->services) {
      if (service->selector.empty() || service->namespace_ != gateway.namespace_) continue;
      const ServicePort* service_port = service->find_port(number);
      if (service_port == nullptr || !has_all(gateway.labels, service->selector)) continue;
      found = found || std::ranges::any_of(service_port->endpoints, [&](const Endpoint& e) { return e.port == port; });
    }
  });
  return found;
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
typename Map::const_iterator find_host(const Map& hosts, std::string_view host) {
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
bool applies(const Client& gateway, const Match& match, const GatewayServer& server) {
  const auto& written = *match.config;
  if (written.port && written.port->value != server.config->port.value) return false;
  if (!match.gateways.empty()) return std::ranges::find(match.gateways, server.gateway_name()) != match.gateways.end();
  return has_all(gateway.labels, written.source_labels) &&
         (written.source_namespace.empty() || written.source_namespace == gateway.namespace_);
}

std::vector<ApplicableHttpRoute> routes_of(const Client& gateway, const VirtualService& rule,
                                           const GatewayServer& server) {
  std::vector<ApplicableHttpRoute> routes;
  for (const HttpRoute& route : rule.http) {
    ApplicableHttpRoute applicable{&route, {}, route.match.empty()};
    for (const HttpMatch& match : route.match) {
      if (!applies(gateway, match, server)) continue;
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

bool is_bound(const Client& gateway, const VirtualService& rule, const GatewayServer& server) {
  return rule.binds(server.gateway_name()) && rule.export_to.visible_to(gateway.namespace_);
}

void add_rule(const Client& gateway, const VirtualService& rule, const GatewayServer& server, GatewayHosts& hosts) {
  const auto routes = routes_of(gateway, rule, server);
  if (routes.empty()) return;
  for (const std::string& host : intersect(server.hosts_for(rule.namespace_), rule.hosts)) {
    GatewayHost& entry = hosts[host];
    entry.routes.insert(entry.routes.end(), routes.begin(), routes.end());
  }
}

void add_https_redirect(const GatewayServer& server, GatewayHosts& hosts) {
  for (const std::string& host : server.hosts_for({})) hosts[host];
  for (auto& [host, entry] : hosts) {
    for (const std::string& own : server.hosts_for({})) {
      if (host_matches(own, host)) entry.https_redirect = true;
    }
  }
}

}  // namespace

bool GatewayServer::is_plain_http() const {
  const std::string& protocol = config->protocol;
  return protocol == "HTTP" || protocol == "HTTP2" || protocol == "GRPC" || protocol == "GRPC-WEB";
}

bool GatewayServer::terminates_tls() const {
  return config->protocol == "HTTPS" && config->tls != Tls::kPassthrough && config->tls != Tls::kAutoPassthrough;
}

std::vector<std::string> GatewayServer::hosts_for(std::string_view rule_namespace) const {
  std::vector<std::string> hosts;
  for (const auto& written : config->hosts) {
    std::string_view host = written.value;
    const size_t slash = host.find('/');
    if (slash != std::string_view::npos) {
      const std::string_view wanted = host.substr(0, slash) == "." ? gateway->namespace_ : host.substr(0, slash);
      if (wanted != "*" && !rule_namespace.empty() && wanted != rule_namespace) continue;
      host.remove_prefix(slash + 1);
    }
    hosts.push_back(to_lower(host));
  }
  return hosts;
}

std::vector<GatewayServer> find_gateway_servers(const Table& table, const Client& gateway) {
  std::vector<const Gateway*> gateways;
  table.gateways.for_each([&](std::string_view, const std::shared_ptr<const Gateway>& entry) {
    if (has_all(gateway.labels, entry->config->selector)) gateways.push_back(entry.get());
  });
  std::ranges::sort(gateways, [](const Gateway* a, const Gateway* b) {
    return std::tie(a->config->meta.creation_timestamp, a->name, a->namespace_) <
           std::tie(b->config->meta.creation_timestamp, b->name, b->namespace_);
  });
  std::vector<GatewayServer> servers;
  for (const Gateway* entry : gateways) {
    for (const config::GatewayServer& server : entry->config->servers) servers.push_back({entry, &server});
  }
  return servers;
}

std::vector<GatewayServer> find_gateway_servers(const Table& table, const Client& gateway, uint16_t port) {
  auto servers = find_gateway_servers(table, gateway);
  std::erase_if(servers, [&](const GatewayServer& server) {
    return !listens_on(table, gateway, server.config->port.value, port);
  });
  return servers;
}

std::vector<GatewayServer> servers_for_sni(const std::vector<GatewayServer>& servers, const std::string& sni) {
  std::map<std::string, std::vector<GatewayServer>> by_host;
  for (const GatewayServer& server : servers) {
    for (const std::string& host : server.hosts_for({})) by_host[host].push_back(server);
  }
  const auto found = find_host(by_host, sni);
  return found == by_host.end() ? std::vector<GatewayServer>{} : std::vector<GatewayServer>{found->second.front()};
}

GatewayHosts find_gateway_hosts(const Table& table, const Client& gateway, const std::vector<GatewayServer>& servers) {
  GatewayHosts hosts;
  const auto rules = table.all_virtual_services();
  for (const GatewayServer& server : servers) {
    for (const VirtualServicePtr& rule : rules) {
      if (is_bound(gateway, *rule, server)) add_rule(gateway, *rule, server, hosts);
    }
    if (server.config->https_redirect) add_https_redirect(server, hosts);
  }
  for (auto& [host, entry] : hosts) {
    std::stable_partition(entry.routes.begin(), entry.routes.end(),
                          [](const ApplicableHttpRoute& route) { return !route.takes_all; });
  }
  return hosts;
}

GatewayHosts::const_iterator find_gateway_host(const GatewayHosts& hosts, std::string_view host) {
  return find_host(hosts, host);
}

std::vector<ApplicableL4Route> find_gateway_l4_rules(const Table& table, const Client& gateway,
                                                     const std::vector<GatewayServer>& servers, bool tls) {
  std::vector<ApplicableL4Route> routes;
  for (const VirtualServicePtr& rule : table.all_virtual_services()) {
    for (const GatewayServer& server : servers) {
      if (!is_bound(gateway, *rule, server)) continue;
      if (intersect(server.hosts_for(rule->namespace_), rule->hosts).empty()) continue;
      for (const L4Route& route : tls ? rule->tls : rule->tcp) {
        ApplicableL4Route applicable{rule.get(), &route, {}};
        for (const L4Match& match : route.match) {
          if (applies(gateway, match, server)) applicable.match.push_back(&match);
        }
        if (route.match.empty() || !applicable.match.empty()) routes.push_back(std::move(applicable));
      }
    }
  }
  return routes;
}

}  // namespace weir::routing
