#include <algorithm>
#include <utility>

#include "routing/build/destination_rules.h"
#include "routing/build/gateways.h"
#include "routing/build/services.h"
#include "routing/build/state.h"
#include "routing/build/virtual_services.h"
#include "routing/hosts.h"

namespace weir::routing {

namespace {

/// "namespace/host" -> host.
std::string_view after_slash(std::string_view key) {
  return key.substr(key.find('/') + 1);
}
std::string_view before_slash(std::string_view key) {
  return key.substr(0, key.find('/'));
}

template <class Map>
void erase_from(Map& map, std::string_view key, const std::string& member) {
  const auto found = map.find(key);
  if (found == map.end()) return;
  found->second.erase(member);
  if (found->second.empty()) map.erase(found);
}

bool is_wide(const Service& service) {
  return is_wildcard(service.host) || !service.ranges.empty();
}

bool same_ports(const Service& a, const Service& b) {
  const auto same = [](const ServicePort& x, const ServicePort& y) { return x.number == y.number && x.name == y.name; };
  return std::ranges::equal(a.ports, b.ports, same) && a.source == b.source && a.resolution == b.resolution;
}

template <class Value>
std::shared_ptr<const Value> share(Value value) {
  return std::make_shared<const Value>(std::move(value));
}

}  // namespace

void TableBuilder::State::set_conditions(const std::string& key, config::Diagnostics conditions) {
  table_.condition_groups.set(key, conditions.empty() ? nullptr : share(std::move(conditions)));
}

void TableBuilder::State::mark_host(const std::string& host) {
  if (is_wildcard(host)) {
    dirty_.wildcards.insert(host);
  } else {
    dirty_.hosts.insert(host);
  }
  // Of a wildcard service rules may name one host, or a narrower wildcard.
  if (!table_.wide_services) return;
  for (const ServicePtr& service : *table_.wide_services)
    if (is_wildcard(service->host) && hosts_overlap(service->host, host)) dirty_.hosts.insert(service->host);
}

// ---------------------------------------------------------------- pods

void TableBuilder::State::compile_pods() {
  for (const std::string& key : dirty_.pods) {
    if (const auto before = table_.pods.find(key))
      for (const IpAddress& address : before->addresses) claim_address(address.to_string(), key, nullptr);
    std::shared_ptr<const Workload> after;
    if (const config::ObjectPtr object = pods_.first(key)) {
      const auto& pod = std::get<config::Pod>(*object);
      after = build_workload(pod);
      if (owns_its_address(pod))
        for (const IpAddress& address : after->addresses) claim_address(address.to_string(), key, after);
    }
    table_.pods.set(key, after);
    mark_services_of_pod(key);
    classes_.touch(key);
  }
}

/// `pod` null: the claim is given up. Of several pods that claim one address (one of them is about to go) the first by
/// name has it.
void TableBuilder::State::claim_address(const std::string& address, const std::string& pod_key,
                                        const std::shared_ptr<const Workload>& pod) {
  const auto owner = table_.pods_at.find(address);
  const std::string owner_key = owner ? key_of(owner->namespace_, owner->name) : std::string();
  const auto contested = contested_addresses_.find(address);
  if (contested != contested_addresses_.end()) {
    Keys& claims = contested->second;
    if (pod) {
      claims.insert(pod_key);
    } else {
      claims.erase(pod_key);
    }
    const std::string& first = *claims.begin();
    table_.pods_at.set(address, first == pod_key ? pod : table_.pods.find(first));
    if (claims.size() == 1) contested_addresses_.erase(contested);
  } else if (!owner || owner_key == pod_key) {
    table_.pods_at.set(address, pod);
  } else if (pod) {
    contested_addresses_[address] = {owner_key, pod_key};
    if (pod_key < owner_key) table_.pods_at.set(address, pod);
  }
  if (!services_of_pod_.empty()) mark_services_of_pod("@" + address);
}

void TableBuilder::State::mark_services_of_pod(std::string_view key) {
  const auto found = services_of_pod_.find(key);
  if (found == services_of_pod_.end()) return;
  for (const uint32_t service : found->second) dirty_.services.insert(service_keys_[service]);
}

// ---------------------------------------------------------------- services

void TableBuilder::State::compile_services() {
  for (const std::string& key : dirty_.services) compile_service(key);
}

void TableBuilder::State::compile_service(const std::string& key) {
  ServiceInput input;
  input.namespace_ = before_slash(key);
  input.host = after_slash(key);
  input.allow_loopback_endpoints = options_.allow_loopback_endpoints;
  input.service = services_.first(key);
  input.slices = slices_.get(key);
  input.endpoints = endpoints_.first(key);
  input.entries = entries_.get(key);
  const auto selects = [](const config::ObjectPtr& entry) {
    return std::get<config::ServiceEntry>(*entry).workload_selector.has_value();
  };
  if (std::any_of(input.entries.begin(), input.entries.end(), selects))
    input.workloads = sorted_workloads(workloads_, input.namespace_);
  if (input.service && !std::get<config::Service>(*input.service).selector.empty())
    input.machines = sorted_workloads(machines_, input.namespace_);
  input.resolved_names = &resolved_names_;
  BuiltService built = build_service(input, table_.pods, table_.pods_at);
  use_pods(key, std::move(built.pods));
  use_names(key, std::move(built.names));
  set_conditions("service/" + key, std::move(built.conditions));

  ServicePtr before;
  if (const auto& host = table_.services.find(input.host))
    for (const ServicePtr& service : host->services)
      if (service->namespace_ == input.namespace_) before = service;
  if (!before && !built.service) return;
  if (!before || !built.service || !same_ports(*before, *built.service)) gateway_api_.touch_service(input.host);
  place_service(before, built.service);
  place_at_addresses(before, built.service);
  dirty_.hosts.insert(input.host);
}

std::vector<config::ObjectPtr> TableBuilder::State::sorted_workloads(const Workloads& workloads,
                                                                     std::string_view namespace_) {
  const auto found = workloads.find(namespace_);
  if (found == workloads.end()) return {};
  std::vector<config::ObjectPtr> list(found->second.begin(), found->second.end());
  std::sort(list.begin(), list.end(), precedes);
  return list;
}

void TableBuilder::State::use_names(const std::string& service_key, std::vector<std::string> names) {
  auto kept = names_of_service_.find(service_key);
  if (kept == names_of_service_.end() ? names.empty() : kept->second == names) return;
  names_changed_ = true;
  if (kept == names_of_service_.end()) kept = names_of_service_.emplace(service_key, std::vector<std::string>()).first;
  for (const std::string& name : kept->second) erase_from(services_of_name_, name, service_key);
  for (const std::string& name : names) services_of_name_[name].insert(service_key);
  kept->second = std::move(names);
  if (kept->second.empty()) names_of_service_.erase(kept);
}

void TableBuilder::State::publish_names() {
  if (!std::exchange(names_changed_, false)) return;
  std::vector<std::string> names;
  for (const auto& [name, users] : services_of_name_) names.push_back(name);
  table_.endpoint_names = share(std::move(names));
}

void TableBuilder::State::use_pods(const std::string& service_key, std::vector<std::string> pods) {
  const auto [number, is_new] = service_numbers_.try_emplace(service_key, static_cast<uint32_t>(service_keys_.size()));
  if (is_new) service_keys_.push_back(service_key);
  auto& kept = pods_of_service_[service_key];
  if (kept == pods) return;
  for (const std::string& pod : kept) {
    const auto users = services_of_pod_.find(pod);
    if (users == services_of_pod_.end()) continue;
    std::erase(users->second, number->second);
    if (users->second.empty()) services_of_pod_.erase(users);
  }
  for (const std::string& pod : pods) {
    auto& users = services_of_pod_[pod];
    if (std::find(users.begin(), users.end(), number->second) == users.end()) users.push_back(number->second);
  }
  kept = std::move(pods);
}

void TableBuilder::State::place_service(const ServicePtr& before, const ServicePtr& after) {
  const std::string& host = (after ? after : before)->host;
  HostServices services;
  if (const auto& kept = table_.services.find(host)) services = *kept;
  services.host = host;
  std::erase(services.services, before);
  if (after) {
    const auto by_namespace = [](const ServicePtr& a, const ServicePtr& b) { return a->namespace_ < b->namespace_; };
    services.services.insert(std::upper_bound(services.services.begin(), services.services.end(), after, by_namespace),
                             after);
  }
  table_.services.set(host, services.services.empty() ? nullptr : share(std::move(services)));
  if (!(before && is_wide(*before)) && !(after && is_wide(*after))) return;
  std::vector<ServicePtr> wide;
  if (table_.wide_services) wide = *table_.wide_services;
  std::erase(wide, before);
  if (after && is_wide(*after)) wide.push_back(after);
  std::sort(wide.begin(), wide.end(), [](const ServicePtr& a, const ServicePtr& b) {
    if (a->host.size() != b->host.size()) return a->host.size() > b->host.size();
    return std::tie(a->host, a->namespace_) < std::tie(b->host, b->namespace_);
  });
  table_.wide_services = share(std::move(wide));
}

void TableBuilder::State::place_at_addresses(const ServicePtr& before, const ServicePtr& after) {
  Keys addresses;
  for (const ServicePtr& service : {before, after})
    if (service)
      for (const IpAddress& address : service->addresses) addresses.insert(address.to_string());
  for (const std::string& address : addresses) {
    AddressServices at;
    if (const auto& kept = table_.services_at.find(address)) at = *kept;
    for (const ServicePtr& neighbour : at.services) dirty_.hosts.insert(neighbour->host);
    std::erase(at.services, before);
    const bool has = after && std::any_of(after->addresses.begin(), after->addresses.end(),
                                          [&](const IpAddress& own) { return own.to_string() == address; });
    if (has) at.services.push_back(after);
    std::sort(at.services.begin(), at.services.end(), [](const ServicePtr& a, const ServicePtr& b) {
      return std::tie(a->host, a->namespace_) < std::tie(b->host, b->namespace_);
    });
    table_.services_at.set(address, at.services.empty() ? nullptr : share(std::move(at)));
  }
}

// ---------------------------------------------------------------- rules

void TableBuilder::State::compile_rules() {
  Keys keys = dirty_.rules;
  for (const std::string& key : dirty_.rules)
    if (const auto roots = roots_of_delegate_.find(key); roots != roots_of_delegate_.end())
      keys.insert(roots->second.begin(), roots->second.end());
  for (const std::string& key : keys) {
    CompiledVirtualService compiled;
    if (const config::ObjectPtr object = rules_.first(key))
      compiled = compile_virtual_service(object, table_.mesh,
                                         [&](std::string_view delegate) { return rules_.first(delegate); });
    auto& delegates = delegates_of_rule_[key];
    for (const std::string& delegate : delegates) erase_from(roots_of_delegate_, delegate, key);
    for (const std::string& delegate : compiled.delegates) roots_of_delegate_[delegate].insert(key);
    delegates = std::move(compiled.delegates);
    set_conditions("rule/" + key, std::move(compiled.conditions));
    const RuleSetPtr before = std::exchange(compiled_rules_[key], compiled.rules);
    replace_rules(before, compiled.rules);
    if (!compiled.rules) compiled_rules_.erase(key);
  }
}

void TableBuilder::State::replace_rules(const RuleSetPtr& before, const RuleSetPtr& after) {
  if (before) count_labels(*before, false);
  if (after) count_labels(*after, true);
  place_rule(before, after);
  for (const RuleSetPtr& rules : {before, after}) {
    if (!rules) continue;
    for (const std::string& host : rules->hosts) {
      mark_host(host);
      dirty_.wildcard_rules = dirty_.wildcard_rules || is_wildcard(host);
    }
  }
}

void TableBuilder::State::place_rule(const RuleSetPtr& before, const RuleSetPtr& after) {
  Keys hosts;
  for (const RuleSetPtr& rule : {before, after})
    if (rule) hosts.insert(rule->hosts.begin(), rule->hosts.end());
  for (const std::string& host : hosts) {
    HostRules rules;
    if (const auto& kept = table_.rules.find(host)) rules = *kept;
    rules.host = host;
    std::erase(rules.rules, before);
    if (after && std::find(after->hosts.begin(), after->hosts.end(), host) != after->hosts.end()) {
      const auto by_age = [](const RuleSetPtr& a, const RuleSetPtr& b) { return older(*a, *b); };
      rules.rules.insert(std::upper_bound(rules.rules.begin(), rules.rules.end(), after, by_age), after);
    }
    table_.rules.set(host, rules.rules.empty() ? nullptr : share(std::move(rules)));
  }
}

void TableBuilder::State::sort_wildcards() {
  const auto longest_first = [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  };
  std::vector<std::string> hosts;
  table_.rules.for_each([&](std::string_view host, const auto&) {
    if (is_wildcard(host)) hosts.emplace_back(host);
  });
  std::sort(hosts.begin(), hosts.end(), longest_first);
  table_.wildcard_rule_hosts = share(std::move(hosts));
}

void TableBuilder::State::compile_destination_rules() {
  bool wildcards = false;
  for (const std::string& key : dirty_.destination_rules) {
    config::Diagnostics conditions;
    const auto& objects = destination_rules_.get(key);
    std::shared_ptr<const DestinationRules> compiled;
    const auto count = [&](const std::shared_ptr<const DestinationRules>& rules, bool add) {
      if (!rules) return;
      for (const DestinationRule& rule : rules->rules) count_labels(rule.workload_selector, add);
    };
    count(table_.destination_rules.find(key), false);
    if (!objects.empty())
      compiled = share(routing::compile_destination_rules(before_slash(key), after_slash(key), objects, conditions));
    count(compiled, true);
    table_.destination_rules.set(key, std::move(compiled));
    set_conditions("destination-rule/" + key, std::move(conditions));
    mark_host(std::string(after_slash(key)));
    wildcards = wildcards || is_wildcard(after_slash(key));
  }
  if (!wildcards) return;
  std::vector<std::pair<std::string, std::string>> hosts;
  table_.destination_rules.for_each([&](std::string_view key, const auto&) {
    if (is_wildcard(after_slash(key))) hosts.emplace_back(before_slash(key), after_slash(key));
  });
  std::sort(hosts.begin(), hosts.end(), [](const auto& a, const auto& b) {
    if (a.first != b.first) return a.first < b.first;
    return a.second.size() != b.second.size() ? a.second.size() > b.second.size() : a.second < b.second;
  });
  table_.wildcard_destination_hosts = share(std::move(hosts));
}

// ---------------------------------------------------------------- labels of clients

void TableBuilder::State::count_labels(const config::Labels& labels, bool add) {
  for (const auto& [label, value] : labels) {
    size_t& uses = label_uses_[label];
    uses += add ? 1 : size_t(0) - 1;
    labels_changed_ = labels_changed_ || uses == (add ? 1U : 0U);
    if (uses == 0) label_uses_.erase(label);
  }
}

void TableBuilder::State::count_labels(const RuleSet& rules, bool add) {
  const auto count = [&](const auto& list) {
    for (const auto& rule : list)
      for (const auto& match : rule.match) count_labels(match.selector.source_labels, add);
  };
  count(rules.http);
  count(rules.tcp);
  count(rules.tls);
  for (const L4Rule& rule : rules.tcp)
    for (const L4Match& match : rule.match)
      if (match.source_subnet) classes_.count_subnet(*match.source_subnet, add);
}

void TableBuilder::State::publish_named_labels() {
  if (!std::exchange(labels_changed_, false)) return;
  std::set<std::string, std::less<>> named;
  for (const auto& [label, uses] : label_uses_) named.insert(label);
  table_.named_labels = share(std::move(named));
  classes_.touch_all();
}

// ---------------------------------------------------------------- gateways

void TableBuilder::State::compile_gateways() {
  for (const std::string& key : dirty_.gateways) {
    const config::ObjectPtr object = gateways_.first(key);
    table_.gateways.set(key, object ? compile_gateway(std::get<config::Gateway>(*object)) : nullptr);
  }
}

// ---------------------------------------------------------------- the Gateway API

void TableBuilder::State::compile_gateway_api() {
  GatewayApi::Changes changes = gateway_api_.update(table_);
  dirty_.listeners = !changes.gateways.empty();
  for (auto& [key, gateway] : changes.gateways) table_.gateways.set(key, std::move(gateway));
  for (const auto& [before, after] : changes.rules) replace_rules(before, after);
  for (auto& [key, status] : changes.status) table_.route_status.set(key, std::move(status));
  for (auto& [group, conditions] : changes.conditions) set_conditions(group, std::move(conditions));
  if (dirty_.wildcard_rules) sort_wildcards();
}

}  // namespace weir::routing
