#include "routing/build/route_parents.h"

#include <algorithm>
#include <utility>

#include "config/labels.h"
#include "routing/build/objects.h"
#include "routing/codes.h"
#include "routing/hosts.h"

namespace weir::routing {
namespace {

using config::gateway_api::AllowedRoutes;
using config::gateway_api::LabelSelector;
using config::gateway_api::ListenerTls;
using config::gateway_api::ParentReference;

constexpr const char* kNamespaceLabel = "kubernetes.io/metadata.name";

bool holds(const LabelSelector::Expression& expression, const config::Labels& labels) {
  using Operator = LabelSelector::Expression::Operator;
  const auto found = labels.find(expression.key);
  const bool in =
      found != labels.end() && std::ranges::find(expression.values, found->second) != expression.values.end();
  switch (expression.op) {
    case Operator::kIn:
      return in;
    case Operator::kNotIn:
      return !in;
    case Operator::kExists:
      return found != labels.end();
    case Operator::kDoesNotExist:
      break;
  }
  return found == labels.end();
}

bool selects(const LabelSelector& selector, const config::Labels& labels) {
  return config::has_all(labels, selector.match_labels) &&
         std::ranges::all_of(selector.match_expressions, [&](const auto& entry) { return holds(entry, labels); });
}

bool allows_namespace(const RouteListener& listener, const std::string& namespace_, const NamespaceLabels& namespaces) {
  switch (listener.allowed.from) {
    case AllowedRoutes::From::kSame:
      return namespace_ == listener.namespace_;
    case AllowedRoutes::From::kAll:
      return true;
    case AllowedRoutes::From::kNone:
      return false;
    case AllowedRoutes::From::kSelector:
      break;
  }
  config::Labels labels;
  if (const auto found = namespaces.find(namespace_); found != namespaces.end()) labels = found->second;
  labels[kNamespaceLabel] = namespace_;
  return listener.allowed.selector && selects(*listener.allowed.selector, labels);
}

/// Whether the protocol can carry routes of the kind (ProtocolType in the Gateway API).
bool carries(const RouteListener& listener, config::Kind kind) {
  using config::Kind;
  if (listener.protocol == "HTTP" || listener.protocol == "HTTPS")
    return kind == Kind::kHttpRoute || kind == Kind::kGrpcRoute;
  if (listener.protocol == "TLS")
    return kind == Kind::kTlsRoute || (listener.terminates_tls && kind == Kind::kTcpRoute);
  return listener.protocol == "TCP" && kind == Kind::kTcpRoute;
}

bool allows_kind(const RouteListener& listener, config::Kind kind) {
  if (!carries(listener, kind)) return false;
  return listener.allowed.kinds.empty() || std::ranges::any_of(listener.allowed.kinds, [&](const auto& allowed) {
           return allowed.group == config::gateway_api::kGroup && allowed.kind == config::to_string(kind);
         });
}

/// What both mean: the narrower of each pair that goes together; nothing: they never meet.
std::vector<std::string> common_hosts(const std::string& listener,
                                      const std::vector<config::Located<std::string>>& route) {
  const std::string own = listener.empty() ? "*" : listener;
  if (route.empty()) return {own};
  std::vector<std::string> common;
  for (const auto& hostname : route) {
    if (!hosts_overlap(own, hostname.value)) continue;
    const bool listener_is_narrower =
        !is_wildcard(own) || (is_wildcard(hostname.value) && own.size() > hostname.value.size());
    std::string host = listener_is_narrower ? own : hostname.value;
    if (std::ranges::find(common, host) == common.end()) common.push_back(std::move(host));
  }
  return common;
}

std::string name_of(const ParentReference& parent, const std::string& namespace_) {
  std::string name = parent.kind + " " + namespace_ + "/" + parent.name.value;
  if (!parent.section_name.value.empty()) name += "/" + parent.section_name.value;
  if (parent.port) name += ":" + std::to_string(parent.port->value);
  return name;
}

/// Finds the places of one route; a class only so that its steps share what they add to.
class ParentFinder {
 public:
  ParentFinder(const config::Metadata& route, const std::vector<config::Located<std::string>>& hostnames,
               const RouteListeners& listeners, const NamespaceLabels& namespaces, RouteReferences& references)
      : route_(route), hostnames_(hostnames), listeners_(listeners), namespaces_(namespaces), references_(references) {}

  void add(const ParentReference& parent) {
    const std::string& namespace_ = parent.namespace_.empty() ? route_.namespace_ : parent.namespace_;
    ParentStatus status;
    status.parent = name_of(parent, namespace_);
    status.accepted = "Accepted";
    if (parent.is_gateway()) {
      add_gateway(parent, namespace_, status);
    } else if (parent.is_service()) {
      add_service(parent, namespace_, status);
    } else {
      refuse(status, "InvalidKind", "is neither a Gateway nor a Service");
    }
    if (!status.is_accepted())
      found_.problems.emplace_back(parent.at, status.parent + " does not take it: " + status.message);
    found_.status.parents.push_back(std::move(status));
  }

  RouteParents finish() { return std::move(found_); }

 private:
  static void refuse(ParentStatus& status, const char* reason, std::string why) {
    status.accepted = reason;
    status.message = std::move(why);
  }

  void place(RoutePlace place) {
    if (std::ranges::find(found_.places, place) == found_.places.end()) found_.places.push_back(std::move(place));
  }

  void add_gateway(const ParentReference& parent, const std::string& namespace_, ParentStatus& status) {
    const auto [first, last] = listeners_.equal_range(key_of(namespace_, parent.name.value));
    if (first == last) return refuse(status, "NoMatchingParent", "there is no such Gateway");
    bool named = false, allowed = false, attached = false;
    for (auto entry = first; entry != last; ++entry) {
      const RouteListener& listener = entry->second;
      const std::string& section = parent.section_name.value;
      if ((!section.empty() && section != listener.name) || (parent.port && parent.port->value != listener.port))
        continue;
      named = true;
      if (!allows_kind(listener, route_.kind) || !allows_namespace(listener, route_.namespace_, namespaces_)) continue;
      allowed = true;
      for (std::string& host : common_hosts(listener.hostname, hostnames_)) {
        attached = true;
        place({listener.binding, std::move(host), {}});
      }
    }
    if (!named) {
      refuse(status, "NoMatchingParent", "it has no listener of that name and port");
    } else if (!allowed) {
      refuse(
          status, "NotAllowedByListeners",
          "no listener allows " + std::string(config::to_string(route_.kind)) + "s of namespace " + route_.namespace_);
    } else if (!attached) {
      refuse(status, "NoMatchingListenerHostname", "no listener has one of the route's hostnames");
    }
  }

  void add_service(const ParentReference& parent, const std::string& namespace_, ParentStatus& status) {
    const Service* service = references_.find_service(parent.name.value, namespace_);
    if (service == nullptr) return refuse(status, "NoMatchingParent", "there is no such Service");
    std::optional<uint16_t> port;
    if (parent.port || !parent.section_name.value.empty()) {
      const auto wanted = std::ranges::find_if(service->ports, [&](const ServicePort& candidate) {
        return (!parent.port || candidate.number == parent.port->value) &&
               (parent.section_name.value.empty() || candidate.name == parent.section_name.value);
      });
      if (wanted == service->ports.end()) return refuse(status, "NoMatchingParent", "the Service has no such port");
      port = wanted->number;
    }
    // A route of the Service's own namespace (its producer's) is for all clients, another's for that namespace's own.
    place({std::string(kMesh), service->host, namespace_ == route_.namespace_ ? "" : route_.namespace_, port});
  }

  const config::Metadata& route_;
  const std::vector<config::Located<std::string>>& hostnames_;
  const RouteListeners& listeners_;
  const NamespaceLabels& namespaces_;
  RouteReferences& references_;
  RouteParents found_;
};

GatewayServer server_of(const config::gateway_api::Listener& written) {
  GatewayServer server;
  server.port = written.port.value;
  server.protocol = written.protocol.value;
  server.name = written.name.value;
  server.hosts = {written.hostname.value.empty() ? "*" : to_lower(written.hostname.value)};
  server.at = written.at;
  if (server.protocol == "HTTPS" || server.protocol == "TLS") {
    const bool passes = written.tls && written.tls->mode == ListenerTls::Mode::kPassthrough;
    server.tls = passes ? GatewayServer::Tls::kPassthrough : GatewayServer::Tls::kTerminate;
  }
  return server;
}

/// Empty: it may have all its certificates.
std::string missing_grant(const config::gateway_api::Listener& listener, const config::Metadata& gateway,
                          const ObjectIndex& grants) {
  if (!listener.tls) return {};
  for (const config::gateway_api::ObjectReference& secret : listener.tls->certificate_refs) {
    const std::string& owner = secret.namespace_.empty() ? gateway.namespace_ : secret.namespace_;
    if (!is_granted(grants, gateway, {secret.group, secret.kind, owner, secret.name.value}))
      return "no ReferenceGrant in namespace " + owner + " lets " + gateway.describe() + " refer to " + secret.kind +
             " " + owner + "/" + secret.name.value;
  }
  return {};
}

}  // namespace

void add_listeners(const config::gateway_api::Gateway& written, const ObjectIndex& grants, RouteListeners& listeners,
                   std::vector<std::shared_ptr<const Gateway>>& gateways, config::Diagnostics& conditions) {
  const config::Metadata& meta = written.meta;
  for (const config::gateway_api::Listener& entry : written.listeners) {
    if (const std::string why = missing_grant(entry, meta, grants); !why.empty()) {
      conditions.push_back(finding(config::Level::kWarning, code::kGatewayNotServed, meta, entry.at,
                                   "listener " + entry.name.value + " is not served: " + why));
      continue;
    }
    auto gateway = std::make_shared<Gateway>();
    gateway->namespace_ = meta.namespace_;
    gateway->name = meta.name + "/" + entry.name.value;
    gateway->creation = meta.creation_timestamp;
    gateway->origin = origin_of(meta);
    gateway->selector = {{kGatewayNameLabel, meta.name}};
    gateway->selects_own_namespace = true;
    gateway->by_hostname = true;
    gateway->servers.push_back(server_of(entry));
    RouteListener listener;
    listener.gateway = key_of(meta);
    listener.binding = key_of(meta.namespace_, gateway->name);
    listener.namespace_ = meta.namespace_;
    listener.name = entry.name.value;
    listener.port = entry.port.value;
    listener.protocol = entry.protocol.value;
    listener.hostname = to_lower(entry.hostname.value);
    listener.terminates_tls = gateway->servers.front().terminates_tls();
    listener.allowed = entry.allowed_routes;
    std::string key = listener.gateway;
    listeners.emplace(std::move(key), std::move(listener));
    gateways.push_back(std::move(gateway));
  }
}

void report_fields(const config::gateway_api::Gateway& written, config::Diagnostics& conditions) {
  const auto report = [&](bool there, config::Position at, const char* text) {
    if (there)
      conditions.push_back(
          finding(config::Level::kWarning, code::kRouteField, written.meta, at, std::string("spec.") + text));
  };
  const config::Position at = written.meta.at;
  report(!written.addresses.empty(), written.addresses.empty() ? at : written.addresses.front().at,
         "addresses is not honoured: the gateway is at the addresses of the node that plays it");
  report(written.infrastructure.has_value(), written.infrastructure ? written.infrastructure->at : at,
         "infrastructure is not honoured: nothing is made for a Gateway that could carry it");
  report(written.allowed_listeners.from != AllowedRoutes::From::kNone, at,
         "allowedListeners is not honoured: ListenerSets are not served");
  report(written.backend_client_certificate || written.frontend_validation || !written.frontend_per_port.empty(), at,
         "tls is not honoured: Weir begins and ends no TLS");
  report(written.default_scope == "All", at, "defaultScope is not honoured: routes name their Gateways");
}

RouteParents find_parents(const config::Metadata& route, const std::vector<ParentReference>& parents,
                          const std::vector<config::Located<std::string>>& hostnames, const RouteListeners& listeners,
                          const NamespaceLabels& namespaces, RouteReferences& references) {
  ParentFinder finder(route, hostnames, listeners, namespaces, references);
  for (const ParentReference& parent : parents) finder.add(parent);
  return finder.finish();
}

}  // namespace weir::routing
