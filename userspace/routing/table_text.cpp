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
  text += " export=" + export_text(service.export_to) + " at=" + service.origin.place() + "\n";
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

template <class Rule>
void append_rule(std::string& text, const char* kind, const std::string& name, const Rule& rule) {
  text += std::string("route ") + name + " " + kind + "#" + std::to_string(rule.origin.index);
  if (!rule.origin.route.empty()) text += " name=" + rule.origin.route;
  text += " matches=" + std::to_string(rule.match.size()) + " at=" + rule.origin.place();
  for (const RuleDestination& destination : rule.destinations)
    text += " " + std::to_string(destination.weight) + "*" + to_text(destination);
  text += "\n";
}

void append(std::string& text, const RuleSet& set) {
  const std::string name = set.namespace_ + "/" + set.name;
  text += (set.origin.kind == "VirtualService" ? "virtual-service " : "rules ") + name + " hosts=" + join(set.hosts) +
          " gateways=" + join(set.gateways) + " export=" + export_text(set.export_to) +
          " created=" + std::to_string(set.creation) + (set.split_by_request ? " split=request" : "") +
          (set.refuse_without_proxy ? " on-proxy-failure=refuse" : "") + " at=" + set.origin.place() + "\n";
  for (const HttpRule& rule : set.http) append_rule(text, "http", name, rule);
  for (const L4Rule& rule : set.tcp) append_rule(text, "tcp", name, rule);
  for (const L4Rule& rule : set.tls) append_rule(text, "tls", name, rule);
}

void append(std::string& text, const DestinationRule& rule) {
  text += "destination-rule " + rule.namespace_ + "/" + rule.name + " host=" + rule.host +
          " export=" + export_text(rule.export_to);
  if (!rule.workload_selector.empty()) text += " for=" + label_text(rule.workload_selector);
  if (rule.traffic_policy) text += " policy";
  for (const DestinationRule::Subset& subset : rule.subsets)
    text += " " + subset.config->name.value + "{" + label_text(subset.config->labels) + "}";
  text += " at=" + rule.origin.place() + "\n";
}

}  // namespace

std::string to_text(const Table& table) {
  std::string text = "mesh domain=" + table.mesh.cluster_domain + " root=" + table.mesh.root_namespace + "\n";
  for (const ServicePtr& service : table.all_services()) append(text, *service);
  for (const RuleSetPtr& set : table.all_rules()) append(text, *set);
  for (const auto& [key, rules] : table.destination_rules.sorted())
    for (const DestinationRule& rule : (*rules)->rules) append(text, rule);
  for (const auto& [key, gateway] : table.gateways.sorted())
    text += "gateway " + std::string(key) + " at=" + (*gateway)->origin.place() + "\n";
  for (const auto& [key, status] : table.route_status.sorted())
    for (const ParentStatus& parent : (*status)->parents)
      text += "route-status " + std::string(key) + " at " + parent.parent + ": " + parent.accepted + ", " +
              parent.resolved + "\n";
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
