#include "cli/weight_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "base/nearest.h"
#include "routing/hosts.h"
#include "routing/view/resolve.h"

namespace weir::cli {
namespace {

constexpr uint32_t kHeaviest = 1'000'000'000;

struct Candidate {
  const routing::Origin* origin = nullptr;
  const char* protocol = "http";
  const std::vector<routing::RuleDestination>* route = nullptr;
};

/// A cluster's service by its name alone, as rules mostly have it.
std::string short_host(const std::string& host) {
  return host.find(".svc.") == std::string::npos ? host : host.substr(0, host.find('.'));
}

std::string label(const routing::RuleDestination& destination) {
  return destination.subset.empty() ? short_host(destination.host) : destination.subset;
}

bool means(const routing::RuleDestination& destination, const std::string& word) {
  if (destination.subset == word) return true;
  if (!destination.subset.empty()) return false;
  return destination.host == word || destination.host.substr(0, destination.host.find('.')) == word;
}

std::string labels_of(const Candidate& candidate) {
  std::string out;
  for (const auto& entry : *candidate.route) out += (out.empty() ? "" : ", ") + label(entry);
  return out;
}

std::string describe(const Candidate& candidate) {
  const auto& origin = *candidate.origin;
  return fmt::format("{} {}{} ({}:{}) with {}", candidate.protocol, origin.index,
                     origin.route.empty() ? "" : " \"" + origin.route + "\"", origin.file, origin.at.line,
                     labels_of(candidate));
}

std::string described(const std::vector<Candidate>& candidates) {
  std::string out;
  for (const auto& candidate : candidates) out += (out.empty() ? "" : "; ") + describe(candidate);
  return out;
}

/// The service's host as rules name it: a service that is known, else a host that only rules know.
std::string host_of(const routing::Table& table, const std::string& service, const std::string& space) {
  const routing::Client client{space, {}, std::nullopt};
  if (const auto* found = routing::find_service(table, client, service)) return found->host;
  return routing::full_host(service, space, table.mesh.cluster_domain);
}

Result<const routing::RuleSet*> find_rule(const routing::Table& table, const std::string& host,
                                          const std::string& service) {
  if (const auto& rules = table.rules.find(host); rules && !rules->rules.empty()) return rules->rules.front().get();
  std::vector<std::string> known;
  for (const auto& rule : table.all_rules())
    for (const auto& name : rule->hosts) {
      known.push_back(name.substr(0, name.find('.')));
      known.push_back(name);
    }
  const std::string near = nearest(service, known);
  return Error{"no VirtualService is for " + host +
               (near.empty() ? ": bring one with weir apply -f FILE" : "; did you mean \"" + near + "\"?")};
}

std::vector<Candidate> candidates_of(const routing::RuleSet& rule) {
  std::vector<Candidate> candidates;
  for (const auto& route : rule.http)
    if (!route.destinations.empty()) candidates.push_back({&route.origin, "http", &route.destinations});
  for (const auto& [protocol, routes] : {std::pair{"tls", &rule.tls}, {"tcp", &rule.tcp}})
    for (const auto& route : *routes)
      if (!route.destinations.empty()) candidates.push_back({&route.origin, protocol, &route.destinations});
  return candidates;
}

bool has_all(const Candidate& candidate, const std::vector<Assignment>& assignments) {
  return std::ranges::all_of(assignments, [&](const auto& assignment) {
    return std::ranges::any_of(*candidate.route,
                               [&](const auto& entry) { return means(entry, assignment.destination); });
  });
}

Error unknown_destination(const std::vector<Candidate>& candidates, const std::vector<Assignment>& assignments) {
  std::vector<std::string> known;
  for (const auto& candidate : candidates)
    for (const auto& entry : *candidate.route) known.push_back(label(entry));
  for (const auto& assignment : assignments) {
    if (std::ranges::find(known, assignment.destination) != known.end()) continue;
    const std::string near = nearest(assignment.destination, known);
    return Error{fmt::format("no route of the rule has a destination \"{}\"; there is: {}{}", assignment.destination,
                             described(candidates), near.empty() ? "" : "; did you mean \"" + near + "\"?")};
  }
  return Error{"no one route has all of these destinations; there is: " + described(candidates)};
}

Result<Candidate> choose(std::vector<Candidate> candidates, const std::string& route,
                         const std::vector<Assignment>& assignments) {
  if (candidates.empty()) return Error{"the rule has no route with destinations"};
  if (!route.empty()) {
    const std::string all = described(candidates);
    std::erase_if(candidates, [&](const Candidate& candidate) {
      return candidate.origin->route != route && std::to_string(candidate.origin->index) != route;
    });
    if (candidates.empty()) return Error{"there is no route \"" + route + "\"; there is: " + all};
  }
  std::vector<Candidate> fitting = candidates;
  std::erase_if(fitting, [&](const Candidate& candidate) { return !has_all(candidate, assignments); });
  if (fitting.empty()) return unknown_destination(candidates, assignments);
  if (fitting.size() > 1)
    return Error{"several routes have these destinations: " + described(fitting) + "; choose one with --route"};
  return fitting.front();
}

Result<void> add_entry(const routing::RuleDestination& entry, uint64_t before,
                       const std::vector<Assignment>& assignments, WeightTarget& target) {
  const auto found =
      std::ranges::find_if(assignments, [&](const auto& assignment) { return means(entry, assignment.destination); });
  if (found == assignments.end()) {
    if (before > 0)
      return Error{fmt::format("{} has weight {} and is not named: name it too ({}=0 sends it nothing)", label(entry),
                               before, label(entry))};
    target.changes.push_back({label(entry), 0, 0});
    return {};
  }
  target.changes.push_back({label(entry), before, found->weight});
  // A weight that is written out already and right stays untouched; one that is only implied gets written.
  const auto& written = entry.written_weight;
  if (!written || written->value != found->weight)
    target.edits.push_back({entry.entry_at, written ? written->at : config::Position{}, found->weight});
  return {};
}

}  // namespace

Result<std::vector<Assignment>> parse_assignments(const std::vector<std::string>& words) {
  std::vector<Assignment> assignments;
  std::set<std::string> seen;
  uint64_t sum = 0;
  for (const auto& word : words) {
    const auto equals = word.rfind('=');
    if (equals == std::string::npos || equals == 0) return Error{"\"" + word + "\" is not SUBSET=WEIGHT, as in v2=90"};
    Assignment assignment{word.substr(0, equals), 0};
    std::string number = word.substr(equals + 1);
    if (number.ends_with('%')) number.pop_back();
    const auto [end, problem] = std::from_chars(number.data(), number.data() + number.size(), assignment.weight);
    if (problem != std::errc() || end != number.data() + number.size() || assignment.weight > kHeaviest)
      return Error{"\"" + word + "\": the weight must be a whole number from 0 to 1000000000"};
    if (!seen.insert(assignment.destination).second) return Error{assignment.destination + " is named twice"};
    sum += assignment.weight;
    assignments.push_back(std::move(assignment));
  }
  if (sum == 0) return Error{"all weights are 0: nobody would be served"};
  return assignments;
}

Result<WeightTarget> find_weight_target(const routing::Table& table, const std::string& service,
                                        const std::string& namespace_, const std::string& route,
                                        const std::vector<Assignment>& assignments) {
  const auto rule = find_rule(table, host_of(table, service, namespace_), service);
  if (!rule) return rule.error();
  const auto chosen = choose(candidates_of(**rule), route, assignments);
  if (!chosen) return chosen.error();
  WeightTarget target{*chosen->origin, chosen->protocol, {}, {}};
  const bool only = chosen->route->size() == 1;
  for (const auto& entry : *chosen->route) {
    // A single destination has everything, whatever it says; shown as written.
    const uint64_t before = only && entry.written_weight ? entry.written_weight->value : entry.weight;
    WEIR_TRY(add_entry(entry, before, assignments, target));
  }
  return target;
}

}  // namespace weir::cli
