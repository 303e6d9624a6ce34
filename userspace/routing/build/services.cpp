#include "routing/build/services.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "config/codes.h"
#include "routing/build/endpoints.h"
#include "routing/build/objects.h"
#include "routing/hosts.h"

namespace weir::routing {

namespace {

constexpr const char* kExportToAnnotation = "networking.istio.io/exportTo";

std::vector<config::Located<std::string>> split_at_commas(const std::string& text) {
  std::vector<config::Located<std::string>> parts;
  for (size_t start = 0; start <= text.size();) {
    const size_t end = std::min(text.find(',', start), text.size());
    std::string part = text.substr(start, end - start);
    std::erase(part, ' ');
    if (!part.empty()) parts.push_back({part, {}});
    start = end + 1;
  }
  return parts;
}

void describe(Service& service, const config::Metadata& meta) {
  service.name = meta.name;
  service.creation = meta.creation_timestamp;
  service.origin = origin_of(meta);
}

void take_kubernetes(Service& service, const config::Service& written) {
  describe(service, written.meta);
  service.source = Service::Source::kKubernetes;
  service.headless = written.headless();
  service.selector = written.selector;
  if (const auto found = written.meta.annotations.find(kExportToAnnotation); found != written.meta.annotations.end())
    service.export_to = export_to(split_at_commas(found->second), written.meta.namespace_);
  if (written.type == "ExternalName") {
    service.resolution = Service::Resolution::kAlias;
    service.external_name = to_lower(written.external_name);
  } else if (service.headless) {
    service.resolution = Service::Resolution::kOriginalDestination;
  }
  for (const std::string& text : written.cluster_ips)
    if (const auto address = IpAddress::parse(text)) service.addresses.push_back(*address);
  for (const auto* texts : {&written.external_ips, &written.load_balancer_ips})
    for (const std::string& text : *texts)
      if (const auto address = IpAddress::parse(text)) service.external_addresses.push_back(*address);
  service.external_local = written.external_traffic_policy_local;
  service.internal_local = written.internal_traffic_policy_local;
  for (const config::ServicePort& port : written.ports) {
    ServicePort built{.number = port.port,
                      .name = port.name,
                      .protocol = protocol_of(port.app_protocol, port.name, port.protocol, port.port),
                      .tcp = port.protocol == "TCP",
                      .node_port = port.node_port,
                      .endpoints = {}};
    const auto same = [&](const ServicePort& other) { return other.number == port.port; };
    const auto found = std::find_if(service.ports.begin(), service.ports.end(), same);
    if (found == service.ports.end()) {
      service.ports.push_back(std::move(built));
    } else if (!found->tcp && built.tcp) {
      *found = std::move(built);  // one number for UDP and TCP, as DNS has it: Weir has to do with TCP alone
    }
  }
}

Service::Resolution resolution_of(config::ServiceEntry::Resolution written) {
  switch (written) {
    case config::ServiceEntry::Resolution::kNone:
      return Service::Resolution::kOriginalDestination;
    case config::ServiceEntry::Resolution::kStatic:
      return Service::Resolution::kStatic;
    case config::ServiceEntry::Resolution::kDns:
    case config::ServiceEntry::Resolution::kDnsRoundRobin:
    case config::ServiceEntry::Resolution::kDynamicDns:
      return Service::Resolution::kDns;
  }
  return Service::Resolution::kOriginalDestination;
}

void take_addresses(Service& service, const config::ServiceEntry& entry, config::Diagnostics& conditions) {
  for (const auto& written : entry.addresses) {
    const auto range = Cidr::parse(written.value);
    if (!range) {
      conditions.push_back(finding(config::Level::kError, config::code::kSchemaValidation, entry.meta, written.at,
                                   "address \"" + written.value + "\" is neither an IP address nor a CIDR range"));
    } else if (range->prefix == 128) {
      if (std::find(service.addresses.begin(), service.addresses.end(), range->address) == service.addresses.end())
        service.addresses.push_back(range->address);
    } else if (std::find(service.ranges.begin(), service.ranges.end(), *range) == service.ranges.end()) {
      service.ranges.push_back(*range);
    }
  }
}

/// Over a Kubernetes Service only the endpoints of a ServiceEntry count (istio-facts 24).
void take_entry(Service& service, const config::ServiceEntry& entry, config::Diagnostics& conditions) {
  if (service.name.empty()) {
    describe(service, entry.meta);
    service.source = Service::Source::kServiceEntry;
    service.resolution = resolution_of(entry.resolution.value);
    service.export_to = export_to(entry.export_to, entry.meta.namespace_);
  }
  if (service.source == Service::Source::kKubernetes) return;
  take_addresses(service, entry, conditions);
  for (const config::ServiceEntryPort& port : entry.ports) {
    if (service.find_port(port.number)) continue;
    const bool tcp = port.protocol != "UDP";
    service.ports.push_back({.number = port.number,
                             .name = port.name,
                             .protocol = protocol_of(port.protocol, port.name, tcp ? "TCP" : "UDP", port.number),
                             .tcp = tcp,
                             .node_port = 0,
                             .endpoints = {}});
  }
}

}  // namespace

BuiltService build_service(const ServiceInput& input, const SharedMap<Workload>& pods,
                           const SharedMap<Workload>& pods_at) {
  BuiltService built;
  if (!input.service && input.entries.empty()) return built;
  auto service = std::make_shared<Service>();
  service->host = input.host;
  service->namespace_ = input.namespace_;
  if (input.service) {
    take_kubernetes(*service, std::get<config::Service>(*input.service));
    service->objects.push_back(input.service);
  }
  for (const config::ObjectPtr& entry : input.entries) {
    take_entry(*service, std::get<config::ServiceEntry>(*entry), built.conditions);
    service->objects.push_back(entry);
  }
  if (service->resolution != Service::Resolution::kAlias) {
    EndpointCollector collector(*service, pods, pods_at, built);
    collector.collect(input);
  }
  built.service = std::move(service);
  return built;
}

bool owns_its_address(const config::Pod& pod) {
  return !pod.host_network && pod.phase != "Succeeded" && pod.phase != "Failed";
}

std::shared_ptr<const Workload> build_workload(const config::Pod& pod) {
  auto workload = std::make_shared<Workload>();
  workload->namespace_ = pod.meta.namespace_;
  workload->name = pod.meta.name;
  workload->labels = pod.meta.labels;
  workload->node = pod.node_name;
  workload->host_network = pod.host_network;
  for (const std::string& text : pod.ips)
    if (const auto address = IpAddress::parse(text)) workload->addresses.push_back(*address);
  return workload;
}

}  // namespace weir::routing
