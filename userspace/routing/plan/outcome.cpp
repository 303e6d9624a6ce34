#include "routing/plan/outcome.h"

#include <algorithm>
#include <utility>

#include "config/codes.h"
#include "routing/codes.h"
#include "routing/condition.h"
#include "routing/plan/outside.h"
#include "routing/plan/policy.h"

namespace weir::routing {

namespace {

std::string place(const Origin& origin) {
  return origin.file + ":" + std::to_string(origin.at.line) + ":" + std::to_string(origin.at.column);
}

std::string rule_at(const Origin& origin) {
  return "rule " + std::to_string(origin.index) + " (" + place(origin) + ")";
}

std::string first_condition(const config::HttpMatch& match) {
  if (!match.headers.empty()) return "matches header " + match.headers.begin()->first;
  if (match.uri) return "matches the uri";
  if (!match.without_headers.empty()) return "matches the absence of header " + match.without_headers.begin()->first;
  if (match.method) return "matches the method";
  if (match.authority) return "matches the authority";
  if (match.scheme) return "matches the scheme";
  if (!match.query_params.empty()) return "matches query parameter " + match.query_params.begin()->first;
  return {};
}

bool destinations_change_headers(const config::HttpRoute& route) {
  return std::any_of(route.route.begin(), route.route.end(), [](const auto& entry) { return !entry.headers.empty(); });
}

std::string what_it_does(const config::HttpRoute& route) {
  if (route.redirect) return "redirects";
  if (route.direct_response) return "answers by itself";
  if (route.rewrite) return "rewrites the request";
  if (route.fault) return "injects faults";
  if (!route.mirrors.empty()) return "mirrors requests";
  if (route.timeout) return "sets a timeout";
  if (route.retries) return "sets retries";
  if (!route.headers.empty() || destinations_change_headers(route)) return "changes headers";
  if (route.cors_policy) return "has a CORS policy";
  return {};
}

/// What http and tcp routes have in common.
struct RouteView {
  const std::vector<config::WeightedDestination>& destinations;
  const std::string& namespace_;  // of who wrote it
  const Origin& origin;
  uint16_t port;  // dialled
  bool http;
};

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

/// A destination of a route, with the outcome's record of what it hangs on and of what is wrong with it.
ResolvedDestination resolve(const Table& table, const Client& client, const config::WeightedDestination& entry,
                            const RouteView& route, bool used, Outcome& outcome) {
  const auto resolve_for = route.http ? resolve_http_destination : resolve_destination;
  ResolvedDestination resolved = resolve_for(table, client, route.namespace_, entry.destination, route.port);
  outcome.hosts.push_back(resolved.host);
  if (resolved.problem.empty()) return resolved;
  outcome.conditions.push_back(
      condition(used ? config::Level::kWarning : config::Level::kInfo,
                resolved.exists ? code::kNoHealthyEndpoint : config::code::kReferencedResourceNotFound, route.origin,
                "route " + std::to_string(route.origin.index) + ": " + resolved.problem +
                    (used ? ": its share is refused" : "; its weight is 0, so nobody notices"),
                entry.destination.at));
  return resolved;
}

/// For a route that is not split by: only what is wrong with it.
void check(const Table& table, const Client& client, const RouteView& route, Outcome& outcome) {
  const std::vector<uint64_t> weights = effective_weights(route.destinations);
  for (size_t i = 0; i < route.destinations.size(); ++i)
    resolve(table, client, route.destinations[i], route, weights[i] != 0, outcome);
}

void leave_alone(Outcome& outcome, std::string reason) {
  outcome.kind = Outcome::Kind::kLeftAlone;
  outcome.reason = std::move(reason);
  outcome.destinations.clear();
}

/// Fills in the split of a route's destinations, or why there can be none.
void split_over(const Table& table, const Client& client, const RouteView& route, Outcome& outcome) {
  outcome.kind = Outcome::Kind::kSplit;
  const std::string rule = rule_at(route.origin);
  const std::vector<uint64_t> weights = effective_weights(route.destinations);
  for (size_t i = 0; i < route.destinations.size(); ++i) {
    const ResolvedDestination resolved = resolve(table, client, route.destinations[i], route, weights[i] != 0, outcome);
    if (weights[i] == 0) continue;
    if (resolved.exists && resolved.service->resolution == Service::Resolution::kOriginalDestination)
      return leave_alone(outcome,
                         rule + " sends to " + resolved.host +
                             ", whose connections go to the address that was dialled (headless, or resolution NONE)");
    if (!outcome.proxied) find_policy_not_in_kernel(resolved, outcome.conditions);
    add_destination(outcome.destinations, planned(table, resolved, weights[i]));
  }
  if (outcome.destinations.empty()) return leave_alone(outcome, rule + " has no destination with a weight");
  if (outcome.destinations.size() <= kMaxDestinations) return;
  leave_alone(outcome, rule + " has " + std::to_string(outcome.destinations.size()) +
                           " destinations, more than the kernel's " + std::to_string(kMaxDestinations));
  const auto level = outcome.proxied ? config::Level::kWarning : config::Level::kError;
  outcome.conditions.push_back(condition(
      level, code::kTooManyDestinations, route.origin,
      outcome.reason + (outcome.proxied ? ": refused while there is no proxy" : ": the service is left alone")));
}

std::string rule_name(const VirtualService& rule, const Service& service, int index) {
  std::string name = rule.namespace_ == service.namespace_ ? rule.name : rule.namespace_ + "/" + rule.name;
  return name + "#" + std::to_string(index);
}

/// The first thing that makes the proxy necessary; empty: none.
std::string proxy_reason(const HttpRules& rules, bool by_request) {
  if (rules.virtual_service->split_by_request) return "annotation weir.dev/split: request";
  for (const ApplicableHttpRoute& route : rules.routes)
    if (const std::string why = needs_proxy(route); !why.empty()) return rule_at(route.route->origin) + " " + why;
  return by_request ? "--http-split request" : "";
}

/// What an outcome for the proxy is without it: the split of the default route, if there is one.
void fall_back(const Table& table, const Client& client, const Service& service, const ServicePort& port,
               const HttpRules& rules, Outcome& outcome) {
  const std::string why = outcome.reason;
  const HttpRoute& last = *rules.routes.back().route;
  outcome.kind = Outcome::Kind::kSplit;
  outcome.rule = "proxy";
  if (!rules.routes.back().takes_all) {
    outcome.origin = rules.virtual_service->origin;
    outcome.reason = why + "; no rule takes every request: refused without the proxy";
    return;
  }
  outcome.origin = last.origin;
  if (last.config->redirect || last.config->direct_response) {
    outcome.reason = why + "; the default route has no destinations: refused without the proxy";
    return;
  }
  split_over(table, client, {last.config->route, last.namespace_, last.origin, port.number, true}, outcome);
  if (outcome.kind == Outcome::Kind::kSplit) {
    outcome.rule = rule_name(*rules.virtual_service, service, last.origin.index);
    return;
  }
  outcome.kind = Outcome::Kind::kSplit;
  outcome.reason = why + "; " + outcome.reason + ": refused without the proxy";
}

Outcome http_outcome(const Table& table, const Client& client, const Service& service, const ServicePort& port,
                     const HttpRules& rules, bool by_request) {
  Outcome outcome;
  outcome.reason = proxy_reason(rules, by_request);
  outcome.proxied = !outcome.reason.empty();
  outcome.path = outcome.proxied ? Path::kProxy : Path::kKernel;
  outcome.refuse_without_proxy = outcome.proxied && rules.virtual_service->refuse_without_proxy;
  for (const ApplicableHttpRoute& route : rules.routes)
    if (&route != &rules.routes.back() || !route.takes_all)
      check(table, client,
            {route.route->config->route, route.route->namespace_, route.route->origin, port.number, true}, outcome);
  if (outcome.proxied) {
    fall_back(table, client, service, port, rules, outcome);
    return outcome;
  }
  const HttpRoute& last = *rules.routes.back().route;
  outcome.origin = last.origin;
  if (!rules.routes.back().takes_all) {
    leave_alone(outcome, "no rule takes every request");
    return outcome;
  }
  outcome.reason = rule_at(last.origin) + " needs nothing of the request";
  outcome.rule = rule_name(*rules.virtual_service, service, last.origin.index);
  split_over(table, client, {last.config->route, last.namespace_, last.origin, port.number, true}, outcome);
  return outcome;
}

bool in_any(const std::vector<Cidr>& ranges, const IpAddress& address) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const Cidr& range) { return range.contains(address); });
}

bool takes(const ApplicableL4Route& route, const Client& client, const IpAddress& address) {
  if (route.match.empty()) return true;
  return std::any_of(route.match.begin(), route.match.end(), [&](const L4Match* match) {
    const config::L4Match& written = *match->config;
    if (!written.destination_subnets.empty() && !in_any(written.destination_subnets, address)) return false;
    return !written.source_subnet || (client.address && written.source_subnet->contains(*client.address));
  });
}

Outcome tcp_outcome(const Table& table, const Client& client, const Service& service, const ServicePort& port,
                    const IpAddress& address) {
  Outcome outcome;
  for (const ApplicableL4Route& route : find_l4_rules(table, client, service.host, port.number, false)) {
    if (!takes(route, client, address)) continue;
    outcome.path = Path::kKernel;
    outcome.origin = route.route->origin;
    outcome.rule = rule_name(*route.virtual_service, service, outcome.origin.index);
    outcome.reason = "tcp " + rule_at(outcome.origin) + " is decided per connection";
    split_over(table, client,
               {route.route->config->route, route.virtual_service->namespace_, route.route->origin, port.number, false},
               outcome);
    return outcome;
  }
  return outcome;
}

Outcome tls_outcome(const Table& table, const Client& client, const Service& service, const ServicePort& port) {
  Outcome outcome;
  const auto routes = find_l4_rules(table, client, service.host, port.number, true);
  if (routes.empty()) return outcome;
  outcome.kind = Outcome::Kind::kLeftAlone;
  outcome.origin = routes.front().route->origin;
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
      return "its endpoints are names, which Weir does not resolve";
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
    if (rules.virtual_service) return http_outcome(table, client, service, port, rules, by_request);
    if (is_http(port.protocol)) return {};
  }
  return tcp_outcome(table, client, service, port, address);
}

}  // namespace

std::string needs_proxy(const ApplicableHttpRoute& route) {
  for (const HttpMatch* match : route.match)
    if (!takes_every_request(*match->config)) return first_condition(*match->config);
  return what_it_does(*route.route->config);
}

Outcome find_outcome(const Table& table, const Client& client, const Service& service, const ServicePort& port,
                     const IpAddress& address, bool http_by_request) {
  const auto rules = find_virtual_services(table, client, service.host);
  if (rules.empty()) return {};
  Outcome outcome;
  if (const std::string why = unsplittable(service, port); !why.empty()) {
    outcome.kind = Outcome::Kind::kLeftAlone;
    outcome.reason = why;
    return outcome;
  }
  outcome = by_protocol(table, client, service, port, address, http_by_request);
  if (outcome.kind == Outcome::Kind::kUntouched) {
    outcome.kind = Outcome::Kind::kLeftAlone;
    outcome.reason = "no rule of VirtualService " + rules.front()->namespace_ + "/" + rules.front()->name +
                     " applies to this " + std::string(to_string(port.protocol)) + " port";
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
