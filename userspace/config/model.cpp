#include "config/model.h"

#include "config/kinds.h"
#include "config/model_text.h"

namespace weir::config {
namespace {

std::string destination(const WeightedDestination& item) {
  std::string text = item.destination.host.value;
  if (item.destination.port) text += ":" + std::to_string(item.destination.port->value);
  if (!item.destination.subset.value.empty()) text += "/" + item.destination.subset.value;
  if (item.weight) text += "=" + std::to_string(item.weight->value);
  return text;
}

std::string routes(const std::vector<HttpRoute>& http) {
  return join(http, [](const HttpRoute& route) {
    if (route.redirect) return "redirect " + std::to_string(route.redirect->code);
    if (route.direct_response) return "direct_response " + std::to_string(route.direct_response->status);
    if (route.delegate) return "delegate " + route.delegate->name.value;
    return "[" + join(route.route, destination) + "]";
  });
}

std::string routes(const std::vector<L4Route>& l4) {
  return join(l4, [](const L4Route& route) { return "[" + join(route.route, destination) + "]"; });
}

std::string body(const VirtualService& object) {
  return "hosts=" + values(object.hosts) + " http=" + routes(object.http) + " tls=" + routes(object.tls) +
         " tcp=" + routes(object.tcp);
}
std::string body(const DestinationRule& object) {
  return "host=" + object.host.value + " subsets=" + join(object.subsets, [](const Subset& subset) {
           return subset.name.value + "{" + pairs(subset.labels) + "}";
         });
}
std::string body(const Gateway& object) {
  return "selector=" + pairs(object.selector) + " servers=" + join(object.servers, [](const GatewayServer& server) {
           return server.protocol + ":" + std::to_string(server.port.value) + "{" + values(server.hosts) + "}";
         });
}
std::string body(const ServiceEntry& object) {
  return "hosts=" + values(object.hosts) + " addresses=" + values(object.addresses) +
         " endpoints=" + join(object.endpoints, [](const Workload& endpoint) { return endpoint.address.value; });
}
std::string body(const WorkloadEntry& object) {
  return "address=" + object.workload.address.value + " labels=" + pairs(object.workload.labels);
}
std::string body(const Service& object) {
  return "type=" + object.type + " ips=" + join(object.cluster_ips, [](const std::string& ip) { return ip; }) +
         " ports=" + join(object.ports, [](const ServicePort& port) {
           return (port.name.empty() ? "" : port.name + ":") + std::to_string(port.port) + "/" + port.protocol;
         });
}

std::string addresses(const std::vector<EndpointAddress>& endpoints) {
  return join(endpoints, [](const EndpointAddress& endpoint) {
    return (endpoint.addresses.empty() ? "-" : endpoint.addresses.front()) + (endpoint.ready ? "" : "(not ready)");
  });
}
std::string ports(const std::vector<EndpointPort>& items) {
  return join(items, [](const EndpointPort& port) {
    return (port.name.empty() ? "" : port.name + ":") + std::to_string(port.port) + "/" + port.protocol;
  });
}
std::string body(const Endpoints& object) {
  return join(object.subsets,
              [](const auto& subset) { return addresses(subset.addresses) + " ports=" + ports(subset.ports); });
}
std::string body(const EndpointSlice& object) {
  return "service=" + object.service_name + " endpoints=" + addresses(object.endpoints) +
         " ports=" + ports(object.ports);
}
std::string body(const Pod& object) {
  return "ips=" + join(object.ips, [](const std::string& ip) { return ip; }) + " labels=" + pairs(object.meta.labels) +
         (object.ready ? " ready" : " not-ready");
}
std::string body(const Namespace& object) {
  return "labels=" + pairs(object.meta.labels);
}

}  // namespace

std::string Metadata::describe() const {
  std::string text(to_string(kind));
  if (name.empty()) return text;
  text += " ";
  if (!namespace_.empty()) text += namespace_ + "/";
  return text + name;
}

const Metadata& metadata(const AnyObject& object) {
  return std::visit([](const auto& alternative) -> const Metadata& { return alternative.meta; }, object);
}

std::string to_text(const AnyObject& object) {
  return metadata(object).describe() + " " +
         std::visit([](const auto& alternative) { return body(alternative); }, object);
}

}  // namespace weir::config
