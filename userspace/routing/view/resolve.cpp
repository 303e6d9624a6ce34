#include "routing/view/resolve.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "routing/hosts.h"

namespace weir::routing {

namespace {

constexpr uint16_t kDefaultHttpPort = 80;
constexpr int kMaxAliases = 8;

/// Istio's order where several namespaces define one host: the client's own, then Kubernetes', then the oldest.
const Service* pick_service(const std::vector<ServicePtr>& services, std::string_view client_namespace) {
  const auto rank = [&](const Service& service) {
    return std::make_tuple(service.namespace_ != client_namespace, service.source != Service::Source::kKubernetes,
                           service.creation, std::string_view(service.name), std::string_view(service.namespace_));
  };
  const Service* best = nullptr;
  for (const ServicePtr& service : services) {
    if (!service->export_to.visible_to(client_namespace)) continue;
    if (!best || rank(*service) < rank(*best)) best = service.get();
  }
  return best;
}

const Service* find_exact(const Table& table, const Client& client, std::string_view host) {
  const auto& found = table.services.find(host);
  return found ? pick_service(found->services, client.namespace_) : nullptr;
}

const Service* find_wildcard(const Table& table, const Client& client, std::string_view host) {
  if (!table.wide_services) return nullptr;
  std::vector<ServicePtr> candidates;
  for (const ServicePtr& service : *table.wide_services) {
    if (!is_wildcard(service->host) || !host_matches(service->host, host)) continue;
    if (!candidates.empty() && candidates.front()->host != service->host) continue;
    candidates.push_back(service);  // the longest host comes first
  }
  return pick_service(candidates, client.namespace_);
}

/// The forms of a Kubernetes service's name that DNS search paths make work.
std::string complete(const Table& table, const Client& client, std::string_view name) {
  const auto dots = std::count(name.begin(), name.end(), '.');
  const std::string& domain = table.mesh.cluster_domain;
  if (dots == 0) return client.namespace_.empty() ? std::string() : service_host(name, client.namespace_, domain);
  if (dots == 1) return std::string(name).append(".svc.").append(domain);
  if (dots == 2 && name.ends_with(".svc")) return std::string(name).append(".").append(domain);
  return {};
}

const Service* find_named(const Table& table, const Client& client, std::string_view authority) {
  std::string name = to_lower(without_port(authority));
  const bool absolute = !name.empty() && name.back() == '.';
  if (absolute) name.pop_back();
  if (name.empty()) return nullptr;
  if (const Service* service = find_exact(table, client, name)) {
    // "web." is absolute: no search path completes it, and no service has a name without a dot.
    if (!absolute || name.find('.') != std::string::npos) return service;
  }
  if (!absolute) {
    if (const std::string full = complete(table, client, name); !full.empty())
      if (const Service* service = find_exact(table, client, full)) return service;
  }
  return find_wildcard(table, client, name);
}

uint16_t port_of(std::string_view authority) {
  const size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos) return 0;
  uint16_t port = 0;
  const std::string_view digits = authority.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc() && end == digits.data() + digits.size() ? port : uint16_t{0};
}

/// 0: for the client's namespace alone; 1: meant to come first there; 2: for some; 3: for all.
int audience(const RuleSet& set, const Client& client) {
  const bool at_home = set.namespace_ == client.namespace_;
  if (set.first_at_home && at_home) return 1;
  if (set.export_to.everyone) return 3;
  return set.export_to.only_to(set.namespace_) && at_home ? 0 : 2;
}

void add_visible(const HostRules& host, const Client& client, std::vector<const RuleSet*>& into) {
  for (const RuleSetPtr& set : host.rules)
    if (set->binds(kMesh) && set->export_to.visible_to(client.namespace_)) into.push_back(set.get());
}

/// Of every host that takes `host` in, the exact one first, then the longest wildcard: `use` until it says enough.
template <class Use>
void for_each_host(const Table& table, std::string_view host, Use use) {
  if (const auto& exact = table.rules.find(host); exact && use(*exact)) return;
  if (!table.wildcard_rule_hosts) return;
  for (const std::string& pattern : *table.wildcard_rule_hosts)
    if (pattern != host && host_matches(pattern, host) && use(*table.rules.find(pattern))) return;
}

/// True: the last one takes every connection, and none after it can hold (istio tcp.go: the first without
/// destinationSubnets ends the list).
bool add_applied(const RuleSet& set, const std::vector<L4Rule>& rules, const Client& client, uint16_t port,
                 std::vector<AppliedL4Rule>& into) {
  for (const L4Rule& rule : rules) {
    AppliedL4Rule entry{&set, &rule, {}};
    bool takes_all = rule.match.empty();
    for (const L4Match& match : rule.match) {
      if (!match.selector.holds_for_connections(client, kMesh, port)) continue;
      takes_all = takes_all || match.takes_every_connection();
      entry.match.push_back(&match);
    }
    if (!takes_all && entry.match.empty()) continue;
    if (takes_all) entry.match.clear();
    into.push_back(std::move(entry));
    if (takes_all) return true;
  }
  return false;
}

}  // namespace

const Service* find_service_by_host(const Table& table, const Client& client, std::string_view host) {
  return find_exact(table, client, host);
}

const Service* find_service_by_address(const Table& table, const Client& client, const IpAddress& address,
                                       uint16_t port) {
  std::vector<ServicePtr> candidates;
  if (const auto& found = table.services_at.find(address.to_string())) candidates = found->services;
  if (candidates.empty() && table.wide_services) {
    const auto holds = [&](const Cidr& range) { return range.contains(address); };
    for (const ServicePtr& service : *table.wide_services)
      if (std::any_of(service->ranges.begin(), service->ranges.end(), holds)) candidates.push_back(service);
  }
  std::vector<ServicePtr> with_port;
  std::copy_if(candidates.begin(), candidates.end(), std::back_inserter(with_port),
               [&](const ServicePtr& service) { return service->find_port(port) != nullptr; });
  if (const Service* service = pick_service(with_port, client.namespace_)) return service;
  return pick_service(candidates, client.namespace_);
}

const Service* find_service(const Table& table, const Client& client, std::string_view name) {
  if (const auto address = IpAddress::parse(without_port(name)))
    return find_service_by_address(table, client, *address, port_of(name));
  const Service* service = find_named(table, client, name);
  // An ExternalName stands for what it names, if that is known; otherwise nobody knows it (istio-facts 26).
  for (int step = 0; service && service->resolution == Service::Resolution::kAlias; ++step)
    service = step < kMaxAliases ? find_named(table, client, service->external_name) : nullptr;
  return service;
}

const Service* find_service_by_authority(const Table& table, const Client& client, std::string_view authority,
                                         const Service* dialled) {
  const Service* named = find_service(table, client, authority);
  if (named || !dialled || !client.namespace_.empty()) return named;
  Client there = client;
  there.namespace_ = dialled->namespace_;
  return find_service(table, there, authority) == dialled ? dialled : nullptr;
}

std::vector<AppliedHttpRule> applied_rules(const RuleSet& set, const Client& client, std::string_view where,
                                           uint16_t port) {
  std::vector<AppliedHttpRule> applied;
  for (const HttpRule& rule : set.http) {
    AppliedHttpRule entry{&rule, {}, rule.match.empty()};
    for (const HttpMatch& match : rule.match) {
      if (!match.selector.holds_for_requests(client, where, port)) continue;
      entry.match.push_back(&match);
      entry.takes_all = match.takes_every_request();
      if (entry.takes_all) break;
    }
    if (!entry.takes_all && entry.match.empty()) continue;
    applied.push_back(std::move(entry));
    if (applied.back().takes_all) break;
  }
  return applied;
}

void sort_for(const Client& client, std::vector<const RuleSet*>& sets) {
  std::ranges::stable_sort(sets, {}, [&](const RuleSet* set) { return audience(*set, client); });
}

std::vector<const RuleSet*> find_rule_sets(const Table& table, const Client& client, std::string_view host) {
  std::vector<const RuleSet*> sets;
  for_each_host(table, host, [&](const HostRules& rules) {
    add_visible(rules, client, sets);
    return !sets.empty();
  });
  sort_for(client, sets);
  return sets;
}

HttpRules find_http_rules(const Table& table, const Client& client, std::string_view host, uint16_t port) {
  for (const RuleSet* set : find_rule_sets(table, client, host)) {
    auto rules = applied_rules(*set, client, kMesh, port);
    if (!rules.empty()) return {set, std::move(rules)};
  }
  return {};
}

std::vector<AppliedL4Rule> find_l4_rules(const Table& table, const Client& client, std::string_view host, uint16_t port,
                                         bool tls) {
  std::vector<const RuleSet*> sets;
  for_each_host(table, host, [&](const HostRules& rules) {
    add_visible(rules, client, sets);
    return false;
  });
  std::ranges::sort(sets, [](const RuleSet* a, const RuleSet* b) { return older(*a, *b); });
  sets.erase(std::unique(sets.begin(), sets.end()), sets.end());
  sort_for(client, sets);
  std::vector<AppliedL4Rule> rules;
  for (const RuleSet* set : sets)
    if (add_applied(*set, tls ? set->tls : set->tcp, client, port, rules)) break;
  return rules;
}

std::string find_host_without_service(const Table& table, const Client& client, std::string_view name, uint16_t port) {
  if (port != kDefaultHttpPort) return {};
  std::string host = to_lower(without_port(name));
  if (!host.empty() && host.back() == '.') host.pop_back();
  if (host.empty()) return {};
  if (const Service* service = find_service(table, client, host); service && service->find_port(port)) return {};
  std::string under;
  for_each_host(table, host, [&](const HostRules& rules) {
    std::vector<const RuleSet*> sets;
    add_visible(rules, client, sets);
    if (!sets.empty()) under = rules.host;
    return !sets.empty();
  });
  return under;
}

Client client_at(const Table& table, const IpAddress& address) {
  Client client;
  client.address = address;
  if (const auto& pod = table.pods_at.find(address.to_string())) {
    client.namespace_ = pod->namespace_;
    client.labels = pod->labels;
  }
  return client;
}

std::optional<Client> client_of_pod(const Table& table, std::string_view namespace_, std::string_view pod) {
  const auto& found = table.pods.find(std::string(namespace_).append("/").append(pod));
  if (!found) return std::nullopt;
  Client client;
  client.namespace_ = found->namespace_;
  client.labels = found->labels;
  if (!found->addresses.empty()) client.address = found->addresses.front();
  return client;
}

}  // namespace weir::routing
