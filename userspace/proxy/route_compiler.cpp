#include "proxy/route_compiler.h"

#include <algorithm>

#include "proxy/destination_compiler.h"

namespace weir::proxy {
namespace {

using routing::ResolvedDestination;

/// Where a rule is said to be broken, the request is answered 503 for this reason; where only an addition to the
/// request cannot be made, it is left out, as explain says.
template <class Compiled>
void keep(std::optional<Compiled>& place, Result<Compiled> compiled) {
  if (compiled) place.emplace(std::move(*compiled));
}

routing::HeaderPlan plan_or_nothing(const config::HeaderOperations& route, const config::HeaderOperations& destination,
                                    bool only) {
  auto plan = routing::HeaderPlan::compile(route, destination, only);
  return plan ? std::move(*plan) : routing::HeaderPlan();
}

Fault fault_of(const std::optional<config::HttpFault>& written) {
  Fault fault;
  if (!written) return fault;
  if (written->delay) {
    fault.delay = written->delay->fixed_delay;
    fault.delay_parts_per_million = written->delay->percentage.parts_per_million;
  }
  if (written->abort) {
    // A gRPC status to a plain HTTP request is 200 (istio-facts 35).
    fault.abort_status = written->abort->http_status.value_or(200);
    fault.abort_parts_per_million = written->abort->percentage.parts_per_million;
  }
  return fault;
}

RetryRules retry_rules(const std::optional<config::HttpRetry>& written) {
  const auto policy = routing::make_retry_policy(written);
  return policy ? RetryRules(*policy) : RetryRules();
}

KeySource sticky_of(const routing::VirtualService& rule) {
  if (rule.config == nullptr) return {};
  const auto& annotations = rule.config->meta.annotations;
  const auto found = annotations.find("weir.dev/sticky");
  return found == annotations.end() ? KeySource() : sticky_key(found->second);
}

std::string route_name(const routing::Origin& origin) {
  return origin.route.empty() ? origin.name + "#" + std::to_string(origin.index) : origin.route;
}

}  // namespace

std::shared_ptr<const RouteList> RouteCompiler::compile(const routing::Client& client, const Frontend& frontend,
                                                        std::string_view authority) const {
  if (frontend.gateway) return compile_gateway(frontend, authority);
  auto list = std::make_shared<RouteList>();
  list->table = table_;
  const uint16_t port = frontend.address.port;
  Question question{client, frontend, {}};
  const routing::Service* dialled = routing::find_service_by_address(*table_, client, frontend.address.address, port);
  const std::string dialled_name = dialled != nullptr ? dialled->host : frontend.address.address.to_string();
  list->unmatched_traffic = shared_->stats.traffic(dialled_name + ":" + std::to_string(port), "");
  const routing::ServicePort* dialled_port = dialled != nullptr ? dialled->find_port(port) : nullptr;
  if (dialled_port != nullptr && (frontend.outside || !routing::is_http(dialled_port->protocol))) {
    compile_for_service(*list, question, *dialled);
    return list;
  }
  const routing::Service* service = routing::find_service_by_authority(*table_, client, authority, dialled);
  const routing::ServicePort* service_port = service != nullptr ? service->find_port(port) : nullptr;
  if (service_port != nullptr && routing::is_http(service_port->protocol)) {
    compile_for_service(*list, question, *service);
    return list;
  }
  const std::string host = routing::find_host_without_service(*table_, client, authority, port);
  if (const auto rules = host.empty() ? routing::HttpRules() : routing::find_http_rules(*table_, client, host, port);
      rules.virtual_service != nullptr) {
    list->service = host;
    question.scope = host + ":" + std::to_string(port);
    add_rules(*list, question, rules);
    return list;
  }
  if (table_->mesh.outbound_traffic_policy == config::MeshConfig::OutboundPolicy::kRegistryOnly) {
    list->kind = RouteList::Kind::kRefused;
    return list;
  }
  list->kind = RouteList::Kind::kPassthrough;
  question.scope = "passthrough";
  if (dialled != nullptr) add_default(*list, question, *dialled);
  return list;
}

void RouteCompiler::compile_for_service(RouteList& list, const Question& question,
                                        const routing::Service& service) const {
  const uint16_t port = question.frontend.address.port;
  Question scoped{question.client, question.frontend, service.host + ":" + std::to_string(port)};
  list.service = service.host;
  const auto rules = routing::find_http_rules(*table_, question.client, service.host, port);
  if (rules.virtual_service != nullptr) {
    add_rules(list, scoped, rules);
    return;
  }
  list.kind = RouteList::Kind::kDefault;
  add_default(list, scoped, service);
}

void RouteCompiler::add_rules(RouteList& list, const Question& question, const routing::HttpRules& rules) const {
  const size_t before = list.routes.size();
  add_routes(list, question, rules.routes);
  const KeySource sticky = sticky_of(*rules.virtual_service);
  for (size_t i = before; i < list.routes.size(); ++i) list.routes[i].sticky = sticky;
}

void RouteCompiler::add_routes(RouteList& list, const Question& question,
                               const std::vector<routing::ApplicableHttpRoute>& routes) const {
  list.routes.reserve(list.routes.size() + routes.size());
  for (const routing::ApplicableHttpRoute& applicable : routes) {
    Route route = compile_route(question, applicable);
    // A route of which no entry could be compiled must not take every request.
    if (route.matchers.empty() && !applicable.match.empty()) continue;
    list.routes.push_back(std::move(route));
  }
}

void RouteCompiler::add_default(RouteList& list, const Question& question, const routing::Service& service) const {
  const ResolvedDestination resolved =
      routing::resolve_service(*table_, question.client, service, question.frontend.address.port);
  Route route;
  route.name = "default";
  route.retries = retry_rules(std::nullopt);
  std::vector<Share> shares;
  shares.push_back(share_of(resolved, 1));
  route.destinations.push_back(compile_destination(resolved, question.client, shares.back().endpoints, *shared_));
  auto split = Split::make(std::move(shares), shared_->cursors.get(question.scope + "/default"));
  if (split) {
    route.split.emplace(std::move(*split));
  } else {
    route.broken = split.error().message;
  }
  name_stats(route, question);
  list.routes.push_back(std::move(route));
}

Route RouteCompiler::compile_route(const Question& question, const routing::ApplicableHttpRoute& applicable) const {
  const routing::HttpRoute& written = *applicable.route;
  const config::HttpRoute& config = *written.config;
  Route route;
  route.name = route_name(written.origin);
  route.origin = written.origin;
  for (const routing::HttpMatch* match : applicable.match) {
    if (match->matcher) route.matchers.push_back(match->matcher);
  }
  route.fault = fault_of(config.fault);
  if (config.cors_policy) keep(route.cors, routing::CorsPolicy::compile(*config.cors_policy));
  route.local_response_headers = plan_or_nothing(config.headers.response, {}, true);
  if (config.redirect || config.direct_response) {
    route.redirect = config.redirect ? &*config.redirect : nullptr;
    route.direct_response = config.direct_response ? &*config.direct_response : nullptr;
    name_stats(route, question);
    return route;
  }
  if (config.rewrite) keep(route.rewrite, routing::Rewriter::compile(*config.rewrite));
  if (config.timeout) route.timeout = config.timeout->value;
  route.retries = retry_rules(config.retries);
  compile_split(route, question, written);
  compile_mirrors(route, question, written);
  name_stats(route, question);
  return route;
}

/// In the mesh, a destination without a port means the dialled one; at a gateway, its service's only port.
ResolvedDestination RouteCompiler::resolve(const Question& question, std::string_view namespace_,
                                           const config::Destination& destination) const {
  const auto how = question.frontend.gateway ? routing::resolve_destination : routing::resolve_http_destination;
  return how(*table_, question.client, namespace_, destination, question.frontend.address.port);
}

void RouteCompiler::name_stats(Route& route, const Question& question) const {
  const std::string name = question.scope + "/" + route.name;
  route.local_traffic = shared_->stats.traffic(name, "");
  for (size_t number = 0; number < route.destinations.size(); ++number) {
    Destination& destination = route.destinations[number];
    destination.traffic = shared_->stats.traffic(name, destination.name);
    if (!route.split) continue;
    for (const WeightedEndpoint& endpoint : route.split->endpoints(number)) {
      destination.endpoint_stats.push_back(shared_->stats.endpoint(destination.name, endpoint.address.to_string()));
    }
  }
}

void RouteCompiler::compile_split(Route& route, const Question& question, const routing::HttpRoute& written) const {
  const auto& entries = written.config->route;
  const std::vector<uint64_t> weights = routing::effective_weights(entries);
  const config::Headers& headers = written.config->headers;
  const bool only = entries.size() == 1;
  std::vector<Share> shares;
  for (size_t index = 0; index < entries.size(); ++index) {
    if (weights[index] == 0) continue;  // never
    const config::WeightedDestination& entry = entries[index];
    const ResolvedDestination resolved = resolve(question, written.namespace_, entry.destination);
    shares.push_back(share_of(resolved, weights[index]));
    Destination destination = compile_destination(resolved, question.client, shares.back().endpoints, *shared_);
    destination.request_headers = plan_or_nothing(headers.request, entry.headers.request, only);
    destination.response_headers = plan_or_nothing(headers.response, entry.headers.response, only);
    route.destinations.push_back(std::move(destination));
  }
  if (only && !route.destinations.empty()) {
    route.local_response_headers = route.destinations.front().response_headers;
  }
  const std::string name = question.scope + "/" + written.origin.namespace_ + "/" + written.origin.name + "#" +
                           std::to_string(written.origin.index);
  auto split = Split::make(std::move(shares), shared_->cursors.get(name));
  if (split) {
    route.split.emplace(std::move(*split));
  } else {
    route.broken = split.error().message;
  }
}

void RouteCompiler::compile_mirrors(Route& route, const Question& question, const routing::HttpRoute& written) const {
  size_t number = 0;
  for (const config::Mirror& mirror : written.config->mirrors) {
    const std::string name = question.scope + "/" + written.origin.namespace_ + "/" + written.origin.name + "#" +
                             std::to_string(written.origin.index) + "/mirror" + std::to_string(number++);
    if (mirror.percentage.parts_per_million == 0) continue;
    const ResolvedDestination resolved = resolve(question, written.namespace_, mirror.destination);
    MirrorTarget target;
    target.parts_per_million = mirror.percentage.parts_per_million;
    std::vector<Share> shares;
    shares.push_back(share_of(resolved, 1));
    target.destination = compile_destination(resolved, question.client, shares.back().endpoints, *shared_);
    if (!shares.front().endpoints.empty())
      keep(target.split, Split::make(std::move(shares), shared_->cursors.get(name)));
    route.mirrors.push_back(std::move(target));
  }
}

}  // namespace weir::proxy
