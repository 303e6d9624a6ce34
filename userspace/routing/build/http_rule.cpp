#include "routing/build/http_rule.h"

#include <algorithm>
#include <utility>

#include "config/codes.h"
#include "routing/build/objects.h"
#include "routing/hosts.h"

namespace weir::routing {
namespace {

/// Istio's share of each entry: a single one has all whatever it says, an omitted weight in a list is 0 (istio-facts
/// 22).
uint64_t effective_weight(const std::vector<config::WeightedDestination>& route, size_t index) {
  if (route.size() == 1) return 1;
  return route[index].weight ? route[index].weight->value : 0;
}

RuleDestination destination_of(const config::Destination& written) {
  RuleDestination destination;
  destination.host = written.host.value;
  if (written.port) destination.port = written.port->value;
  destination.subset = written.subset.value;
  destination.at = written.at;
  return destination;
}

/// Entry `index` of `route`, without its headers.
RuleDestination entry_of(const std::vector<config::WeightedDestination>& route, size_t index) {
  RuleDestination destination = destination_of(route[index].destination);
  destination.weight = effective_weight(route, index);
  destination.entry_at = route[index].at;
  destination.written_weight = route[index].weight;
  return destination;
}

RuleFault fault_of(const std::optional<config::HttpFault>& written) {
  RuleFault fault;
  if (!written) return fault;
  if (written->delay) {
    fault.delay = written->delay->fixed_delay;
    fault.delay_parts_per_million = written->delay->percentage.parts_per_million;
  }
  if (written->abort) {
    // A gRPC status to a plain HTTP request is 200 (istio-facts 35).
    fault.abort_status = written->abort->http_status.value_or(200);
    fault.abort_grpc_status = written->abort->grpc_status;
    fault.abort_parts_per_million = written->abort->percentage.parts_per_million;
  }
  return fault;
}

bool destinations_change_headers(const config::HttpRoute& route) {
  return std::ranges::any_of(route.route, [](const auto& entry) { return !entry.headers.empty(); });
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

/// Compiles one route; a class only so that its steps share what they add to.
class RuleCompiler {
 public:
  RuleCompiler(const config::HttpRoute& route, const config::Metadata& author, HttpRule& rule,
               config::Diagnostics& conditions)
      : route_(route), author_(author), rule_(rule), conditions_(conditions) {}

  void compile() {
    for (const config::HttpMatch& match : route_.match) add_match(match);
    rule_.acts = what_it_does(route_);
    rule_.fault = fault_of(route_.fault);
    rule_.local_response_headers = headers(route_.headers.response, {}, true);
    if (route_.cors_policy) keep(rule_.cors, CorsPolicy::compile(*route_.cors_policy), "the CORS policy");
    if (route_.redirect) {
      rule_.redirect = redirect_of(*route_.redirect);
    } else if (route_.direct_response) {
      rule_.direct_response = DirectResponse{route_.direct_response->status, route_.direct_response->body};
    } else {
      compile_forwarding();
    }
  }

 private:
  void add_match(const config::HttpMatch& written) {
    HttpMatch match;
    match.name = written.name;
    match.at = written.at;
    if (written.port) match.selector.port = written.port->value;
    match.selector.source_labels = written.source_labels;
    match.selector.source_namespace = written.source_namespace;
    for (const auto& gateway : written.gateways) match.selector.gateways.push_back(gateway.value);
    if (auto matcher = HttpMatcher::compile(written)) {
      match.matcher = std::make_shared<const HttpMatcher>(*std::move(matcher));
    } else {
      conditions_.push_back(finding(config::Level::kError, config::code::kSchemaValidation, author_, written.at,
                                    "this match never holds: " + matcher.error().message));
    }
    rule_.match.push_back(std::move(match));
  }

  void compile_forwarding() {
    if (route_.rewrite) keep(rule_.rewrite, Rewriter::compile(*route_.rewrite), "the rewrite");
    if (route_.timeout) rule_.timeout = route_.timeout->value;
    rule_.retries = make_retry_policy(route_.retries);
    rule_.retries_written = route_.retries.has_value();
    const bool only = route_.route.size() == 1;
    for (size_t i = 0; i < route_.route.size(); ++i) {
      const config::WeightedDestination& entry = route_.route[i];
      RuleDestination destination = entry_of(route_.route, i);
      destination.request_headers = headers(route_.headers.request, entry.headers.request, only);
      destination.response_headers = headers(route_.headers.response, entry.headers.response, only);
      rule_.destinations.push_back(std::move(destination));
    }
    if (only) rule_.local_response_headers = rule_.destinations.front().response_headers;
    for (const config::Mirror& mirror : route_.mirrors)
      rule_.mirrors.push_back({destination_of(mirror.destination), mirror.percentage.parts_per_million});
  }

  HeaderPlan headers(const config::HeaderOperations& route, const config::HeaderOperations& destination, bool only) {
    auto plan = HeaderPlan::compile(route, destination, only);
    if (plan) return *std::move(plan);
    leave_out("header operations are not applied: " + plan.error().message);
    return {};
  }

  template <class Compiled>
  void keep(std::shared_ptr<const Compiled>& place, Result<Compiled> compiled, const char* what) {
    if (compiled) {
      place = std::make_shared<const Compiled>(*std::move(compiled));
    } else {
      leave_out(std::string(what) + " is not applied: " + compiled.error().message);
    }
  }

  void leave_out(std::string text) {
    if (std::ranges::find(rule_.left_out, text) == rule_.left_out.end()) rule_.left_out.push_back(std::move(text));
  }

  const config::HttpRoute& route_;
  const config::Metadata& author_;
  HttpRule& rule_;
  config::Diagnostics& conditions_;
};

}  // namespace

void complete_names(config::HttpRoute& route, std::string_view namespace_, std::string_view cluster_domain) {
  const auto complete = [&](config::Destination& destination) {
    destination.host.value = full_host(destination.host.value, namespace_, cluster_domain);
  };
  for (config::WeightedDestination& entry : route.route) complete(entry.destination);
  for (config::Mirror& mirror : route.mirrors) complete(mirror.destination);
  for (config::HttpMatch& match : route.match)
    for (auto& gateway : match.gateways) gateway.value = full_gateway(gateway.value, namespace_);
}

HttpRule compile_http_rule(const config::HttpRoute& route, Origin origin, const config::Metadata& author,
                           config::Diagnostics& conditions) {
  HttpRule rule;
  rule.origin = std::move(origin);
  RuleCompiler(route, author, rule, conditions).compile();
  return rule;
}

std::vector<RuleDestination> compile_destinations(const std::vector<config::WeightedDestination>& route,
                                                  std::string_view namespace_, std::string_view cluster_domain) {
  std::vector<RuleDestination> destinations;
  for (size_t i = 0; i < route.size(); ++i) {
    RuleDestination destination = entry_of(route, i);
    destination.host = full_host(destination.host, namespace_, cluster_domain);
    destinations.push_back(std::move(destination));
  }
  return destinations;
}

}  // namespace weir::routing
