#include "routing/view/reads.h"

#include <algorithm>

#include "routing/hosts.h"

namespace weir::routing {

Reads::Reads(const Table& table)
    : unknown_hosts_(table.mesh.outbound_traffic_policy),
      wide_services_(table.wide_services),
      wildcard_rules_(table.wildcard_rule_hosts),
      wildcard_destinations_(table.wildcard_destination_hosts) {}

std::shared_ptr<const void> Reads::look_up(const Table& table, Map map, std::string_view key) {
  switch (map) {
    case Map::kServices:
      return table.services.find(key);
    case Map::kAddresses:
      return table.services_at.find(key);
    case Map::kRules:
      return table.rules.find(key);
    case Map::kDestinationRules:
      break;
  }
  return table.destination_rules.find(key);
}

void Reads::add(const Table& table, Map map, std::string key) {
  const auto same = [&](const Read& read) { return read.map == map && read.key == key; };
  if (std::ranges::any_of(reads_, same)) return;
  auto value = look_up(table, map, key);
  reads_.push_back({map, std::move(key), std::move(value)});
}

void Reads::add_rules(const Table& table, std::string_view host) {
  add(table, Map::kRules, std::string(host));
  if (!table.wildcard_rule_hosts) return;
  for (const std::string& pattern : *table.wildcard_rule_hosts)
    if (host_matches(pattern, host)) add(table, Map::kRules, pattern);
}

void Reads::add_service(const Table& table, const Client& client, std::string_view host) {
  const std::string key(host);
  const size_t before = reads_.size();
  add(table, Map::kServices, key);
  if (reads_.size() == before) return;
  std::vector<std::string> namespaces{client.namespace_, table.mesh.root_namespace};
  std::vector<std::string> meant;
  if (const auto& found = table.services.find(host)) {
    for (const ServicePtr& service : found->services) {
      namespaces.push_back(service->namespace_);
      if (!service->external_name.empty()) meant.push_back(to_lower(service->external_name));
    }
  }
  for (const std::string& namespace_ : namespaces) {
    const std::string prefix = namespace_ + "/";
    add(table, Map::kDestinationRules, prefix + key);
    if (!table.wildcard_destination_hosts) continue;
    for (const auto& [owner, pattern] : *table.wildcard_destination_hosts)
      if (owner == namespace_ && host_matches(pattern, host)) add(table, Map::kDestinationRules, prefix + pattern);
  }
  for (const std::string& other : meant) add_service(table, client, other);
}

void Reads::add_address(const Table& table, const IpAddress& address) {
  add(table, Map::kAddresses, address.to_string());
}

bool Reads::hold_in(const Table& table) const {
  return unknown_hosts_ == table.mesh.outbound_traffic_policy && wide_services_ == table.wide_services &&
         wildcard_rules_ == table.wildcard_rule_hosts && wildcard_destinations_ == table.wildcard_destination_hosts &&
         std::ranges::all_of(reads_,
                             [&](const Read& read) { return look_up(table, read.map, read.key) == read.value; });
}

}  // namespace weir::routing
