#include <algorithm>
#include <set>

#include "config/read.h"
#include "config/scalars.h"

namespace weir::config {
namespace {

using Resolution = ServiceEntry::Resolution;

bool is_unix(std::string_view address) {
  return address.starts_with("unix://");
}

void read_workload_ports(Fields& fields, Workload& workload) {
  fields.members("ports", [&](const std::string& name, Position at, const Node& node) {
    if (!is_host_label(name)) fields.context.error(at, "port name " + quote(name) + " is invalid");
    const auto number = node.is_scalar() ? parse_integer(node.text) : std::nullopt;
    if (!number || *number < 1 || *number > 65535) {
      fields.context.error(node.at, "port " + quote(name) + " must be 1 to 65535");
      return;
    }
    workload.ports[name] = static_cast<uint16_t>(*number);
  });
}

/// HTTP (Host) and TLS (SNI) tell hosts of one address apart.
bool tells_hosts_apart(const std::string& protocol) {
  return is_http_protocol(protocol) || is_tls_protocol(protocol);
}

void read_ports(Fields& spec, ServiceEntry& object) {
  std::set<uint16_t> numbers;
  std::set<std::string> names;
  spec.each("ports", [&](Fields& item) {
    ServiceEntryPort port;
    port.at = item.at();
    const auto number = item.port("number");
    if (number) port.number = number->value;
    if (!item.present("number")) item.context.error(item.at(), item.child("number").text() + " is required");
    if (number && !numbers.insert(number->value).second) {
      item.context.error(number->at, "port " + std::to_string(number->value) + " is given twice");
    }
    const auto name = item.located("name");
    port.name = name.value;
    if (item.missing("name")) {
      item.context.error(item.at(), item.child("name").text() + " is required");
    } else if (!name.value.empty() && !is_host_label(name.value)) {
      item.context.error(name.at, "port name " + quote(name.value) + " is invalid");
    } else if (!names.insert(name.value).second) {
      item.context.error(name.at, "port name " + quote(name.value) + " is given twice");
    }
    const auto protocol = item.located("protocol");
    port.protocol = normalize_protocol(protocol.value);
    if (port.protocol.empty() && !protocol.value.empty()) {
      item.context.error(protocol.at, "unsupported protocol " + quote(protocol.value),
                         "HTTP, HTTPS, GRPC, HTTP2, MONGO, TCP or TLS");
    }
    const auto target = item.integer("targetPort", 0, 65535);
    if (target) port.target_port = static_cast<uint16_t>(target->value);
    object.ports.push_back(std::move(port));
  });
}

void check_hosts(Fields& spec, const ServiceEntry& object) {
  Context& context = spec.context;
  if (object.hosts.empty())
    context.error(spec.at(), "service entry must have at least one host", "hosts: [example.com]");
  for (const auto& host : object.hosts) {
    if (host.value == "*") {
      context.error(host.at, "hostname cannot be wildcard", "write *.example.com");
    } else {
      const Wrong wrong = check_wildcard_domain(host.value);
      context.check(host.at, "host " + quote(host.value), wrong);
      if (!wrong && host.value.starts_with('*') && !host.value.starts_with("*.")) {
        context.warn(host.at, code::kSchemaWarning, "partial wildcard " + quote(host.value) + " not allowed",
                     "write *.example.com");
      }
    }
  }
  const auto blind = std::find_if(object.ports.begin(), object.ports.end(),
                                  [](const ServiceEntryPort& port) { return !tells_hosts_apart(port.protocol); });
  if (object.hosts.size() > 1 && object.resolution.value != Resolution::kNone && blind != object.ports.end()) {
    context.error(blind->at, "multiple hosts provided with non-HTTP, non-TLS port " + std::to_string(blind->number),
                  "such a connection does not say which host it is for: make one ServiceEntry a host");
  }
}

void check_addresses(Fields& spec, const ServiceEntry& object) {
  const bool ranges = object.resolution.value == Resolution::kNone || object.resolution.value == Resolution::kStatic;
  for (const auto& address : object.addresses) {
    if (!Cidr::parse(address.value)) {
      spec.context.error(address.at, "address " + quote(address.value) + " is not an IP address or subnet");
    } else if (!ranges && address.value.find('/') != std::string::npos) {
      spec.context.error(address.at, "CIDR addresses are allowed only for NONE/STATIC resolution types");
    }
  }
}

void check_endpoint(Context& context, const ServiceEntry& object, const Workload& endpoint) {
  const Located<std::string>& address = endpoint.address;
  const bool by_name =
      object.resolution.value == Resolution::kDns || object.resolution.value == Resolution::kDnsRoundRobin;
  if (is_unix(address.value)) {
    if (by_name) {
      context.error(address.at, "a unix address has no name to resolve", "resolution: STATIC");
    } else if (object.resolution.value == Resolution::kStatic && object.ports.size() != 1) {
      context.error(address.at, "unix endpoints need exactly one service port");
    }
    return;
  }
  if (by_name && address.value.empty()) {
    context.error(endpoint.at, "an endpoint without address has no name to resolve", "address: a host name");
  } else if (object.resolution.value == Resolution::kStatic && !address.value.empty() && !is_ip(address.value)) {
    context.error(address.at, "endpoint address " + quote(address.value) + " is not an IP address",
                  "STATIC resolution takes IP addresses; names need resolution: DNS");
  }
  for (const auto& item : endpoint.ports) {
    const std::string& name = item.first;
    const bool known =
        std::any_of(object.ports.begin(), object.ports.end(), [&](const auto& port) { return port.name == name; });
    if (!known) {
      context.error(endpoint.at, "endpoint port " + quote(name) + " is not defined by the service entry");
    }
  }
}

/// DYNAMIC_DNS takes the name from the request, and so asks for requests and for wildcards.
void check_dynamic(Fields& spec, const ServiceEntry& object) {
  Context& context = spec.context;
  if (!object.endpoints.empty()) context.error(spec.at_key("endpoints"), "DYNAMIC_DNS mode cannot set endpoints");
  if (!object.addresses.empty()) context.error(spec.at_key("addresses"), "DYNAMIC_DNS mode cannot set addresses");
  for (const auto& host : object.hosts) {
    if (!host.value.starts_with('*')) {
      context.error(host.at, "host must be wildcarded for resolution mode DYNAMIC_DNS", "write *.example.com");
    }
  }
  for (const ServiceEntryPort& port : object.ports) {
    if (!tells_hosts_apart(port.protocol)) {
      context.error(port.at, "resolution DYNAMIC_DNS is for HTTP, HTTP2, GRPC and TLS ports only");
    }
  }
}

void check_resolution(Fields& spec, const ServiceEntry& object) {
  Context& context = spec.context;
  const Position at = spec.at_key("resolution");
  const bool no_endpoints = is_absent_or_empty(spec, "endpoints");
  switch (object.resolution.value) {
    case Resolution::kNone:
      if (!no_endpoints) {
        context.error(spec.at_key("endpoints"), "NONE mode cannot set endpoints", "resolution: STATIC");
      }
      break;
    case Resolution::kStatic:
      if (no_endpoints && !object.workload_selector) {
        context.warn(at, code::kSchemaWarning,
                     "resolution STATIC without endpoints or a workloadSelector: the hosts have no endpoints");
      }
      break;
    case Resolution::kDnsRoundRobin:
      if (object.endpoints.size() > 1) {
        context.error(spec.at_key("endpoints"), "DNS_ROUND_ROBIN mode cannot have multiple endpoints",
                      "resolution: DNS");
      }
      [[fallthrough]];
    case Resolution::kDns:
      for (const auto& host : object.hosts) {
        if (no_endpoints && host.value.starts_with('*')) {
          context.error(host.at, "hosts must be FQDN if no endpoints are provided for resolution mode DNS");
        }
      }
      break;
    case Resolution::kDynamicDns:
      check_dynamic(spec, object);
      break;
  }
  if (object.resolution.value == Resolution::kDynamicDns) {
    context.warn(at, code::kDnsResolution,
                 "this resolution is not honoured: Weir does not look up the host of each request", "resolution: DNS");
  }
  for (const Workload& endpoint : object.endpoints) check_endpoint(context, object, endpoint);
}

void read_selector(Fields& spec, ServiceEntry& object) {
  spec.map("workloadSelector",
           [&](Fields& selector) { object.workload_selector = read_selector_labels(selector, "labels"); });
  if (object.workload_selector && object.resolution.value == Resolution::kNone) {
    spec.context.warn(spec.at_key("workloadSelector"), code::kSchemaWarning,
                      "workloadSelector has no effect when resolution is NONE");
  }
}

}  // namespace

Workload read_workload(Fields& fields) {
  Workload workload;
  workload.at = fields.at();
  workload.address = fields.located("address");
  workload.network = fields.text("network");
  const std::string& address = workload.address.value;
  if (address.empty()) {
    if (workload.network.empty())
      fields.context.error(fields.at(), fields.child("address").text() + " is required", "an IP address");
  } else if (is_unix(address)) {
    fields.context.check(workload.address.at, "unix address " + quote(address), check_unix_path(address.substr(7)));
  } else if (!is_ip(address)) {
    fields.context.check(workload.address.at, "address " + quote(address), check_fqdn(address),
                         "an IP address, a host name or unix:///path");
  }
  read_workload_ports(fields, workload);
  if (is_unix(address)) {
    if (!workload.ports.empty()) fields.context.error(fields.at_key("ports"), "a unix address must not include ports");
    fields.context.warn(workload.address.at, code::kUnixEndpoint,
                        "unix addresses are not honoured: the endpoint gets no traffic");
  }
  workload.labels = read_checked_labels(fields, "labels");
  const auto weight = fields.integer("weight", 0, INT32_MAX);
  if (weight) workload.weight = static_cast<uint32_t>(weight->value);
  workload.locality = fields.text("locality");
  workload.service_account = fields.text("serviceAccount");
  const auto idle = [&](std::string_view key, const char* why) {
    if (fields.missing(key)) return;
    fields.context.info(fields.at_key(key), code::kEndpointPlace, fields.child(key).text() + " has no effect: " + why);
  };
  idle("locality", "endpoints are picked without regard to their locality");
  idle("serviceAccount", "Weir verifies no identities");
  if (!address.empty()) idle("network", "every endpoint is reached at its address");
  if (address.empty() && !workload.network.empty()) {
    fields.context.warn(fields.at_key("network"), code::kNetwork,
                        "an endpoint without address is not honoured: Weir does not route between networks");
  } else {
    fields.not_honoured("network", code::kNetwork, "the endpoint is dialled at its address, whatever its network");
  }
  return workload;
}

void read_service_entry(Fields& spec, ServiceEntry& object) {
  object.hosts = spec.texts("hosts");
  object.addresses = spec.texts("addresses");
  read_ports(spec, object);
  using Location = ServiceEntry::Location;
  if (const auto location = spec.choice<Location>(
          "location", {{"MESH_EXTERNAL", Location::kMeshExternal}, {"MESH_INTERNAL", Location::kMeshInternal}})) {
    object.location = location->value;
    if (location->value == Location::kMeshInternal) {
      spec.context.info(
          location->at, code::kEndpointPlace,
          spec.child("location").text() + " has no effect: connections are carried as the client makes them");
    }
  }
  const auto resolution = spec.choice<Resolution>("resolution", {{"NONE", Resolution::kNone},
                                                                 {"STATIC", Resolution::kStatic},
                                                                 {"DNS", Resolution::kDns},
                                                                 {"DNS_ROUND_ROBIN", Resolution::kDnsRoundRobin},
                                                                 {"DYNAMIC_DNS", Resolution::kDynamicDns}});
  if (resolution) object.resolution = *resolution;
  spec.each("endpoints", [&](Fields& item) { object.endpoints.push_back(read_workload(item)); });
  read_selector(spec, object);
  object.export_to = read_export_to(spec, true);
  spec.texts("subjectAltNames");
  spec.not_honoured("subjectAltNames", code::kSubjectAltNames, "Weir does not verify servers' certificates");
  check_hosts(spec, object);
  check_addresses(spec, object);
  check_resolution(spec, object);
}

void read_workload_entry(Fields& spec, WorkloadEntry& object) {
  object.workload = read_workload(spec);
}

void read_service_entry_status(Fields& root, ServiceEntry& object) {
  constexpr auto kIgnore = Fields::Unknown::kIgnore;
  root.map(
      "status",
      [&](Fields& status) {
        status.each(
            "addresses", [&](Fields& item) { object.allocated_addresses.push_back(item.text("value")); }, kIgnore);
      },
      kIgnore);
}

}  // namespace weir::config
