#include "routing/build/gateway_api.h"

#include <algorithm>
#include <utility>

#include "routing/build/route_set.h"
#include "routing/codes.h"

namespace weir::routing {
namespace {

namespace api = config::gateway_api;

std::string route_key(const config::Metadata& meta) {
  return std::string(config::to_string(meta.kind)) + "/" + key_of(meta);
}

bool is_route(config::Kind kind) {
  using config::Kind;
  return kind == Kind::kHttpRoute || kind == Kind::kGrpcRoute || kind == Kind::kTcpRoute || kind == Kind::kTlsRoute;
}

/// Of kinds that are read and that nobody here carries out: what happens instead. Null: not of these.
const char* not_carried_out(config::Kind kind) {
  switch (kind) {
    case config::Kind::kUdpRoute:
      return "UDP is not split: the route does nothing";
    case config::Kind::kListenerSet:
      return "ListenerSets are not served: routes cannot hang on its listeners";
    case config::Kind::kBackendTlsPolicy:
      return "Weir begins no TLS: requests to its targets go on as they came";
    default:
      return nullptr;
  }
}

void index(ObjectIndex& objects, std::set<std::string, std::less<>>& keys, const std::string& key,
           const config::ObjectPtr& object, bool add) {
  if (add) {
    objects.add(key, object);
    keys.insert(key);
    return;
  }
  objects.remove(key, object);
  if (objects.get(key).empty()) keys.erase(key);
}

}  // namespace

void GatewayApi::file(const config::ObjectPtr& object, bool add) {
  const config::Metadata& meta = config::metadata(*object);
  if (is_route(meta.kind) || not_carried_out(meta.kind) != nullptr) {
    const std::string key = route_key(meta);
    index(routes_, route_keys_, key, object, add);
    dirty_routes_.insert(key);
  } else if (meta.kind == config::Kind::kGatewayApiGateway) {
    index(gateways_, gateway_keys_, key_of(meta), object, add);
    dirty_gateways_ = true;
  } else if (meta.kind == config::Kind::kReferenceGrant) {
    add ? grants_.add(meta.namespace_, object) : grants_.remove(meta.namespace_, object);
    dirty_gateways_ = true;
  }
}

void GatewayApi::file_namespace(const config::ObjectPtr& object, bool add) {
  const std::string& name = config::metadata(*object).name;
  add ? namespace_objects_.add(name, object) : namespace_objects_.remove(name, object);
  const config::ObjectPtr first = namespace_objects_.first(name);
  if (first) {
    namespaces_[name] = config::metadata(*first).labels;
  } else {
    namespaces_.erase(name);
  }
  all_routes_ = true;
}

void GatewayApi::touch_service(const std::string& host) {
  const auto users = routes_of_service_.find(host);
  if (users != routes_of_service_.end()) dirty_routes_.insert(users->second.begin(), users->second.end());
}

GatewayApi::Changes GatewayApi::update(const Table& table) {
  Changes changes;
  if (std::exchange(dirty_gateways_, false)) {
    compile_gateways(changes);
    all_routes_ = true;
  }
  if (std::exchange(all_routes_, false)) dirty_routes_.insert(route_keys_.begin(), route_keys_.end());
  for (const std::string& key : std::exchange(dirty_routes_, {})) compile_route(table, key, changes);
  for (const Target& target : std::exchange(dirty_targets_, {})) assemble(target, changes);
  return changes;
}

// ---------------------------------------------------------------- gateways

/// Of every class: whose a Gateway is to serve is for whoever plays one to say (--gateway).
void GatewayApi::compile_gateways(Changes& changes) {
  listeners_.clear();
  std::vector<std::shared_ptr<const Gateway>> gateways;
  config::Diagnostics conditions;
  for (const std::string& key : gateway_keys_) {
    const auto& written = std::get<api::Gateway>(*gateways_.first(key));
    report_fields(written, conditions);
    add_listeners(written, grants_, listeners_, gateways, conditions);
  }
  changes.conditions.emplace_back("gateway-api gateways", std::move(conditions));
  Keys before = std::exchange(served_, {});
  for (auto& gateway : gateways) {
    std::string key = key_of(gateway->namespace_, gateway->name);
    before.erase(key);
    served_.insert(key);
    changes.gateways.emplace_back(std::move(key), std::move(gateway));
  }
  for (const std::string& key : before) changes.gateways.emplace_back(key, nullptr);
}

// ---------------------------------------------------------------- routes

void GatewayApi::drop_route(const std::string& key) {
  const auto found = compiled_.find(key);
  if (found == compiled_.end()) return;
  for (const RoutePlace& place : found->second.places) {
    const Target target = target_of(place);
    dirty_targets_.insert(target);
    const auto at = routes_at_.find(target);
    if (at == routes_at_.end()) continue;
    at->second.erase(key);
    if (at->second.empty()) routes_at_.erase(at);
  }
  for (const std::string& host : found->second.service_hosts) {
    const auto users = routes_of_service_.find(host);
    if (users == routes_of_service_.end()) continue;
    users->second.erase(key);
    if (users->second.empty()) routes_of_service_.erase(users);
  }
  compiled_.erase(found);
}

RouteParents GatewayApi::compile_parts(RouteContext& context, CompiledRoute& route) const {
  const auto attach = [&](const auto& written) {
    if (written.use_default_gateways == "All")
      context.conditions.push_back(finding(config::Level::kWarning, code::kRouteField, context.route, context.route.at,
                                           "useDefaultGateways is not honoured: name the Gateways under parentRefs"));
    for (const auto& hostname : written.hostnames) route.hostnames.push_back(hostname.value);
    return find_parents(context.route, written.parents, written.hostnames, listeners_, namespaces_, context.references);
  };
  const config::AnyObject& object = *route.object;
  if (const auto* http = std::get_if<api::HttpRoute>(&object)) {
    route.http = compile_http_route(*http, context);
    return attach(*http);
  }
  if (const auto* grpc = std::get_if<api::GrpcRoute>(&object)) {
    route.http = compile_grpc_route(*grpc, context);
    return attach(*grpc);
  }
  const auto* tcp = std::get_if<api::TcpRoute>(&object);
  const api::L4RouteBody& body = tcp != nullptr ? tcp->route : std::get<api::TlsRoute>(object).route;
  route.l4 = compile_l4_route(body, context);
  return attach(body);
}

void GatewayApi::compile_route(const Table& table, const std::string& key, Changes& changes) {
  drop_route(key);
  const config::ObjectPtr object = routes_.first(key);
  const std::string group = "route/" + key;
  if (!object) {
    changes.conditions.emplace_back(group, config::Diagnostics());
    changes.status.emplace_back(key, nullptr);
    return;
  }
  const config::Metadata& meta = config::metadata(*object);
  config::Diagnostics conditions;
  if (const char* why = not_carried_out(meta.kind)) {
    conditions.push_back(finding(config::Level::kWarning, code::kRouteKind, meta, meta.at, why));
    changes.conditions.emplace_back(group, std::move(conditions));
    return;
  }
  CompiledRoute route;
  route.object = object;
  RouteReferences references(table, grants_);
  RouteContext context{meta, references, conditions, {}, {}};
  RouteParents parents = compile_parts(context, route);
  for (const auto& [at, text] : parents.problems)
    conditions.push_back(finding(config::Level::kWarning, code::kRouteParent, meta, at, text));
  for (ParentStatus& parent : parents.status.parents) {
    parent.resolved = context.unresolved.empty() ? "ResolvedRefs" : context.unresolved;
    if (parent.message.empty()) parent.message = context.message;
  }
  route.places = std::move(parents.places);
  route.service_hosts = references.hosts();
  for (const RoutePlace& place : route.places) {
    routes_at_[target_of(place)].insert(key);
    dirty_targets_.insert(target_of(place));
  }
  for (const std::string& host : route.service_hosts) routes_of_service_[host].insert(key);
  compiled_.emplace(key, std::move(route));
  changes.conditions.emplace_back(group, std::move(conditions));
  changes.status.emplace_back(key, std::make_shared<const RouteStatus>(std::move(parents.status)));
}

void GatewayApi::assemble(const Target& target, Changes& changes) {
  std::vector<RouteAtPlace> routes;
  if (const auto found = routes_at_.find(target); found != routes_at_.end()) {
    for (const std::string& key : found->second) {
      const CompiledRoute& route = compiled_.at(key);
      const auto hostnames = target.where == kMesh ? route.hostnames : std::vector<std::string>{target.host};
      for (const RoutePlace& place : route.places)
        if (target_of(place) == target)
          routes.push_back({&config::metadata(*route.object), place.port, &route.http, &route.l4, hostnames});
    }
  }
  config::Diagnostics conditions;
  RuleSetPtr after = make_rule_set(target.where, target.host, target.only_for, std::move(routes), conditions);
  changes.conditions.emplace_back("routes at " + target.where + "|" + target.host + "|" + target.only_for,
                                  std::move(conditions));
  const auto kept = sets_.find(target);
  changes.rules.emplace_back(kept == sets_.end() ? nullptr : kept->second, after);
  if (after) {
    sets_[target] = std::move(after);
  } else if (kept != sets_.end()) {
    sets_.erase(kept);
  }
}

}  // namespace weir::routing
