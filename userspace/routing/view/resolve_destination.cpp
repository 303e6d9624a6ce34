#include <algorithm>
#include <utility>

#include "config/labels.h"
#include "routing/hosts.h"
#include "routing/view/resolve.h"

namespace weir::routing {

using config::has_all;

namespace {

bool is_private(const DestinationRule& rule) {
  return rule.export_to.only_to(rule.namespace_);
}

/// The most specific entry of the namespace for which any rule satisfies `wanted`.
template <class Wanted>
const DestinationRules* most_specific(const Table& table, std::string_view namespace_, std::string_view host,
                                      Wanted wanted) {
  const auto any = [&](const DestinationRules& rules) {
    return std::any_of(rules.rules.begin(), rules.rules.end(), wanted);
  };
  std::string key;
  key.append(namespace_).append("/").append(host);
  if (const auto& exact = table.destination_rules.find(key); exact && any(*exact)) return exact.get();
  if (!table.wildcard_destination_hosts) return nullptr;
  const auto& wildcards = *table.wildcard_destination_hosts;
  auto entry = std::lower_bound(
      wildcards.begin(), wildcards.end(), namespace_,
      [](const auto& wildcard, std::string_view wanted_namespace) { return wildcard.first < wanted_namespace; });
  for (; entry != wildcards.end() && entry->first == namespace_; ++entry) {
    if (!host_matches(entry->second, host)) continue;
    const auto& rules = table.destination_rules.find(entry->first + "/" + entry->second);
    if (rules && any(*rules)) return rules.get();
  }
  return nullptr;
}

/// Of rules that only exportTo or the workload selector tell apart: the one that selects the client, else the last
/// without a selector (istio sidecar.go DestinationRule).
template <class Wanted>
const DestinationRule* for_client(const DestinationRules* rules, const Client& client, Wanted wanted) {
  if (!rules) return nullptr;
  const DestinationRule* general = nullptr;
  for (const DestinationRule& rule : rules->rules) {
    if (!wanted(rule)) continue;
    if (rule.workload_selector.empty()) {
      general = &rule;
    } else if (rule.namespace_ == client.namespace_ && has_all(client.labels, rule.workload_selector)) {
      return &rule;
    }
  }
  return general;
}

/// istio push_context.go getExportedDestinationRuleFromNamespace. `*decided` is set when the namespace has a say.
const DestinationRule* exported_rule(const Table& table, std::string_view namespace_, const Client& client,
                                     std::string_view host) {
  const auto exported = [](const DestinationRule& rule) { return !is_private(rule); };
  const DestinationRules* rules = most_specific(table, namespace_, host, exported);
  return for_client(rules, client, [&](const DestinationRule& rule) {
    return !is_private(rule) && rule.export_to.visible_to(client.namespace_);
  });
}

const std::string& node_of(const Table& table, const Client& client) {
  return client.node.empty() ? table.node : client.node;
}

void fill_endpoints(const Table& table, const Client& client, ResolvedDestination& resolved) {
  if (is_for_dialled(resolved) && !client.is_gateway) return;
  const bool local = resolved.service->internal_local;
  const std::string& node = node_of(table, client);
  resolved.endpoints.reserve(resolved.service_port->endpoints.size());
  for (const Endpoint& endpoint : resolved.service_port->endpoints) {
    // The node has to be known, as in Istio: what is on none is on another one.
    if (local && (node.empty() || endpoint.workload->node != node)) continue;
    if (!resolved.subset_rule || has_all(endpoint.workload->labels, resolved.subset_rule->config->labels))
      resolved.endpoints.push_back(&endpoint);
  }
}

/// Why nobody can serve.
std::string no_endpoints(const Table& table, const Client& client, const ResolvedDestination& resolved) {
  std::string text = resolved.subset.empty() ? resolved.host : "subset " + resolved.subset + " of " + resolved.host;
  if (!resolved.endpoints.empty()) return text + " has no healthy endpoints";
  text += " has no endpoints";
  if (resolved.service->internal_local) {
    const std::string& node = node_of(table, client);
    text += node.empty() ? " for a client whose node is not known" : " on node " + node;
    return text + " (internalTrafficPolicy: Local)";
  }
  if (resolved.service->resolution == Service::Resolution::kDns) text += " whose names are resolved";
  return text;
}

void find_subset(const Table& table, const Client& client, ResolvedDestination& resolved) {
  resolved.destination_rule = find_destination_rule(table, client, *resolved.service);
  if (resolved.subset.empty()) return;
  if (resolved.destination_rule) resolved.subset_rule = resolved.destination_rule->find_subset(resolved.subset);
  if (resolved.subset_rule) return;
  resolved.exists = false;
  resolved.problem = "subset " + resolved.subset + " of " + resolved.host + " is not defined";
  resolved.problem += resolved.destination_rule ? " in DestinationRule " + resolved.destination_rule->namespace_ + "/" +
                                                      resolved.destination_rule->name
                                                : ": no DestinationRule holds for it";
}

std::string port_list(const Service& service) {
  std::string text;
  for (const ServicePort& port : service.ports) text += (text.empty() ? "" : ", ") + std::to_string(port.number);
  return text.empty() ? "none" : text;
}

void find_endpoints(const Table& table, const Client& client, ResolvedDestination& resolved) {
  resolved.service_port = resolved.service->find_port(resolved.port);
  if (!resolved.service_port) {
    resolved.problem = resolved.host + " has no port " + std::to_string(resolved.port) + " (it has " +
                       port_list(*resolved.service) + ")";
    return;
  }
  resolved.exists = true;
  find_subset(table, client, resolved);
  if (!resolved.exists) return;
  fill_endpoints(table, client, resolved);
  if (resolved.has_healthy() || is_for_dialled(resolved)) return;
  resolved.problem = no_endpoints(table, client, resolved);
}

/// A destination that is an ExternalName means what that names, if it is known (istiod GetDestinationCluster); at its
/// own port, which the other must have too. No further: an ExternalName of an ExternalName leads nowhere there.
void follow_alias(const Table& table, const Client& client, ResolvedDestination& resolved) {
  const Service& alias = *resolved.service;
  resolved.alias = std::exchange(resolved.host, alias.external_name);
  if (resolved.host.ends_with('.')) resolved.host.pop_back();
  resolved.service = find_service_by_host(table, client, resolved.host);
  if (!resolved.service) {
    resolved.problem = resolved.alias + " is an ExternalName of " + resolved.host + ", which nothing here defines";
  } else if (resolved.service->resolution == Service::Resolution::kAlias) {
    resolved.service = nullptr;
    resolved.problem = resolved.alias + " is an ExternalName of " + resolved.host + ", which is one itself";
  }
}

template <class Block>
void replace(const Block*& block, const std::optional<Block>& by, bool even_if_absent) {
  if (by) {
    block = &*by;
  } else if (even_if_absent) {
    block = nullptr;
  }
}

void lay_over(EffectivePolicy& policy, const config::TrafficPolicy& by, bool even_if_absent) {
  replace(policy.load_balancer, by.load_balancer, even_if_absent);
  replace(policy.connection_pool, by.connection_pool, even_if_absent);
  replace(policy.outlier_detection, by.outlier_detection, even_if_absent);
  replace(policy.tls, by.tls, even_if_absent);
}

/// A port's settings replace all blocks, also those it leaves out (semantics 1.4).
void lay_over_with_port(EffectivePolicy& policy, const config::TrafficPolicy& by, uint16_t port) {
  lay_over(policy, by, false);
  const auto at_port = by.port_level.find(port);
  if (at_port != by.port_level.end()) lay_over(policy, at_port->second, true);
}

}  // namespace

bool ResolvedDestination::has_healthy() const {
  return std::any_of(endpoints.begin(), endpoints.end(), [](const Endpoint* endpoint) { return endpoint->healthy; });
}

const DestinationRule* find_destination_rule(const Table& table, const Client& client, const Service& service) {
  const std::string_view host = service.host;
  const std::string& root = table.mesh.root_namespace;
  if (!client.namespace_.empty()) {
    // In the root namespace only its private rules come first: the others are meant as defaults for everyone.
    const auto local = [&](const DestinationRule& rule) {
      return client.namespace_ == root ? is_private(rule) : rule.export_to.visible_to(client.namespace_);
    };
    if (const DestinationRules* rules = most_specific(table, client.namespace_, host, local))
      return for_client(rules, client, local);
  }
  if (const DestinationRule* rule = exported_rule(table, service.namespace_, client, host)) return rule;
  return exported_rule(table, root, client, host);
}

ResolvedDestination resolve_destination(const Table& table, const Client& client, const RuleDestination& destination,
                                        uint16_t dialled_port, PortMeaning meaning) {
  ResolvedDestination resolved;
  resolved.host = destination.host;
  resolved.subset = destination.subset;
  resolved.by_endpoints = destination.by_endpoints;
  resolved.port = destination.port.value_or(dialled_port);
  if (!destination.refused.empty()) {
    resolved.problem = destination.refused;
    resolved.refused_status = destination.refused_status;
    return resolved;
  }
  resolved.service = find_service_by_host(table, client, resolved.host);
  if (!resolved.service) {
    resolved.problem = "no Service or ServiceEntry defines " + resolved.host;
    const auto& hidden = table.services.find(resolved.host);
    if (hidden) resolved.problem = resolved.host + " is not exported to this client's namespace";
    return resolved;
  }
  if (resolved.service->resolution == Service::Resolution::kAlias && meaning == PortMeaning::kDialled &&
      !resolved.service->find_port(dialled_port)) {
    // istiod looks for the service among those that have the dialled port, an ExternalName's own ports included.
    resolved.problem = resolved.host + " is an ExternalName without port " + std::to_string(dialled_port) +
                       " (it has " + port_list(*resolved.service) + ")";
    return resolved;
  }
  const auto& ports = resolved.service->ports;
  if (!destination.port && meaning == PortMeaning::kOnlyElseDialled && ports.size() == 1)
    resolved.port = ports.front().number;
  if (resolved.service->resolution == Service::Resolution::kAlias) follow_alias(table, client, resolved);
  if (!resolved.service) return resolved;
  find_endpoints(table, client, resolved);
  return resolved;
}

ResolvedDestination resolve_service(const Table& table, const Client& client, const Service& service, uint16_t port) {
  ResolvedDestination resolved;
  resolved.host = service.host;
  resolved.port = port;
  resolved.service = &service;
  find_endpoints(table, client, resolved);
  return resolved;
}

EffectivePolicy effective_policy(const ResolvedDestination& destination) {
  EffectivePolicy policy;
  if (destination.destination_rule && destination.destination_rule->traffic_policy)
    lay_over_with_port(policy, *destination.destination_rule->traffic_policy, destination.port);
  if (destination.subset_rule && destination.subset_rule->config->traffic_policy)
    lay_over_with_port(policy, *destination.subset_rule->config->traffic_policy, destination.port);
  return policy;
}

bool is_for_dialled(const ResolvedDestination& destination) {
  return destination.service != nullptr && !destination.by_endpoints &&
         destination.service->resolution == Service::Resolution::kOriginalDestination;
}

bool goes_to_dialled(const ResolvedDestination& destination, const Client& client) {
  if (client.is_gateway || !destination.exists || destination.service == nullptr) return false;
  if (is_for_dialled(destination)) return true;
  const config::LoadBalancer* balancer = effective_policy(destination).load_balancer;
  return balancer != nullptr && !balancer->consistent_hash &&
         balancer->simple == config::LoadBalancer::Simple::kPassthrough;
}

}  // namespace weir::routing
