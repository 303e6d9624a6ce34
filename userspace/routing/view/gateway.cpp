#include "routing/view/gateway.h"

#include <algorithm>
#include <tuple>

#include "config/labels.h"
#include "routing/hosts.h"

namespace weir::routing {
namespace {

using config::has_all;

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

/// The key that `host` falls under: exact, then the longest wildcard; end() when none. As many looks as the host has
/// labels, however many keys there are.
template <class Map>
typename Map::const_iterator find_host(const Map& hosts, std::string_view host) {
  if (const auto exact = hosts.find(std::string(host)); exact != hosts.end()) return exact;
  for (size_t dot = host.find('.'); dot != std::string_view::npos; dot = host.find('.', dot + 1))
    if (const auto found = hosts.find("*" + std::string(host.substr(dot))); dot != 0 && found != hosts.end())
      return found;
  return hosts.find("*");
}

/// Rule sets bound to the server whose hosts meet its own, for the gateway's namespace first, oldest first.
std::vector<const RuleSet*> bound_sets(const Client& gateway, const std::vector<RuleSetPtr>& all,
                                       const ServerOfGateway& server) {
  std::vector<const RuleSet*> bound;
  for (const RuleSetPtr& set : all)
    if (set->binds(server.gateway_name()) && set->export_to.visible_to(gateway.namespace_)) bound.push_back(set.get());
  sort_for(gateway, bound);
  return bound;
}

void add_rules(const Client& gateway, const RuleSet& set, const ServerOfGateway& server, GatewayHosts& hosts) {
  const auto rules = applied_rules(set, gateway, server.gateway_name(), server.server->port);
  if (rules.empty()) return;
  for (const std::string& host : intersect(server.hosts_for(set.namespace_), set.hosts)) {
    GatewayHost& entry = hosts[host];
    entry.port = server.server->port;
    entry.rules.insert(entry.rules.end(), rules.begin(), rules.end());
    entry.sets.push_back(set.shared_from_this());
  }
}

/// Rule sets of one listener by host; its own host is there without any, too.
std::map<std::string, std::vector<const RuleSet*>> hosts_of_listener(const Client& gateway,
                                                                     const std::vector<RuleSetPtr>& all,
                                                                     const ServerOfGateway& server) {
  std::map<std::string, std::vector<const RuleSet*>> hosts;
  for (const std::string& host : server.server->hosts) hosts[host];
  for (const RuleSet* set : bound_sets(gateway, all, server))
    for (const std::string& host : set->hosts) hosts[host].push_back(set);
  return hosts;
}

/// The closest of the listeners whose host takes `host` in.
const ServerOfGateway* closest(const std::vector<ServerOfGateway>& listeners, std::string_view host) {
  const ServerOfGateway* best = nullptr;
  const auto length = [](const ServerOfGateway& listener) { return listener.server->hosts.front().size(); };
  for (const ServerOfGateway& listener : listeners) {
    const std::string& own = listener.server->hosts.front();
    if (own == host) return &listener;
    if (host_matches(own, host) && (best == nullptr || length(listener) > length(*best))) best = &listener;
  }
  return best;
}

/// Listeners of the Gateway API: each host is one listener's, and what its rules do not take goes on to those of wider
/// hosts of that listener (HTTPRoute, "hostnames"; Gateway, "Listener Isolation").
void add_listeners(const Client& gateway, const std::vector<RuleSetPtr>& all,
                   const std::vector<ServerOfGateway>& listeners, GatewayHosts& into) {
  for (const ServerOfGateway& listener : listeners) {
    const auto hosts = hosts_of_listener(gateway, all, listener);
    for (const auto& [host, own] : hosts) {
      const ServerOfGateway* owner = closest(listeners, host);
      if (owner == nullptr || owner->server->hosts.front() != listener.server->hosts.front()) continue;
      GatewayHost& entry = into[host];
      entry.port = listener.server->port;
      const auto lay = [&](const std::vector<const RuleSet*>& sets) {
        for (const RuleSet* set : sets) {
          const auto rules = applied_rules(*set, gateway, listener.gateway_name(), listener.server->port);
          entry.rules.insert(entry.rules.end(), rules.begin(), rules.end());
          entry.sets.push_back(set->shared_from_this());
        }
      };
      lay(own);
      std::vector<std::string_view> wider;
      for (const auto& [other, sets] : hosts)
        if (other != host && host_matches(other, host)) wider.push_back(other);
      std::ranges::sort(wider, std::ranges::greater(), &std::string_view::size);
      for (const std::string_view other : wider) lay(hosts.at(std::string(other)));
    }
  }
}

void add_https_redirect(const ServerOfGateway& server, GatewayHosts& hosts) {
  for (const std::string& host : server.hosts_for({})) hosts[host];
  for (auto& [host, entry] : hosts) {
    for (const std::string& own : server.hosts_for({})) {
      if (host_matches(own, host)) entry.https_redirect = true;
    }
  }
}

}  // namespace

std::vector<std::string> ServerOfGateway::hosts_for(std::string_view rule_namespace) const {
  std::vector<std::string> hosts;
  for (std::string_view host : server->hosts) {
    const size_t slash = host.find('/');
    if (slash != std::string_view::npos) {
      const std::string_view wanted = host.substr(0, slash) == "." ? gateway->namespace_ : host.substr(0, slash);
      if (wanted != "*" && !rule_namespace.empty() && wanted != rule_namespace) continue;
      host.remove_prefix(slash + 1);
    }
    hosts.emplace_back(host);
  }
  return hosts;
}

std::vector<ServerOfGateway> find_gateway_servers(const Table& table, const Client& gateway) {
  std::vector<const Gateway*> gateways;
  table.gateways.for_each([&](std::string_view, const std::shared_ptr<const Gateway>& entry) {
    const bool here = !entry->selects_own_namespace || entry->namespace_ == gateway.namespace_;
    if (here && has_all(gateway.labels, entry->selector)) gateways.push_back(entry.get());
  });
  std::ranges::sort(gateways, [](const Gateway* a, const Gateway* b) {
    return std::tie(a->creation, a->name, a->namespace_) < std::tie(b->creation, b->name, b->namespace_);
  });
  std::vector<ServerOfGateway> servers;
  for (const Gateway* entry : gateways)
    for (const GatewayServer& server : entry->servers) servers.push_back({entry, &server});
  return servers;
}

std::vector<ServerOfGateway> find_gateway_servers(const Table& table, const Client& gateway, uint16_t port) {
  auto servers = find_gateway_servers(table, gateway);
  std::erase_if(servers,
                [&](const ServerOfGateway& server) { return !listens_on(table, gateway, server.server->port, port); });
  return servers;
}

std::vector<ServerOfGateway> servers_for_sni(const std::vector<ServerOfGateway>& servers, const std::string& sni) {
  std::map<std::string, std::vector<ServerOfGateway>> by_host;
  for (const ServerOfGateway& server : servers) {
    for (const std::string& host : server.hosts_for({})) by_host[host].push_back(server);
  }
  const auto found = find_host(by_host, sni);
  return found == by_host.end() ? std::vector<ServerOfGateway>{} : std::vector<ServerOfGateway>{found->second.front()};
}

GatewayHosts find_gateway_hosts(const Table& table, const Client& gateway,
                                const std::vector<ServerOfGateway>& servers) {
  GatewayHosts hosts;
  const auto all = table.all_rules();
  std::vector<ServerOfGateway> listeners;
  for (const ServerOfGateway& server : servers) {
    if (server.gateway->by_hostname) {
      listeners.push_back(server);
      continue;
    }
    for (const RuleSet* set : bound_sets(gateway, all, server)) add_rules(gateway, *set, server, hosts);
    if (server.server->https_redirect) add_https_redirect(server, hosts);
  }
  for (auto& [host, entry] : hosts)
    std::ranges::stable_partition(entry.rules, [](const AppliedHttpRule& rule) { return !rule.takes_all; });
  add_listeners(gateway, all, listeners, hosts);
  return hosts;
}

GatewayHosts::const_iterator find_gateway_host(const GatewayHosts& hosts, std::string_view host) {
  return find_host(hosts, host);
}

std::vector<AppliedL4Rule> find_gateway_l4_rules(const Table& table, const Client& gateway,
                                                 const std::vector<ServerOfGateway>& servers, bool tls) {
  std::vector<AppliedL4Rule> rules;
  const auto all = table.all_rules();
  for (const ServerOfGateway& server : servers) {
    for (const RuleSet* set : bound_sets(gateway, all, server)) {
      if (intersect(server.hosts_for(set->namespace_), set->hosts).empty()) continue;
      for (const L4Rule& rule : tls ? set->tls : set->tcp) {
        AppliedL4Rule applied{set, &rule, {}};
        for (const L4Match& match : rule.match)
          if (match.selector.holds_for_connections(gateway, server.gateway_name(), server.server->port))
            applied.match.push_back(&match);
        if (rule.match.empty() || !applied.match.empty()) rules.push_back(std::move(applied));
      }
    }
  }
  return rules;
}

}  // namespace weir::routing
