#include "routing/build/route_set.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "routing/build/objects.h"
#include "routing/codes.h"

namespace weir::routing {
namespace {

/// Oldest first, then by "namespace/name".
bool precedes(const config::Metadata& a, const config::Metadata& b) {
  return std::tie(a.creation_timestamp, a.namespace_, a.name) < std::tie(b.creation_timestamp, b.namespace_, b.name);
}

bool is_http(config::Kind kind) {
  return kind == config::Kind::kHttpRoute || kind == config::Kind::kGrpcRoute;
}

/// HTTPRoutes and GRPCRoutes do not share a listener's hostname: the kind of the oldest has it (GRPCRoute,
/// "hostnames").
void drop_other_kind(std::vector<RouteAtPlace>& routes, const std::string& host, config::Diagnostics& conditions) {
  const auto oldest =
      std::ranges::find_if(routes, [](const RouteAtPlace& entry) { return is_http(entry.route->kind); });
  if (oldest == routes.end()) return;
  const config::Metadata& winner = *oldest->route;
  std::erase_if(routes, [&](const RouteAtPlace& entry) {
    if (!is_http(entry.route->kind) || entry.route->kind == winner.kind) return false;
    conditions.push_back(finding(config::Level::kWarning, code::kRouteConflict, *entry.route, entry.route->at,
                                 "host " + host + " is " + winner.describe() +
                                     "'s, which is older and of another kind: this route does nothing there"));
    return true;
  });
}

struct Candidate {
  const RouteAtPlace* from = nullptr;
  const RankedRule* rule = nullptr;
};

/// `routes` are in order of age, and a route's rules in that of the file: what is left open by rank stays so.
std::vector<HttpRule> sorted_rules(const std::vector<RouteAtPlace>& routes) {
  std::vector<Candidate> candidates;
  for (const RouteAtPlace& entry : routes)
    for (const RankedRule& rule : *entry.http) candidates.push_back({&entry, &rule});
  std::ranges::stable_sort(candidates, [](const Candidate& a, const Candidate& b) {
    if (a.rule->rank != b.rule->rank) return a.rule->rank > b.rule->rank;
    return a.from->port.has_value() && !b.from->port.has_value();
  });
  std::vector<HttpRule> rules;
  for (const Candidate& candidate : candidates) {
    rules.push_back(candidate.rule->rule);
    for (HttpMatch& match : rules.back().match) match.selector.port = candidate.from->port;
  }
  return rules;
}

void add_l4(const RouteAtPlace& entry, RuleSet& set) {
  for (L4Rule rule : *entry.l4) {
    L4Match match;
    match.selector.port = entry.port;
    if (entry.route->kind == config::Kind::kTlsRoute) match.sni_hosts = entry.hostnames;
    rule.match.push_back(std::move(match));
    // Where TLS ends at a gateway, what is inside goes by the name outside.
    const bool tls = entry.route->kind == config::Kind::kTlsRoute;
    if (tls) set.tls.push_back(rule);
    if (!tls || !set.binds(kMesh)) set.tcp.push_back(std::move(rule));
  }
}

}  // namespace

RuleSetPtr make_rule_set(const std::string& where, const std::string& host, const std::string& only_for,
                         std::vector<RouteAtPlace> routes, config::Diagnostics& conditions) {
  std::ranges::stable_sort(routes, [](const auto& a, const auto& b) { return precedes(*a.route, *b.route); });
  if (where != kMesh) drop_other_kind(routes, host, conditions);
  if (routes.empty()) return nullptr;
  auto set = std::make_shared<RuleSet>();
  const config::Metadata& oldest = *routes.front().route;
  set->namespace_ = oldest.namespace_;
  set->name = oldest.name;
  set->creation = oldest.creation_timestamp;
  set->origin = origin_of(oldest);
  set->hosts = {host};
  set->gateways = {where};
  set->first_at_home = true;
  if (!only_for.empty()) set->export_to = {false, {only_for}};
  set->http = sorted_rules(routes);
  for (const RouteAtPlace& entry : routes) add_l4(entry, *set);
  return set;
}

}  // namespace weir::routing
