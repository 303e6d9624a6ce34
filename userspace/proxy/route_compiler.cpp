#include "proxy/route_compiler.h"

#include <algorithm>

#include "proxy/destination_compiler.h"

namespace weir::proxy {
namespace {

using routing::ResolvedDestination;
using routing::VirtualHost;

Fault fault_of(const routing::RuleFault& written) {
  return {.delay = written.delay,
          .delay_parts_per_million = written.delay_parts_per_million,
          .abort_status = written.abort_status,
          .abort_parts_per_million = written.abort_parts_per_million};
}

RouteList::Kind kind_of(VirtualHost::Kind kind) {
  switch (kind) {
    case VirtualHost::Kind::kDefault:
      return RouteList::Kind::kDefault;
    case VirtualHost::Kind::kPassthrough:
      return RouteList::Kind::kPassthrough;
    case VirtualHost::Kind::kRefused:
      return RouteList::Kind::kRefused;
    case VirtualHost::Kind::kHttpsRedirect:
      return RouteList::Kind::kHttpsRedirect;
    case VirtualHost::Kind::kRules:
    case VirtualHost::Kind::kNotFound:
      break;
  }
  return RouteList::Kind::kRules;
}

/// "default/reviews#0", with the kind where it is not a VirtualService.
std::string split_name(const routing::Origin& origin) {
  const std::string kind = origin.kind == "VirtualService" ? "" : origin.kind + ".";
  return kind + origin.namespace_ + "/" + origin.name + "#" + std::to_string(origin.index);
}

}  // namespace

std::shared_ptr<RouteList> RouteCompiler::make_list() const {
  auto list = std::make_shared<RouteList>();
  list->reads = routing::Reads(*table_);
  return list;
}

routing::HostChoice RouteCompiler::choose(const routing::Client& client, const Frontend& frontend,
                                          std::string_view authority) const {
  const uint16_t port = frontend.address.port;
  const routing::Service* dialled = routing::find_service_by_address(*table_, client, frontend.address.address, port);
  return routing::choose_host(*table_, client, dialled, port, authority, frontend.outside);
}

std::shared_ptr<const RouteList> RouteCompiler::compile(const routing::Client& client, const Frontend& frontend,
                                                        const routing::HostChoice& choice) const {
  auto list = make_list();
  const uint16_t port = frontend.address.port;
  const VirtualHost host = routing::virtual_host(*table_, client, choice, port);
  list->reads.add_address(*table_, frontend.address.address);
  list->reads.add_rules(*table_, choice.host);
  list->kind = kind_of(host.kind);
  list->service = choice.kind == routing::HostChoice::Kind::kUnknown ? std::string()
                  : choice.service != nullptr                        ? choice.service->host
                                                                     : choice.host;
  list->port = port;
  const routing::Service* dialled = routing::find_service_by_address(*table_, client, frontend.address.address, port);
  const std::string dialled_name = dialled != nullptr ? dialled->host : frontend.address.address.to_string();
  list->unmatched_traffic = shared_->stats.traffic(dialled_name + ":" + std::to_string(port), "");
  Question question{client, list->service + ":" + std::to_string(port), port, routing::http_port_meaning(client)};
  if (host.kind == VirtualHost::Kind::kPassthrough) question.scope = "passthrough";
  if (host.kind == VirtualHost::Kind::kRules) {
    add_rules(*list, question, host.rules);
  } else if (host.kind != VirtualHost::Kind::kRefused && host.service != nullptr) {
    add_default(*list, question, *host.service);
  }
  return list;
}

void RouteCompiler::add_rules(RouteList& list, const Question& question,
                              const std::vector<routing::AppliedHttpRule>& rules) const {
  list.routes.reserve(rules.size());
  for (const routing::AppliedHttpRule& applied : rules)
    list.routes.push_back(compile_route(question, *applied.rule, list));
  list.index = routing::RuleIndex(rules);
}

void RouteCompiler::add_default(RouteList& list, const Question& question, const routing::Service& service) const {
  list.reads.add_service(*table_, question.client, service.host);
  const ResolvedDestination resolved = routing::resolve_service(*table_, question.client, service, question.port);
  Route route;
  route.name = "default";
  if (const auto policy = routing::make_retry_policy(std::nullopt)) route.retries = RetryRules(*policy);
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

Route RouteCompiler::compile_route(const Question& question, const routing::HttpRule& rule, RouteList& list) const {
  Route route;
  route.name = rule.origin.route_name();
  route.origin = rule.origin;
  route.sticky = sticky_key(rule.sticky);
  route.fault = fault_of(rule.fault);
  route.cors = rule.cors.get();
  route.local_response_headers = rule.local_response_headers;
  route.redirect = rule.redirect ? &*rule.redirect : nullptr;
  route.direct_response = rule.direct_response ? &*rule.direct_response : nullptr;
  if (!rule.redirect && !rule.direct_response) {
    route.rewrite = rule.rewrite.get();
    if (rule.timeout) route.timeout = *rule.timeout;
    if (rule.retries) route.retries = RetryRules(*rule.retries);
    compile_split(route, question, rule.destinations, question.scope + "/" + split_name(rule.origin), list);
    compile_mirrors(route, question, rule, list);
  }
  name_stats(route, question);
  return route;
}

ResolvedDestination RouteCompiler::resolve(const Question& question, const routing::RuleDestination& destination,
                                           RouteList& list) const {
  list.reads.add_service(*table_, question.client, destination.host);
  return routing::resolve_destination(*table_, question.client, destination, question.port, question.meaning);
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

void RouteCompiler::compile_split(Route& route, const Question& question,
                                  const std::vector<routing::RuleDestination>& destinations, const std::string& name,
                                  RouteList& list) const {
  std::vector<Share> shares;
  for (const routing::RuleDestination& written : destinations) {
    if (written.weight == 0) continue;  // never
    const ResolvedDestination resolved = resolve(question, written, list);
    shares.push_back(share_of(resolved, written.weight));
    Destination destination = compile_destination(resolved, question.client, shares.back().endpoints, *shared_);
    destination.request_headers = written.request_headers;
    destination.response_headers = written.response_headers;
    destination.rewrite = written.rewrite.get();
    destination.redirect = written.redirect ? &*written.redirect : nullptr;
    route.destinations.push_back(std::move(destination));
  }
  auto split = Split::make(std::move(shares), shared_->cursors.get(name));
  if (split) {
    route.split.emplace(std::move(*split));
  } else {
    route.broken = split.error().message;
  }
}

void RouteCompiler::compile_mirrors(Route& route, const Question& question, const routing::HttpRule& rule,
                                    RouteList& list) const {
  size_t number = 0;
  for (const routing::RuleMirror& mirror : rule.mirrors) {
    const std::string name = question.scope + "/" + split_name(rule.origin) + "/mirror" + std::to_string(number++);
    if (mirror.parts_per_million == 0) continue;
    const ResolvedDestination resolved = resolve(question, mirror.to, list);
    MirrorTarget target;
    target.parts_per_million = mirror.parts_per_million;
    std::vector<Share> shares;
    shares.push_back(share_of(resolved, 1));
    target.destination = compile_destination(resolved, question.client, shares.back().endpoints, *shared_);
    if (!shares.front().endpoints.empty())
      if (auto split = Split::make(std::move(shares), shared_->cursors.get(name)))
        target.split.emplace(*std::move(split));
    route.mirrors.push_back(std::move(target));
  }
}

}  // namespace weir::proxy
