#include "config/model_gateway_api.h"

#include "config/model_text.h"

namespace weir::config::gateway_api {
namespace {

std::string in_namespace(const std::string& namespace_, const std::string& name) {
  return namespace_.empty() ? name : namespace_ + "/" + name;
}

std::string parent(const ParentReference& item) {
  std::string text = item.kind + " " + in_namespace(item.namespace_, item.name.value);
  if (item.port) text += ":" + std::to_string(item.port->value);
  if (!item.section_name.value.empty()) text += "#" + item.section_name.value;
  return text;
}

std::string backend(const BackendReference& item) {
  std::string text = item.is_service() ? "" : item.kind + " ";
  text += in_namespace(item.namespace_, item.name.value);
  if (item.port) text += ":" + std::to_string(item.port->value);
  return text + "=" + std::to_string(item.weight.value);
}

template <class Rule>
std::string route_rules(const std::vector<Rule>& rules) {
  return join(rules, [](const Rule& rule) {
    for (const Filter& filter : rule.filters) {
      if (filter.redirect) return "redirect " + std::to_string(filter.redirect->status_code);
    }
    return "[" + join(rule.backends, [](const RouteBackend& item) { return backend(item.ref); }) + "]";
  });
}

std::string listeners(const std::vector<Listener>& items) {
  return join(items, [](const Listener& listener) {
    return listener.name.value + "{" + listener.protocol.value + ":" + std::to_string(listener.port.value) +
           (listener.hostname.value.empty() ? "" : " " + listener.hostname.value) + "}";
  });
}

std::string l4_route(const L4RouteBody& route) {
  return "parents=" + join(route.parents, parent) + " hostnames=" + values(route.hostnames) +
         " rules=" + join(route.rules, [](const L4Rule& rule) { return "[" + join(rule.backends, backend) + "]"; });
}

template <class Route>
std::string http_route(const Route& object) {
  return "parents=" + join(object.parents, parent) + " hostnames=" + values(object.hostnames) +
         " rules=" + route_rules(object.rules);
}

}  // namespace

std::string body(const GatewayClass& object) {
  return "controller=" + object.controller_name.value;
}
std::string body(const Gateway& object) {
  return "class=" + object.gateway_class_name.value + " listeners=" + listeners(object.listeners);
}
std::string body(const ListenerSet& object) {
  return "parent=" + parent(object.parent) + " listeners=" + listeners(object.listeners);
}
std::string body(const HttpRoute& object) {
  return http_route(object);
}
std::string body(const GrpcRoute& object) {
  return http_route(object);
}
std::string body(const TcpRoute& object) {
  return l4_route(object.route);
}
std::string body(const TlsRoute& object) {
  return l4_route(object.route);
}
std::string body(const UdpRoute& object) {
  return l4_route(object.route);
}
std::string body(const ReferenceGrant& object) {
  return "from=" + join(object.from, [](const auto& item) { return item.kind + " " + item.namespace_; }) + " to=" +
         join(object.to, [](const auto& item) { return item.kind + (item.name.empty() ? "" : " " + item.name); });
}
std::string body(const BackendTlsPolicy& object) {
  return "targets=" + join(object.targets, [](const auto& item) { return item.kind + " " + item.name.value; }) +
         " hostname=" + object.hostname.value;
}

}  // namespace weir::config::gateway_api
