#include "agent/views/stat_view.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "routing/plan/plan.h"

namespace weir::agent {
namespace {

using Json = nlohmann::ordered_json;
using routing::PlanSplit;
using routing::ServicePlan;

Json base_row(const ServicePlan& service, const char* path, const std::string& rule) {
  return {{"service", service.service},
          {"namespace", service.namespace_},
          {"port", service.port},
          {"path", path},
          {"rule", rule}};
}

// ---------------------------------------------------------------- the kernel's counters

std::string rule_of(const PlanSplit& split) {
  if (split.origin.index < 0) return "default";
  return split.origin.route.empty() ? split.origin.name + "#" + std::to_string(split.origin.index) : split.origin.route;
}

void add_split(Json& list, const ServicePlan& service, const PlanSplit& split, const datapath::SplitView* view) {
  const auto shares = routing::shares(split);
  for (size_t i = 0; i < split.destinations.size(); ++i) {
    const auto& destination = split.destinations[i];
    datapath::Counts counts;
    if (view != nullptr) {
      const uint32_t key = datapath::destination_key(destination.host, destination.port, destination.subset);
      const auto found = std::ranges::find(view->destinations, key, &datapath::DestinationView::key);
      if (found != view->destinations.end()) counts = found->counts;
    }
    // Of a proxied service: only what came while the proxy was away is worth a line.
    if (split.fallback && counts.picked == 0) continue;
    Json row = base_row(service, "kernel", rule_of(split) + (split.fallback ? " (without proxy)" : ""));
    row.update({{"host", destination.host},
                {"subset", destination.subset},
                {"weight", destination.weight},
                {"intended", shares[i]},
                {"unit", "connections"},
                {"total", counts.picked},
                {"success", nullptr},
                {"open", counts.open()},
                {"status_classes", nullptr},
                {"durations", Json::array()}});
    list.push_back(std::move(row));
  }
}

// ---------------------------------------------------------------- the proxy's

/// Requests of one rule of one service: by destination as the proxy names it, "" for answers of its own.
using ByDestination = std::map<std::string, const proxy_process::TrafficReport*>;
using ByRule = std::map<std::string, ByDestination>;

/// By "host:port".
std::map<std::string, ByRule> group(const proxy_process::Report& report) {
  std::map<std::string, ByRule> scopes;
  for (const auto& traffic : report.traffic) {
    const auto slash = traffic.route.find('/');
    if (slash == std::string::npos) continue;
    scopes[traffic.route.substr(0, slash)][traffic.route.substr(slash + 1)][traffic.destination] = &traffic;
  }
  return scopes;
}

struct Intended {
  uint64_t weight = 0;
  double share = 0;
};

/// What the rule's weights say, by destination as the proxy names it.
std::map<std::string, Intended> intended_of(const routing::Table& table, const ServicePlan& service,
                                            const routing::HttpRule& rule) {
  const uint64_t sum = routing::weight_sum(rule.destinations);
  const routing::Client client{service.namespace_, {}, std::nullopt};
  std::map<std::string, Intended> intended;
  for (const auto& destination : rule.destinations) {
    const auto resolved =
        routing::resolve_destination(table, client, destination, service.port, routing::http_port_meaning(client));
    std::string name = resolved.host + ":" + std::to_string(resolved.port);
    if (!resolved.subset.empty()) name += "/" + resolved.subset;
    auto& entry = intended[name];
    entry.weight += destination.weight;
    entry.share = sum > 0 ? static_cast<double>(entry.weight) / static_cast<double>(sum) : 0;
  }
  return intended;
}

void add_traffic(Json& row, const proxy_process::TrafficReport* traffic) {
  static const proxy_process::TrafficReport kNone;
  const auto& counted = traffic != nullptr ? *traffic : kNone;
  auto durations = Json::array();
  for (const auto& [upto, count] : counted.durations) durations.push_back({{"upto_us", upto}, {"count", count}});
  const uint64_t failed = counted.status_classes[5] + counted.status_classes[0];
  row.update({{"unit", "requests"},
              {"total", counted.requests},
              {"success", counted.requests - std::min(failed, counted.requests)},
              {"open", nullptr},
              {"status_classes", counted.status_classes},
              {"retries", counted.retries},
              {"durations", std::move(durations)}});
}

void add_rule(Json& list, const ServicePlan& service, const std::string& rule, const ByDestination& counted,
              const std::map<std::string, Intended>& intended) {
  std::set<std::string> names;
  for (const auto& [name, entry] : intended) names.insert(name);
  for (const auto& [name, traffic] : counted)
    if (traffic->requests > 0) names.insert(name);
  for (const auto& name : names) {
    const auto traffic = counted.find(name);
    const auto wanted = intended.find(name);
    const auto parsed = DestinationName::parse(name);
    Json row = base_row(service, "proxy", rule);
    row["host"] = parsed ? parsed->host : "";
    row["subset"] = parsed ? parsed->subset : "";
    row["weight"] = wanted != intended.end() ? Json(wanted->second.weight) : Json(nullptr);
    row["intended"] = wanted != intended.end() ? Json(wanted->second.share) : Json(nullptr);
    add_traffic(row, traffic != counted.end() ? traffic->second : nullptr);
    list.push_back(std::move(row));
  }
}

void add_proxied(Json& list, const routing::Table& table, const ServicePlan& service, ByRule rules) {
  for (const auto& set : table.all_rules()) {
    if (std::ranges::find(set->hosts, service.service) == set->hosts.end()) continue;
    for (const auto& rule : set->http) {
      const std::string name = rule.origin.route_name();
      add_rule(list, service, name, rules[name], intended_of(table, service, rule));
      rules.erase(name);
    }
  }
  for (const auto& [name, counted] : rules) add_rule(list, service, name, counted, {});
}

}  // namespace

std::optional<DestinationName> DestinationName::parse(std::string_view text) {
  DestinationName name;
  if (const auto slash = text.find('/'); slash != std::string_view::npos) {
    name.subset = text.substr(slash + 1);
    text = text.substr(0, slash);
  }
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return {};
  const auto [end, problem] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), name.port);
  if (problem != std::errc() || end != text.data() + text.size()) return {};
  name.host = text.substr(0, colon);
  return name;
}

Json stat_view(const routing::Table* table, const datapath::MapsView* maps, const proxy_process::Report* report) {
  auto list = Json::array();
  if (table == nullptr) return list;
  std::map<uint64_t, const datapath::SplitView*> splits;
  if (maps != nullptr)
    for (const auto& split : maps->splits) splits.emplace(split.key, &split);
  std::map<std::string, ByRule> scopes;
  if (report != nullptr) scopes = group(*report);
  for (const auto& service : table->plan->services) {
    if (service->path == routing::Path::kProxy)
      add_proxied(list, *table, *service, scopes[service->service + ":" + std::to_string(service->port)]);
    for (const auto& split : service->splits) {
      const auto found = splits.find(datapath::split_key(split.name));
      add_split(list, *service, split, found != splits.end() ? found->second : nullptr);
    }
  }
  return list;
}

}  // namespace weir::agent
