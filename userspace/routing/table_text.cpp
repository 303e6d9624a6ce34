#include <string>
#include <vector>

#include "routing/table.h"

namespace weir::routing {

namespace {

template <class Range, class Text>
std::string join(const Range& range, Text text) {
  std::string joined;
  for (const auto& item : range) {
    if (!joined.empty()) joined += ",";
    joined += text(item);
  }
  return joined;
}

std::string join(const std::vector<std::string>& texts) {
  return join(texts, [](const std::string& text) { return text; });
}

std::string label_text(const config::Labels& labels) {
  return join(labels, [](const auto& label) { return label.first + "=" + label.second; });
}

std::string export_text(const ExportTo& exported) {
  return exported.everyone ? "*" : "[" + join(exported.namespaces) + "]";
}

std::string place(const Origin& origin) {
  return origin.file + ":" + std::to_string(origin.at.line) + ":" + std::to_string(origin.at.column);
}

std::string_view resolution_text(const Service& service) {
  switch (service.resolution) {
    case Service::Resolution::kStatic:
      return "static";
    case Service::Resolution::kOriginalDestination:
      return service.headless ? "headless" : "none";
    case Service::Resolution::kDns:
      return "dns";
    case Service::Resolution::kAlias:
      return "alias";
  }
  return "static";
}

void append(std::string& text, const Service& service) {
  const std::string name = service.namespace_ + "/" + service.host;
  text += "service " + name +
          " source=" + (service.source == Service::Source::kKubernetes ? "kubernetes" : "service-entry") +
          " resolution=" + std::string(resolution_text(service));
  text += " addresses=" + join(service.addresses, [](const IpAddress& address) { return address.to_string(); });
  if (!service.ranges.empty())
    text += " ranges=" + join(service.ranges, [](const Cidr& range) { return range.to_string(); });
  if (!service.external_name.empty()) text += " external-name=" + service.external_name;
  text += " export=" + export_text(service.export_to) + " at=" + place(service.origin) + "\n";
  for (const ServicePort& port : service.ports) {
    text += "port " + name + ":" + std::to_string(port.number) + " name=" + port.name +
            " protocol=" + std::string(to_string(port.protocol)) + (port.tcp ? "" : " not-tcp") + "\n";
    for (const Endpoint& endpoint : port.endpoints) {
      text += "endpoint " + name + ":" + std::to_string(port.number) + " " +
              weir::to_string(endpoint.address, endpoint.port) + " weight=" + std::to_string(endpoint.weight) +
              (endpoint.healthy ? " healthy" : " unhealthy");
      if (!endpoint.workload->name.empty())
        text += " of=" + endpoint.workload->namespace_ + "/" + endpoint.workload->name;
      text += " labels=" + label_text(endpoint.workload->labels) + "\n";
    }
  }
}

template <class Route>
void append_destinations(std::string& text, const Route& route) {
  for (const config::WeightedDestination& entry : route.config->route) {
    const config::Destination& to = entry.destination;
    text += " " + (entry.weight ? std::to_string(entry.weight->value) : std::string("-")) + "*" + to.host.value;
    if (to.port) text += ":" + std::to_string(to.port->value);
    if (!to.subset.value.empty()) text += "/" + to.subset.value;
  }
}

template <class Route>
void append_route(std::string& text, const char* kind, const std::string& name, const Route& route) {
  text += std::string("route ") + name + " " + kind + "#" + std::to_string(route.origin.index);
  if (!route.origin.route.empty()) text += " name=" + route.origin.route;
  text += " matches=" + std::to_string(route.match.size()) + " at=" + place(route.origin);
  append_destinations(text, route);
  text += "\n";
}

void append(std::string& text, const VirtualService& rule) {
  const std::string name = rule.namespace_ + "/" + rule.name;
  text += "virtual-service " + name + " hosts=" + join(rule.hosts) + " gateways=" + join(rule.gateways) +
          " export=" + export_text(rule.export_to) + " created=" + std::to_string(rule.creation) +
          (rule.split_by_request ? " split=request" : "") +
          (rule.refuse_without_proxy ? " on-proxy-failure=refuse" : "") + " at=" + place(rule.origin) + "\n";
  for (const HttpRoute& route : rule.http) append_route(text, "http", name, route);
  for (const L4Route& route : rule.tcp) append_route(text, "tcp", name, route);
  for (const L4Route& route : rule.tls) append_route(text, "tls", name, route);
}

void append(std::string& text, const DestinationRule& rule) {
  text += "destination-rule " + rule.namespace_ + "/" + rule.name + " host=" + rule.host +
          " export=" + export_text(rule.export_to);
  if (!rule.workload_selector.empty()) text += " for=" + label_text(rule.workload_selector);
  if (rule.traffic_policy) text += " policy";
  for (const DestinationRule::Subset& subset : rule.subsets)
    text += " " + subset.config->name.value + "{" + label_text(subset.config->labels) + "}";
  text += " at=" + place(rule.origin) + "\n";
}

}  // namespace

std::string to_text(const Table& table) {
  std::string text = "mesh domain=" + table.mesh.cluster_domain + " root=" + table.mesh.root_namespace + "\n";
  for (const ServicePtr& service : table.all_services()) append(text, *service);
  for (const VirtualServicePtr& rule : table.all_virtual_services()) append(text, *rule);
  for (const auto& [key, rules] : table.destination_rules.sorted())
    for (const DestinationRule& rule : (*rules)->rules) append(text, rule);
  for (const auto& [key, gateway] : table.gateways.sorted())
    text += "gateway " + std::string(key) + " at=" + place((*gateway)->origin) + "\n";
  for (const auto& [key, pod] : table.pods.sorted()) {
    text += "pod " + std::string(key) +
            " addresses=" + join((*pod)->addresses, [](const IpAddress& address) { return address.to_string(); }) +
            " labels=" + label_text((*pod)->labels) +
            (table.pods_at.find((*pod)->addresses.empty() ? "" : (*pod)->addresses.front().to_string()) == *pod
                 ? ""
                 : " not-by-address") +
            "\n";
  }
  return text;
}

}  // namespace weir::routing
