#include "agent/views/views.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "agent/views/route_text.h"
#include "config/labels.h"
#include "routing/view/resolve.h"

namespace weir::agent {
namespace {

using routing::Plan;
using routing::ServicePlan;

const ServicePlan* plan_of(const Plan& plan, const std::string& service, uint16_t port) {
  const auto found =
      std::lower_bound(plan.services.begin(), plan.services.end(), std::tie(service, port),
                       [](const auto& entry, const auto& key) { return std::tie(entry->service, entry->port) < key; });
  return found != plan.services.end() && (*found)->service == service && (*found)->port == port ? found->get()
                                                                                                : nullptr;
}

using SplitIndex = std::map<uint64_t, const datapath::SplitView*>;

SplitIndex splits_by_key(const datapath::MapsView* maps) {
  SplitIndex index;
  if (maps != nullptr)
    for (const auto& split : maps->splits) index.emplace(split.key, &split);
  return index;
}

const datapath::SplitView* find_split(const SplitIndex& index, const std::string& name) {
  const auto found = index.find(datapath::split_key(name));
  return found == index.end() ? nullptr : found->second;
}

const datapath::DestinationView* find_destination(const datapath::SplitView* split,
                                                  const routing::PlanDestination& destination) {
  if (split == nullptr) return nullptr;
  const uint32_t key = datapath::destination_key(destination.host, destination.port, destination.subset);
  const auto found = std::ranges::find(split->destinations, key, &datapath::DestinationView::key);
  return found == split->destinations.end() ? nullptr : &*found;
}

Json frontends_json(const ServicePlan& plan) {
  auto list = Json::array();
  for (const auto& frontend : plan.frontends)
    list.push_back(
        {{"address", frontend.address.to_string()},
         {"port", frontend.port},
         {"source", frontend.source == routing::kOutside ? 0 : frontend.source},
         {"outside", frontend.source == routing::kOutside},
         {"proxied", frontend.proxied},
         {"split", frontend.split == routing::kNoSplit ? Json(nullptr) : Json(plan.splits[frontend.split].name)}});
  return list;
}

}  // namespace

std::string to_text(WallClock::time_point time) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(ms / 1000)), ms % 1000);
}

Json counts_json(const datapath::Counts& counts) {
  return {{"picked", counts.picked}, {"opened", counts.opened}, {"closed", counts.closed}, {"open", counts.open()}};
}

Json origin_json(const routing::Origin& origin) {
  if (origin.kind.empty()) return nullptr;
  return {{"kind", origin.kind},    {"namespace", origin.namespace_}, {"name", origin.name},
          {"route", origin.route},  {"index", origin.index},          {"file", origin.file},
          {"line", origin.at.line}, {"column", origin.at.column}};
}

Json diagnostic_json(const config::Diagnostic& diagnostic) {
  static constexpr const char* kLevels[] = {"Info", "Warning", "Error"};
  return {{"level", kLevels[static_cast<size_t>(diagnostic.level)]},
          {"code", diagnostic.code},
          {"message", diagnostic.message},
          {"hint", diagnostic.hint},
          {"object", diagnostic.object},
          {"file", diagnostic.file},
          {"line", diagnostic.at.line},
          {"column", diagnostic.at.column}};
}

Json services_view(const routing::Table* table, const datapath::MapsView* maps) {
  auto list = Json::array();
  if (table == nullptr) return list;
  const auto index = splits_by_key(maps);
  for (const auto& service : table->all_services()) {
    for (const auto& port : service->ports) {
      const ServicePlan* plan = plan_of(*table->plan, service->host, port.number);
      if (plan != nullptr && plan->namespace_ != service->namespace_) plan = nullptr;
      auto addresses = Json::array();
      for (const auto& address : service->addresses) addresses.push_back(address.to_string());
      Json entry = {{"service", service->host},
                    {"namespace", service->namespace_},
                    {"name", service->name},
                    {"port", port.number},
                    {"protocol", routing::to_string(port.protocol)},
                    {"addresses", std::move(addresses)},
                    {"path", plan != nullptr ? routing::to_string(plan->path) : "none"},
                    {"reason", plan != nullptr ? plan->reason : "no rule: left alone"},
                    {"endpoints", port.endpoints.size()},
                    {"frontends", plan != nullptr ? frontends_json(*plan) : Json::array()}};
      datapath::Counts counts;
      if (plan != nullptr)
        for (const auto& split : plan->splits)
          if (const auto* view = find_split(index, split.name)) counts += view->counts;
      entry.update(counts_json(counts));
      list.push_back(std::move(entry));
    }
  }
  return list;
}

namespace {

Json destinations_json(const std::vector<routing::RuleDestination>& destinations) {
  auto list = Json::array();
  for (const auto& destination : destinations) {
    list.push_back({{"host", destination.host},
                    {"subset", destination.subset},
                    {"port", destination.port ? Json(*destination.port) : Json(nullptr)},
                    {"weight", destination.weight}});
  }
  return list;
}

template <class Rule>
Json rule_json(const routing::RuleSet& set, const char* protocol, const Rule& rule) {
  const routing::Origin& origin = rule.origin;
  return {{"service", set.hosts.empty() ? "" : set.hosts.front()},
          {"namespace", set.namespace_},
          {"kind", origin.kind},
          {"name", origin.name},
          {"hosts", set.hosts},
          {"gateways", set.gateways},
          {"protocol", protocol},
          {"index", origin.index},
          {"route", origin.route},
          {"match", match_text(rule)},
          {"action", action_text(rule)},
          {"destinations", destinations_json(rule.destinations)},
          {"file", origin.file},
          {"line", origin.at.line},
          {"column", origin.at.column}};
}

}  // namespace

Json routes_view(const routing::Table* table) {
  auto list = Json::array();
  if (table == nullptr) return list;
  for (const auto& set : table->all_rules()) {
    for (const auto& rule : set->http) list.push_back(rule_json(*set, "http", rule));
    for (const auto& [protocol, rules] : {std::pair{"tls", &set->tls}, {"tcp", &set->tcp}})
      for (const auto& rule : *rules) list.push_back(rule_json(*set, protocol, rule));
  }
  return list;
}

namespace {

Json split_destinations_json(const routing::PlanSplit& split, const datapath::SplitView* view,
                             const Observed& observed) {
  const auto shares = routing::shares(split);
  std::vector<uint64_t> since(split.destinations.size());
  uint64_t sum = 0;
  const uint64_t key = datapath::split_key(split.name);
  for (size_t i = 0; i < split.destinations.size(); ++i) {
    const auto* destination = find_destination(view, split.destinations[i]);
    if (destination == nullptr) continue;
    since[i] = observed.since(key, destination->key, destination->counts.picked);
    sum += since[i];
  }
  auto list = Json::array();
  for (size_t i = 0; i < split.destinations.size(); ++i) {
    const auto& plan = split.destinations[i];
    const auto* destination = find_destination(view, plan);
    const datapath::Counts counts = destination != nullptr ? destination->counts : datapath::Counts{};
    Json entry = {
        {"host", plan.host},
        {"port", plan.port},
        {"subset", plan.subset},
        {"weight", plan.weight},
        {"intended", shares[i]},
        {"observed", sum > 0 ? Json(static_cast<double>(since[i]) / static_cast<double>(sum)) : Json(nullptr)},
        {"picked_since_change", since[i]},
        {"endpoints", plan.endpoints.size()}};
    entry.update(counts_json(counts));
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace

Json splits_view(const routing::Table* table, const datapath::MapsView* maps, const Observed& observed) {
  auto list = Json::array();
  if (table == nullptr) return list;
  const auto index = splits_by_key(maps);
  for (const auto& service : table->plan->services) {
    for (const auto& split : service->splits) {
      const auto* view = find_split(index, split.name);
      Json entry = {{"name", split.name},
                    {"service", service->service},
                    {"namespace", service->namespace_},
                    {"port", service->port},
                    {"path", routing::to_string(service->path)},
                    {"fallback", split.fallback},
                    {"rule", origin_json(split.origin)},
                    {"in_kernel", view != nullptr},
                    {"destinations", split_destinations_json(split, view, observed)}};
      list.push_back(std::move(entry));
    }
  }
  return list;
}

namespace {

/// Names of the subsets that the endpoint is in, of any DestinationRule for the host.
std::vector<std::string> subsets_of(const routing::Table& table, const routing::Service& service,
                                    const routing::Endpoint& endpoint) {
  std::vector<std::string> names;
  const routing::Client client{service.namespace_, {}, std::nullopt};
  const auto* rule = routing::find_destination_rule(table, client, service);
  if (rule == nullptr) return names;
  for (const auto& subset : rule->subsets) {
    if (config::has_all(endpoint.workload->labels, subset.config->labels)) names.push_back(subset.config->name.value);
  }
  return names;
}

using EndpointCounts = std::map<std::pair<IpAddress, uint16_t>, datapath::Counts>;

EndpointCounts counts_of(const ServicePlan* plan, const SplitIndex& index) {
  EndpointCounts counts;
  if (plan == nullptr) return counts;
  for (const auto& split : plan->splits)
    if (const auto* view = find_split(index, split.name))
      for (const auto& destination : view->destinations)
        for (const auto& endpoint : destination.endpoints) counts[{endpoint.address, endpoint.port}] += endpoint.counts;
  return counts;
}

}  // namespace

Json endpoints_view(const routing::Table* table, const datapath::MapsView* maps) {
  auto list = Json::array();
  if (table == nullptr) return list;
  const auto index = splits_by_key(maps);
  for (const auto& service : table->all_services()) {
    for (const auto& port : service->ports) {
      auto counts = counts_of(plan_of(*table->plan, service->host, port.number), index);
      for (const auto& endpoint : port.endpoints) {
        Json entry = {{"service", service->host},
                      {"namespace", service->namespace_},
                      {"service_port", port.number},
                      {"address", endpoint.address.to_string()},
                      {"port", endpoint.port},
                      {"healthy", endpoint.healthy},
                      {"weight", endpoint.weight},
                      {"workload", endpoint.workload->name},
                      {"workload_namespace", endpoint.workload->namespace_},
                      {"subsets", subsets_of(*table, *service, endpoint)}};
        entry.update(counts_json(counts[{endpoint.address, endpoint.port}]));
        list.push_back(std::move(entry));
      }
    }
  }
  return list;
}

Json gateways_view(const routing::Table* table, const datapath::MapsView* maps) {
  auto list = Json::array();
  if (table == nullptr) return list;
  for (const auto& port : table->plan->gateway_ports) {
    const bool open = maps != nullptr && std::ranges::any_of(maps->proxy.ports, [&](const auto& entry) {
                        return entry.gateway && entry.port == port.port;
                      });
    list.push_back({{"port", port.port},
                    {"listener", port.listener},
                    {"protocol", port.http ? "http" : "opaque"},
                    {"gateways", port.servers},
                    {"open", open}});
  }
  return list;
}

}  // namespace weir::agent
