#include <algorithm>

#include "config/read.h"
#include "config/scalars.h"

namespace weir::config {
namespace {

constexpr auto kIgnore = Fields::Unknown::kIgnore;

std::string read_protocol(Fields& fields) {
  const auto protocol = fields.choice<std::string>("protocol", {{"TCP", "TCP"}, {"UDP", "UDP"}, {"SCTP", "SCTP"}});
  return protocol ? protocol->value : "TCP";
}

void check_ip(Context& context, const Located<std::string>& text, std::string_view what) {
  if (is_ip(text.value)) return;
  context.error(text.at, std::string(what) + " " + quote(text.value) + " is not an IP address");
}

/// A number, or a name of 1 to 15 lower-case characters.
void read_target_port(Fields& fields, ServicePort& port) {
  const Node* node = fields.find("targetPort");
  if (node == nullptr) return;
  const auto number = node->is_scalar() ? parse_integer(node->text) : std::nullopt;
  if (!number) {
    port.target_port_name = fields.text("targetPort");
    if (node->is_scalar() && (!is_dns_label(node->text) || node->text.size() > 15)) {
      fields.context.error(node->at, "targetPort " + quote(node->text) + " is neither a number nor the name of a port");
    }
    return;
  }
  if (*number < 0 || *number > 65535) {
    fields.context.error(node->at, "targetPort " + quote(node->text) + " must be 1 to 65535");
    return;
  }
  port.target_port = static_cast<uint16_t>(*number);
}

ServicePort read_service_port(Fields& fields) {
  ServicePort port;
  port.at = fields.at();
  port.name = fields.text("name");
  if (const auto number = fields.port("port")) {
    port.port = number->value;
  } else if (!fields.present("port")) {
    fields.context.error(fields.at(), fields.child("port").text() + " is required");
  }
  read_target_port(fields, port);
  port.protocol = read_protocol(fields);
  port.app_protocol = fields.text("appProtocol");
  if (const auto node_port = fields.integer("nodePort", 0, 65535))
    port.node_port = static_cast<uint16_t>(node_port->value);
  return port;
}

void check_service_ports(Context& context, const Service& object) {
  for (size_t i = 0; i < object.ports.size(); ++i) {
    const ServicePort& port = object.ports[i];
    if (port.name.empty() && object.ports.size() > 1) {
      context.error(port.at, "a port of a Service with several ports needs a name");
    }
    for (size_t j = 0; j < i; ++j) {
      const ServicePort& other = object.ports[j];
      if (port.port != 0 && port.port == other.port && port.protocol == other.protocol) {
        context.error(port.at, "port " + std::to_string(port.port) + "/" + port.protocol + " is given twice");
      }
      if (!port.name.empty() && port.name == other.name)
        context.error(port.at, "port name " + quote(port.name) + " is given twice");
    }
  }
}

EndpointPort read_endpoint_port(Fields& fields) {
  EndpointPort port;
  port.name = fields.text("name");
  if (const auto number = fields.port("port")) port.port = number->value;
  port.protocol = read_protocol(fields);
  port.app_protocol = fields.text("appProtocol");
  return port;
}

void read_target_ref(Fields& fields, EndpointAddress& endpoint) {
  fields.map(
      "targetRef",
      [&](Fields& target) {
        if (target.text("kind") != "Pod") return;
        endpoint.pod_name = target.text("name");
        endpoint.pod_namespace = target.text("namespace");
        if (endpoint.pod_namespace.empty()) endpoint.pod_namespace = target.context.namespace_;
      },
      kIgnore);
}

EndpointAddress read_slice_endpoint(Fields& fields, bool names) {
  EndpointAddress endpoint;
  endpoint.at = fields.at();
  for (auto& address : fields.texts("addresses")) {
    if (!names) check_ip(fields.context, address, "endpoint address");
    endpoint.addresses.push_back(std::move(address.value));
  }
  if (is_absent_or_empty(fields, "addresses"))
    fields.context.error(fields.at(), fields.child("addresses").text() + " is required");
  fields.map(
      "conditions",
      [&](Fields& conditions) {
        endpoint.ready = conditions.optional_boolean("ready").value_or(true);
        endpoint.serving = conditions.optional_boolean("serving").value_or(endpoint.ready);
        endpoint.terminating = conditions.boolean("terminating");
      },
      kIgnore);
  endpoint.node_name = fields.text("nodeName");
  endpoint.zone = fields.text("zone");
  endpoint.hostname = fields.text("hostname");
  read_target_ref(fields, endpoint);
  return endpoint;
}

EndpointAddress read_legacy_address(Fields& fields, bool ready) {
  EndpointAddress endpoint;
  endpoint.at = fields.at();
  endpoint.ready = endpoint.serving = ready;
  auto ip = fields.located("ip");
  check_ip(fields.context, {ip.value, ip.at.line > 0 ? ip.at : fields.at()}, "endpoint address");
  endpoint.addresses.push_back(std::move(ip.value));
  endpoint.node_name = fields.text("nodeName");
  endpoint.hostname = fields.text("hostname");
  read_target_ref(fields, endpoint);
  return endpoint;
}

void read_pod_spec(Fields& spec, Pod& object) {
  object.node_name = spec.text("nodeName");
  object.host_network = spec.boolean("hostNetwork");
  spec.each(
      "containers",
      [&](Fields& container) {
        container.each(
            "ports",
            [&](Fields& item) {
              ContainerPort port;
              port.name = item.text("name");
              if (const auto number = item.port("containerPort")) port.port = number->value;
              port.protocol = read_protocol(item);
              object.ports.push_back(std::move(port));
            },
            kIgnore);
      },
      kIgnore);
}

void read_pod_status(Fields& status, Pod& object) {
  object.phase = status.text("phase");
  const auto add = [&](const Located<std::string>& ip) {
    if (ip.value.empty() || std::find(object.ips.begin(), object.ips.end(), ip.value) != object.ips.end()) return;
    check_ip(status.context, ip, "pod address");
    object.ips.push_back(ip.value);
  };
  add(status.located("podIP"));
  status.each(
      "podIPs", [&](Fields& item) { add(item.located("ip")); }, kIgnore);
  status.each(
      "conditions",
      [&](Fields& condition) {
        if (condition.text("type") == "Ready") object.ready = condition.text("status") == "True";
      },
      kIgnore);
}

/// What a Service asks of whoever carries its traffic, and Weir does not do.
void report_unread_fields(Fields& spec) {
  if (spec.text("sessionAffinity") == "ClientIP") {
    spec.not_honoured("sessionAffinity", code::kServiceField,
                      "where Weir serves the Service, a client's connections go to all of its endpoints");
  }
  if (!spec.missing("trafficDistribution")) {
    spec.not_honoured("trafficDistribution", code::kServiceField, "endpoints are picked without regard to their zone");
  }
}

}  // namespace

void read_service(Fields& root, Service& object) {
  root.map(
      "spec",
      [&](Fields& spec) {
        if (const auto type = spec.choice<std::string>("type", {{"ClusterIP", "ClusterIP"},
                                                                {"NodePort", "NodePort"},
                                                                {"LoadBalancer", "LoadBalancer"},
                                                                {"ExternalName", "ExternalName"}})) {
          object.type = type->value;
        }
        auto ips = spec.texts("clusterIPs");
        if (ips.empty() && spec.find("clusterIP") != nullptr) ips.push_back(spec.located("clusterIP"));
        for (auto& ip : ips) {
          if (ip.value.empty()) continue;
          if (ip.value != "None") check_ip(spec.context, ip, "clusterIP");
          object.cluster_ips.push_back(std::move(ip.value));
        }
        object.selector = spec.labels("selector");
        spec.each(
            "ports", [&](Fields& item) { object.ports.push_back(read_service_port(item)); }, kIgnore);
        check_service_ports(spec.context, object);
        object.external_name = spec.text("externalName");
        if (object.type == "ExternalName" && object.external_name.empty()) {
          spec.context.error(spec.at(), "a Service of type ExternalName needs spec.externalName");
        }
        for (auto& ip : spec.texts("externalIPs")) {
          check_ip(spec.context, ip, "externalIP");
          object.external_ips.push_back(std::move(ip.value));
        }
        object.external_traffic_policy_local = spec.text("externalTrafficPolicy") == "Local";
        object.internal_traffic_policy_local = spec.text("internalTrafficPolicy") == "Local";
        report_unread_fields(spec);
      },
      kIgnore);
  root.map(
      "status",
      [&](Fields& status) {
        status.map(
            "loadBalancer",
            [&](Fields& balancer) {
              balancer.each(
                  "ingress",
                  [&](Fields& ingress) {
                    auto ip = ingress.located("ip");
                    if (ip.value.empty()) return;
                    check_ip(ingress.context, ip, "load balancer address");
                    object.load_balancer_ips.push_back(std::move(ip.value));
                  },
                  kIgnore);
            },
            kIgnore);
      },
      kIgnore);
}

void read_endpoint_slice(Fields& root, EndpointSlice& object) {
  const auto name = object.meta.labels.find("kubernetes.io/service-name");
  if (name != object.meta.labels.end()) object.service_name = name->second;
  const auto type = root.choice<std::string>("addressType", {{"IPv4", "IPv4"}, {"IPv6", "IPv6"}, {"FQDN", "FQDN"}});
  if (type) object.address_type = type->value;
  if (!type && !root.present("addressType")) root.context.error(root.at(), "addressType is required", "IPv4 or IPv6");
  const bool names = object.address_type == "FQDN";
  root.each(
      "endpoints", [&](Fields& item) { object.endpoints.push_back(read_slice_endpoint(item, names)); }, kIgnore);
  root.each(
      "ports", [&](Fields& item) { object.ports.push_back(read_endpoint_port(item)); }, kIgnore);
}

void read_endpoints(Fields& root, Endpoints& object) {
  root.each(
      "subsets",
      [&](Fields& item) {
        Endpoints::Subset subset;
        item.each(
            "addresses", [&](Fields& entry) { subset.addresses.push_back(read_legacy_address(entry, true)); }, kIgnore);
        item.each(
            "notReadyAddresses", [&](Fields& entry) { subset.addresses.push_back(read_legacy_address(entry, false)); },
            kIgnore);
        item.each(
            "ports", [&](Fields& port) { subset.ports.push_back(read_endpoint_port(port)); }, kIgnore);
        object.subsets.push_back(std::move(subset));
      },
      kIgnore);
}

void read_pod(Fields& root, Pod& object) {
  root.map(
      "spec", [&](Fields& spec) { read_pod_spec(spec, object); }, kIgnore);
  root.map(
      "status", [&](Fields& status) { read_pod_status(status, object); }, kIgnore);
}

}  // namespace weir::config
