#include "routing/build/route_references.h"

#include <algorithm>
#include <utility>

#include "routing/hosts.h"

namespace weir::routing {

using config::gateway_api::BackendReference;
using config::gateway_api::ReferenceGrant;

const Service* RouteReferences::find_service(std::string_view name, std::string_view namespace_) {
  const std::string host = service_host(to_lower(name), namespace_, table_.mesh.cluster_domain);
  hosts_.insert(host);
  const auto& found = table_.services.find(host);
  if (!found) return nullptr;
  for (const ServicePtr& service : found->services)
    if (service->namespace_ == namespace_ && service->source == Service::Source::kKubernetes) return service.get();
  return nullptr;
}

bool is_granted(const ObjectIndex& grants, const config::Metadata& from, const Referred& to) {
  if (to.namespace_ == from.namespace_) return true;
  const auto is_from = [&](const ReferenceGrant::From& entry) {
    return entry.group == config::gateway_api::kGroup && entry.kind == config::to_string(from.kind) &&
           entry.namespace_ == from.namespace_;
  };
  const auto is_to = [&](const ReferenceGrant::To& entry) {
    return entry.group == to.group && entry.kind == to.kind && (entry.name.empty() || entry.name == to.name);
  };
  return std::ranges::any_of(grants.get(to.namespace_), [&](const config::ObjectPtr& object) {
    const auto& grant = std::get<ReferenceGrant>(*object);
    return std::ranges::any_of(grant.from, is_from) && std::ranges::any_of(grant.to, is_to);
  });
}

Backend RouteReferences::follow(const BackendReference& reference, const config::Metadata& route) {
  const std::string& owner = reference.namespace_.empty() ? route.namespace_ : reference.namespace_;
  Backend backend;
  RuleDestination& to = backend.destination;
  to.host = service_host(to_lower(reference.name.value), owner, table_.mesh.cluster_domain);
  to.weight = reference.weight.value;
  to.at = to.entry_at = reference.at;
  to.written_weight = reference.weight;
  to.by_endpoints = true;
  if (reference.port) to.port = reference.port->value;
  const std::string name = reference.kind + " " + owner + "/" + reference.name.value;
  const auto refuse = [&](const char* reason, std::string why) {
    backend.reason = reason;
    to.refused = std::move(why);
  };
  if (!reference.is_service()) {
    refuse("InvalidKind", name + (reference.group.empty() ? "" : " of " + reference.group) +
                              " is no Service, and requests go to Services only");
  } else if (!is_granted(grants_, route, {reference.group, reference.kind, owner, reference.name.value})) {
    refuse("RefNotPermitted",
           "no ReferenceGrant in namespace " + owner + " lets " + route.describe() + " refer to " + name);
  } else if (const Service* service = find_service(reference.name.value, owner); service == nullptr) {
    refuse("BackendNotFound", name + " does not exist");
  } else if (to.port && service->find_port(*to.port) == nullptr && service->resolution != Service::Resolution::kAlias) {
    refuse("BackendNotFound", name + " has no port " + std::to_string(*to.port));
  }
  return backend;
}

}  // namespace weir::routing
