#include "routing/plan/outcome.h"

#include <algorithm>
#include <utility>

#include "config/codes.h"
#include "routing/codes.h"
#include "routing/condition.h"
#include "routing/hosts.h"
#include "routing/plan/outside.h"
#include "routing/plan/policy.h"
#include "routing/view/match_connection.h"

namespace weir::routing {

namespace {

std::string rule_at(const Origin& origin) {
  return "rule " + std::to_string(origin.index) + " (" + origin.place() + ")";
}

/// What http and tcp rules have in common.
struct RuleView {
  const std::vector<RuleDestination>& destinations;
  const Origin& origin;
  uint16_t port;  // dialled
  PortMeaning meaning;
};

RuleView view_of(const HttpRule& rule, uint16_t port) {
  return {rule.destinations, rule.origin, port, PortMeaning::kDialled};
}

/// Adds the weight to an equal destination, so that counters and cursors see each once.
void add_destination(std::vector<PlanDestination>& into, PlanDestination destination) {
  const auto same = [&](const PlanDestination& other) {
    return other.host == destination.host && other.port == destination.port && other.subset == destination.subset;
  };
  const auto found = std::find_if(into.begin(), into.end(), same);
  if (found != into.end()) {
    found->weight += destination.weight;
  } else {
    into.push_back(std::move(destination));
  }
}

PlanDestination planned(const Table& table, const ResolvedDestination& resolved, uint64_t weight) {
  PlanDestination destination;
  destination.host = resolved.host;
  destination.port = resolved.port;
  destination.subset = resolved.subset;
  destination.weight = weight;
  for (const Endpoint* endpoint : resolved.endpoints)
    if (endpoint->healthy)
      destination.endpoints.push_back(
          {endpoint->address, endpoint->port, endpoint->weight, is_on_node(table, *endpoint)});
  return destination;
}

/// A destination of a rule, with the outcome's record of what it hangs on and of what is wrong with it.
ResolvedDestination resolve(const Table& table, const Client& client, const RuleDestination& destination,
                            const RuleView& rule, Outcome& outcome) {
  const bool used = destination.weight != 0;
  ResolvedDestination resolved = resolve_destination(table, client, destination, rule.port, rule.meaning);
  outcome.hosts.push_back(resolved.host);
  if (!resolved.alias.empty()) outcome.hosts.push_back(resolved.alias);
  if (resolved.problem.empty()) return resolved;
  outcome.conditions.push_back(
      condition(used ? config::Level::kWarning : config::Level::kInfo,
                resolved.exists ? code::kNoHealthyEndpoint : config::code::kReferencedResourceNotFound, rule.origin,
                "route " + std::to_string(rule.origin.index) + ": " + resolved.problem +
                    (used ? ": its share is refused" : "; its weight is 0, so nobody notices"),
                destination.at));
  return resolved;
}

/// For a rule that is not split by: only what is wrong with it.
void check(const Table& table, const Client& client, const RuleView& rule, Outcome& outcome) {
  for (const RuleDestination& destination : rule.destinations) resolve(table, client, destination, rule, outcome);
}

void leave_alone(Outcome& outcome, std::string reason) {
  outcome.kind = Outcome::Kind::kLeftAlone;
  outcome.reason = std::move(reason);
  outcome.destinations.clear();
}

/// Fills in the split of a rule's destinations, or why there can be none.
void split_over(const Table& table, const Client& client, const RuleView& rule, Outcome& outcome) {
  outcome.kind = Outcome::Kind::kSplit;
  const std::string name = rule_at(rule.origin);
  for (const RuleDestination& destination : rule.destinations) {
    const ResolvedDestination resolved = resolve(table, client, destination, rule, outcome);
    if (destination.weight == 0) continue;
    if (resolved.exists && is_for_dialled(resolved))
      return leave_alone(outcome,
                         name + " sends to " + resolved.host +
                             ", whose connections go to the address that was dialled (headless, or resolution NONE)");
    if (!outcome.proxied) find_policy_not_in_kernel(resolved, outcome.conditions);
    add_destination(outcome.destinations, planned(table, resolved, destination.weight));
  }
  if (outcome.destinations.empty()) return leave_alone(outcome, name + " has no destination with a weight");
  if (outcome.destinations.size() <= kMaxDestinations) return;
  leave_alone(outcome, name + " has " + std::to_string(outcome.destinations.size()) +
                           " destinations, more than the kernel's " + std::to_string(kMaxDestinations));
  const auto level = outcome.proxied ? config::Level::kWarning : config::Level::kError;
  outcome.conditions.push_back(condition(
      level, code::kTooManyDestinations, rule.origin,
      outcome.reason + (outcome.proxied ? ": refused while there is no proxy" : ": the service is left alone")));
}

/// The rule's part of a split's name: "reviews#0", with the namespace where it is not the service's, with the kind
/// where it is not a VirtualService.
std::string rule_name(const Origin& origin, const Service& service) {
  std::string name = origin.namespace_ == service.namespace_ ? origin.name : origin.namespace_ + "/" + origin.name;
  if (origin.kind != "VirtualService") name = origin.kind + "." + name;
  return name + "#" + std::to_string(origin.index);
}

/// The first thing that makes the proxy necessary; empty: none.
std::string proxy_reason(const Table& table, const Client& client, const Service& service, const ServicePort& port,
                         const HttpRules& rules, bool by_request) {
  if (rules.decides->split_by_request) return "annotation weir.dev/split: request";
  for (const AppliedHttpRule& rule : rules.rules)
    if (const std::string why = needs_proxy(rule); !why.empty()) return rule_at(rule.rule->origin) + " " + why;
  if (port.protocol == Protocol::kAuto) {
    const auto tcp = find_l4_rules(table, client, service.host, port.number, false);
    if (!tcp.empty())
      return "http and tcp rules hold for this port (" + rule_at(tcp.front().rule->origin) + "): the bytes tell";
  }
  return by_request ? "--http-split request" : "";
}

/// HTTP/2 is carried by connection: what a rule needs the request for does not hold for it. Said where a port is for
/// HTTP/2; a port for HTTP/1.1 may be spoken to in either.
void say_what_http2_misses(const Service& service, const ServicePort& port, const HttpRules& rules, Outcome& outcome) {
  if (port.protocol != Protocol::kHttp2 && port.protocol != Protocol::kGrpc) return;
  for (const AppliedHttpRule& rule : rules.rules) {
    const std::string why = needs_proxy(rule);
    if (why.empty()) continue;
    outcome.conditions.push_back(condition(config::Level::kWarning, code::kHttp2ByConnection, rule.rule->origin,
                                           rule_at(rule.rule->origin) + " " + why + ": not for HTTP/2, which port " +
                                               std::to_string(port.number) + " of " + service.host +
                                               " is for; its connections go by the rule that takes every request"));
    return;
  }
}

/// What an outcome for the proxy is without it: the split of the default rule, if there is one.
void fall_back(const Table& table, const Client& client, const Service& service, const ServicePort& port,
               const HttpRules& rules, Outcome& outcome) {
  const std::string why = outcome.reason;
  const HttpRule& last = *rules.rules.back().rule;
  outcome.kind = Outcome::Kind::kSplit;
  outcome.rule = "proxy";
  if (!rules.rules.back().takes_all) {
    outcome.origin = rules.decides->origin;
    outcome.reason = why + "; no rule takes every request: refused without the proxy";
    return;
  }
  outcome.origin = last.origin;
  if (last.redirect || last.direct_response) {
    outcome.reason = why + "; the default route has no destinations: refused without the proxy";
    return;
  }
  split_over(table, client, view_of(last, port.number), outcome);
  if (outcome.kind == Outcome::Kind::kSplit) {
    outcome.rule = rule_name(last.origin, service);
    return;
  }
  outcome.kind = Outcome::Kind::kSplit;
  outcome.reason = why + "; " + outcome.reason + ": refused without the proxy";
}

Outcome http_outcome(const Table& table, const Client& client, const Service& service, const ServicePort& port,
                     const HttpRules& rules, bool by_request) {
  Outcome outcome;
  outcome.reason = proxy_reason(table, client, service, port, rules, by_request);
  outcome.proxied = !outcome.reason.empty();
  outcome.path = outcome.proxied ? Path::kProxy : Path::kKernel;
  outcome.refuse_without_proxy = outcome.proxied && rules.decides->refuse_without_proxy;
  for (const AppliedHttpRule& rule : rules.rules)
    if (&rule != &rules.rules.back() || !rule.takes_all)
      check(table, client, view_of(*rule.rule, port.number), outcome);
  if (outcome.proxied) {
    say_what_http2_misses(service, port, rules, outcome);
    fall_back(table, client, service, port, rules, outcome);
    return outcome;
  }
  const HttpRule& last = *rules.rules.back().rule;
  outcome.origin = last.origin;
  if (!rules.rules.back().takes_all) {
    leave_alone(outcome, "no rule takes every request");
    return outcome;
  }
  outcome.reason = rule_at(last.origin) + " needs nothing of the request";
  outcome.rule = rule_name(last.origin, service);
  split_over(table, client, view_of(last, port.number), outcome);
  return outcome;
}

Outcome tcp_outcome(const Table& table, const Client& client, const Service& service, const ServicePort& port,
                    const IpAddress& address) {
  Outcome outcome;
  const auto rules = find_l4_rules(table, client, service.host, port.number, false);
  const AppliedL4Rule* taken = match_connection(rules, {address, client.address, {}, false});
  if (taken == nullptr) return outcome;
  const L4Rule& rule = *taken->rule;
  outcome.path = Path::kKernel;
  outcome.origin = rule.origin;
  outcome.rule = rule_name(rule.origin, service);
  outcome.reason = "tcp " + rule_at(rule.origin) + " is decided per connection";
  split_over(table, client, {rule.destinations, rule.origin, port.number, PortMeaning::kOnlyElseDialled}, outcome);
  return outcome;
}

Outcome tls_outcome(const Table& table, const Client& client, const Service& service, const ServicePort& port) {
  Outcome outcome;
  const auto rules = find_l4_rules(table, client, service.host, port.number, true);
  if (rules.empty()) return outcome;
  outcome.kind = Outcome::Kind::kLeftAlone;
  outcome.origin = rules.front().rule->origin;
  outcome.reason = "tls " + rule_at(outcome.origin) + " matches the SNI, which Weir does not look into";
  outcome.conditions.push_back(condition(config::Level::kWarning, code::kTlsRoutes, outcome.origin,
                                         outcome.reason + ": connections to " + service.host + " are left alone"));
  return outcome;
}

/// Why no frontend of this service could ever be split; empty: it can.
std::string unsplittable(const Service& service, const ServicePort& port) {
  if (service.headless) return "headless: connections go to the pod that was dialled";
  switch (service.resolution) {
    case Service::Resolution::kOriginalDestination:
      return "resolution NONE: connections go to the address that was dialled";
    case Service::Resolution::kDns:
      if (port.endpoints.empty()) return "none of its endpoints' names is resolved";
      break;
    case Service::Resolution::kAlias:
      return "ExternalName: there is nothing to dial but the other name";
    case Service::Resolution::kStatic:
      break;
  }
  if (!port.tcp) return "UDP is not split";
  return {};
}

Outcome by_protocol(const Table& table, const Client& client, const Service& service, const ServicePort& port,
                    const IpAddress& address, bool http_by_request) {
  if (port.protocol == Protocol::kHttps || port.protocol == Protocol::kTls)
    return tls_outcome(table, client, service, port);
  if (is_http(port.protocol) || port.protocol == Protocol::kAuto) {
    const HttpRules rules = find_http_rules(table, client, service.host, port.number);
    // A port of unknown protocol goes to the proxy only where a rule asks for it.
    const bool by_request = http_by_request && is_http(port.protocol);
    if (rules.decides != nullptr) return http_outcome(table, client, service, port, rules, by_request);
    if (is_http(port.protocol)) return {};
  }
  return tcp_outcome(table, client, service, port, address);
}

}  // namespace

std::string needs_proxy(const AppliedHttpRule& rule) {
  for (const HttpMatch* match : rule.match)
    if (!match->takes_every_request())
      return match->matcher ? "matches " + match->matcher->first_condition() : "has a match that never holds";
  return rule.rule->acts;
}

namespace {

/// Rules for hosts within that of a wildcard service (`*.example.com`): the Host tells them apart.
bool has_narrower_rules(const Table& table, const Service& service) {
  if (!is_wildcard(service.host)) return false;
  bool found = false;
  table.rules.for_each([&](std::string_view host, const auto&) {
    found = found || (host != service.host && hosts_overlap(service.host, host) && host.size() >= service.host.size());
  });
  return found;
}

/// `outcome` is what holds for hosts that no rule names.
void go_by_host(const Table& table, const Client& client, const Service& service, const ServicePort& port,
                Outcome& outcome) {
  const std::string why = "rules name hosts within " + service.host + ": the Host tells";
  if (outcome.kind != Outcome::Kind::kSplit) outcome = default_outcome(table, client, service, port, why);
  outcome.reason = why;
  outcome.path = Path::kProxy;
  outcome.proxied = true;
}

}  // namespace

Outcome find_outcome(const Table& table, const Client& client, const Service& service, const ServicePort& port,
                     const IpAddress& address, bool http_by_request) {
  const auto rules = find_rule_sets(table, client, service.host);
  const bool by_host = is_http(port.protocol) && has_narrower_rules(table, service);
  if (rules.empty() && !by_host) return {};
  Outcome outcome;
  if (const std::string why = unsplittable(service, port); !why.empty()) {
    outcome.kind = Outcome::Kind::kLeftAlone;
    outcome.reason = why;
    return outcome;
  }
  outcome = by_protocol(table, client, service, port, address, http_by_request);
  if (by_host && !outcome.proxied) go_by_host(table, client, service, port, outcome);
  if (outcome.kind == Outcome::Kind::kUntouched) {
    outcome.kind = Outcome::Kind::kLeftAlone;
    outcome.reason = "no rule of " + rules.front()->origin.kind + " " + rules.front()->namespace_ + "/" +
                     rules.front()->name + " applies to this " + std::string(to_string(port.protocol)) + " port";
    outcome.rule = "none";
  }
  return outcome;
}

Outcome default_outcome(const Table& table, const Client& client, const Service& service, const ServicePort& port,
                        std::string reason) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::kLeftAlone;
  outcome.reason = unsplittable(service, port);
  outcome.rule = "default";
  if (!outcome.reason.empty()) return outcome;
  outcome.kind = Outcome::Kind::kSplit;
  outcome.path = Path::kKernel;
  outcome.reason = std::move(reason);
  outcome.origin = service.origin;
  outcome.destinations.push_back(planned(table, resolve_service(table, client, service, port.number), 1));
  return outcome;
}

}  // namespace weir::routing
