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

bool has_all(const config::Labels& labels, const config::Labels& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& label) {
    const auto found = labels.find(label.first);
    return found != labels.end() && found->second == label.second;
  });
}

/// istio route.go sourceMatchHTTP: a match's own gateways stand in place of labels and namespace.
template <class Match>
bool source_applies(const Match& match, const Client& client) {
  if (!match.gateways.empty())
    return std::find(match.gateways.begin(), match.gateways.end(), "mesh") != match.gateways.end();
  const auto& written = *match.config;
  return has_all(client.labels, written.source_labels) &&
         (written.source_namespace.empty() || written.source_namespace == client.namespace_);
}

template <class Match>
bool port_applies(const Match& match, uint16_t port) {
  return !match.config->port || match.config->port->value == port;
}

std::vector<const VirtualService*> visible_mesh_rules(const HostRules& rules, const Client& client) {
  std::vector<const VirtualService*> visible;
  for (const VirtualServicePtr& rule : rules.rules)
    if (rule->binds("mesh") && rule->export_to.visible_to(client.namespace_)) visible.push_back(rule.get());
  return visible;
}

std::vector<ApplicableHttpRoute> applicable_routes(const VirtualService& rule, const Client& client, uint16_t port) {
  std::vector<ApplicableHttpRoute> routes;
  for (const HttpRoute& route : rule.http) {
    ApplicableHttpRoute applicable{&route, {}, route.match.empty()};
    for (const HttpMatch& match : route.match) {
      if (!port_applies(match, port) || !source_applies(match, client)) continue;
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

std::vector<const VirtualService*> find_virtual_services(const Table& table, const Client& client,
                                                         std::string_view host) {
  if (const auto& exact = table.virtual_services.find(host)) {
    auto visible = visible_mesh_rules(*exact, client);
    if (!visible.empty()) return visible;
  }
  if (!table.wildcard_rule_hosts) return {};
  for (const std::string& pattern : *table.wildcard_rule_hosts) {
    if (!host_matches(pattern, host)) continue;
    auto visible = visible_mesh_rules(*table.virtual_services.find(pattern), client);
    if (!visible.empty()) return visible;
  }
  return {};
}

HttpRules find_http_rules(const Table& table, const Client& client, std::string_view host, uint16_t port) {
  for (const VirtualService* rule : find_virtual_services(table, client, host)) {
    auto routes = applicable_routes(*rule, client, port);
    if (!routes.empty()) return {rule, std::move(routes)};
  }
  return {};
}

std::vector<ApplicableL4Route> find_l4_rules(const Table& table, const Client& client, std::string_view host,
                                             uint16_t port, bool tls) {
  std::vector<ApplicableL4Route> routes;
  for (const VirtualService* rule : find_virtual_services(table, client, host)) {
    for (const L4Route& route : tls ? rule->tls : rule->tcp) {
      ApplicableL4Route applicable{rule, &route, {}};
      bool takes_all = route.match.empty();
      for (const L4Match& match : route.match) {
        if (!port_applies(match, port) || !source_applies(match, client)) continue;
        const config::L4Match& written = *match.config;
        takes_all =
            takes_all || (written.destination_subnets.empty() && !written.source_subnet && written.sni_hosts.empty());
        applicable.match.push_back(&match);
      }
      if (!takes_all && applicable.match.empty()) continue;
      if (takes_all) applicable.match.clear();
      routes.push_back(std::move(applicable));
      if (takes_all) return routes;
    }
  }
  return routes;
}

std::string find_host_without_service(const Table& table, const Client& client, std::string_view name, uint16_t port) {
  if (port != kDefaultHttpPort) return {};
  std::string host = to_lower(without_port(name));
  if (!host.empty() && host.back() == '.') host.pop_back();
  if (host.empty()) return {};
  if (const Service* service = find_service(table, client, host); service && service->find_port(port)) return {};
  if (const auto& exact = table.virtual_services.find(host); exact && !visible_mesh_rules(*exact, client).empty())
    return host;
  if (!table.wildcard_rule_hosts) return {};
  for (const std::string& pattern : *table.wildcard_rule_hosts)
    if (host_matches(pattern, host) && !visible_mesh_rules(*table.virtual_services.find(pattern), client).empty())
      return pattern;
  return {};
}

bool takes_every_request(const config::HttpMatch& match) {
  if (match.scheme || match.method || match.authority || !match.headers.empty() || !match.without_headers.empty() ||
      !match.query_params.empty())
    return false;
  if (!match.uri) return true;
  const config::StringMatch& uri = *match.uri;
  switch (uri.type) {
    case config::StringMatch::Type::kExact:
      return false;
    case config::StringMatch::Type::kPrefix:
      return uri.value.empty() || uri.value == "/";
    case config::StringMatch::Type::kRegex:
      return uri.value == ".*" || uri.value == "/.*";
    case config::StringMatch::Type::kPresent:
      return true;
  }
  return false;
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
