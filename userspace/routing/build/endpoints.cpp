#include "routing/build/endpoints.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "config/codes.h"
#include "routing/build/objects.h"
#include "routing/codes.h"

namespace weir::routing {

namespace {

bool selects(const config::Labels& selector, const config::Labels& labels) {
  return !selector.empty() && std::all_of(selector.begin(), selector.end(), [&](const auto& label) {
    const auto found = labels.find(label.first);
    return found != labels.end() && found->second == label.second;
  });
}

config::Labels labels_of(const config::WorkloadEntry& entry) {
  config::Labels labels = entry.workload.labels;
  labels.insert(entry.meta.labels.begin(), entry.meta.labels.end());  // spec.labels win
  return labels;
}

const std::shared_ptr<const Workload>& nobody() {
  static const auto kNobody = std::make_shared<const Workload>();
  return kNobody;
}

}  // namespace

EndpointCollector::EndpointCollector(Service& service, const SharedMap<Workload>& pods,
                                     const SharedMap<Workload>& pods_at, BuiltService& built)
    : service_(service), pods_(pods), pods_at_(pods_at), built_(built) {
  loopback_allowed_ = std::any_of(service.addresses.begin(), service.addresses.end(),
                                  [](const IpAddress& address) { return address.is_loopback(); });
}

void EndpointCollector::collect(const ServiceInput& input) {
  loopback_allowed_ = loopback_allowed_ || input.allow_loopback_endpoints;
  for (const config::ObjectPtr& slice : input.slices) take_slice(std::get<config::EndpointSlice>(*slice));
  if (input.slices.empty() && input.endpoints) take_endpoints(std::get<config::Endpoints>(*input.endpoints));
  for (const config::ObjectPtr& entry : input.entries) take_entry(std::get<config::ServiceEntry>(*entry), input);
  tidy();
}

void EndpointCollector::take_slice(const config::EndpointSlice& slice) {
  if (slice.address_type == "FQDN") {
    built_.conditions.push_back(finding(config::Level::kWarning, config::code::kDnsResolution, slice.meta, {},
                                        "endpoints of address type FQDN are left out: Weir does not resolve names"));
    return;
  }
  for (const config::EndpointAddress& endpoint : slice.endpoints) take_address(endpoint, slice.ports, slice.meta);
}

void EndpointCollector::take_endpoints(const config::Endpoints& endpoints) {
  for (const auto& subset : endpoints.subsets)
    for (const config::EndpointAddress& endpoint : subset.addresses)
      take_address(endpoint, subset.ports, endpoints.meta);
}

void EndpointCollector::take_address(const config::EndpointAddress& written,
                                     const std::vector<config::EndpointPort>& ports, const config::Metadata& meta) {
  if (written.terminating) return;  // even if it still serves (istio-facts 25)
  for (const std::string& text : written.addresses) {
    const auto address = IpAddress::parse(text);
    if (!address) {
      built_.conditions.push_back(finding(config::Level::kError, config::code::kSchemaValidation, meta, written.at,
                                          "endpoint address \"" + text + "\" is not an IP address"));
      continue;
    }
    if (!may_dial(*address, meta, written.at)) continue;
    const auto workload = workload_of(written, text, meta);
    for (ServicePort& port : service_.ports) {
      const auto matches = [&](const config::EndpointPort& candidate) {
        return candidate.name == port.name && (candidate.protocol == "TCP") == port.tcp;
      };
      const auto found = std::find_if(ports.begin(), ports.end(), matches);
      if (found == ports.end() || found->port == 0) continue;
      port.endpoints.push_back({*address, found->port, 1, written.ready, workload});
    }
  }
}

std::shared_ptr<const Workload> EndpointCollector::workload_of(const config::EndpointAddress& written,
                                                               const std::string& address,
                                                               const config::Metadata& meta) {
  if (!written.pod_name.empty()) {
    const std::string& namespace_ = written.pod_namespace.empty() ? meta.namespace_ : written.pod_namespace;
    std::string key = key_of(namespace_, written.pod_name);
    const auto& pod = pods_.find(key);
    built_.pods.push_back(std::move(key));
    if (pod) return pod;
    auto unknown = std::make_shared<Workload>();
    unknown->namespace_ = namespace_;
    unknown->name = written.pod_name;
    unknown->node = written.node_name;
    return unknown;
  }
  // Written by hand: a pod of the same namespace with that address lends its labels, as in Istio.
  const auto& pod = pods_at_.find(address);
  built_.pods.push_back("@" + address);
  if (pod && pod->namespace_ == meta.namespace_) return pod;
  if (written.node_name.empty() && written.zone.empty()) return nobody();
  auto unknown = std::make_shared<Workload>();
  unknown->node = written.node_name;
  unknown->locality = written.zone;
  return unknown;
}

void EndpointCollector::take_entry(const config::ServiceEntry& entry, const ServiceInput& input) {
  for (const config::Workload& endpoint : entry.endpoints) {
    auto workload = std::make_shared<Workload>();
    workload->labels = endpoint.labels;
    workload->locality = endpoint.locality;
    take_workload(entry, endpoint, entry.meta, workload);
  }
  if (!entry.workload_selector) return;
  for (const config::ObjectPtr& object : input.workloads) {
    if (const auto* pod = std::get_if<config::Pod>(object.get())) {
      if (selects(*entry.workload_selector, pod->meta.labels)) take_pod(entry, *pod);
    } else if (const auto* vm = std::get_if<config::WorkloadEntry>(object.get())) {
      auto workload = std::make_shared<Workload>();
      workload->labels = labels_of(*vm);
      if (!selects(*entry.workload_selector, workload->labels)) continue;
      workload->namespace_ = vm->meta.namespace_;
      workload->name = vm->meta.name;
      workload->locality = vm->workload.locality;
      take_workload(entry, vm->workload, vm->meta, workload);
    }
  }
}

/// The port of the service that an entry's port stands for: of a Kubernetes Service the one of that name, as Istio
/// joins them.
ServicePort* EndpointCollector::port_for(const config::ServiceEntryPort& port) {
  for (ServicePort& candidate : service_.ports) {
    const bool same =
        service_.source == Service::Source::kKubernetes ? candidate.name == port.name : candidate.number == port.number;
    if (same) return &candidate;
  }
  return nullptr;
}

void EndpointCollector::take_workload(const config::ServiceEntry& entry, const config::Workload& written,
                                      const config::Metadata& meta, const std::shared_ptr<const Workload>& workload) {
  const auto address = IpAddress::parse(written.address.value);
  if (!address) {
    const bool unix_path = written.address.value.starts_with("unix:");
    built_.conditions.push_back(finding(
        config::Level::kWarning, unix_path ? config::code::kUnixEndpoint : config::code::kDnsResolution, meta,
        written.address.at,
        "endpoint \"" + written.address.value +
            "\" is left out: " + (unix_path ? "Weir splits TCP connections only" : "Weir does not resolve names"),
        "an endpoint with an IP address"));
    return;
  }
  if (!may_dial(*address, meta, written.address.at)) return;
  for (const config::ServiceEntryPort& port : entry.ports) {
    ServicePort* target = port_for(port);
    if (!target) continue;
    uint16_t number = port.target_port != 0 ? port.target_port : port.number;
    if (const auto own = written.ports.find(port.name); own != written.ports.end()) number = own->second;
    target->endpoints.push_back({*address, number, std::max(written.weight, 1U), true, workload});
  }
}

void EndpointCollector::take_pod(const config::ServiceEntry& entry, const config::Pod& pod) {
  if (!owns_its_address(pod) && !pod.host_network) return;
  const auto workload = build_workload(pod);
  for (const IpAddress& address : workload->addresses) {
    if (!may_dial(address, pod.meta, {})) continue;
    for (const config::ServiceEntryPort& port : entry.ports)
      if (ServicePort* target = port_for(port))
        target->endpoints.push_back(
            {address, port.target_port != 0 ? port.target_port : port.number, 1, pod.ready, workload});
  }
}

bool EndpointCollector::may_dial(const IpAddress& address, const config::Metadata& meta, config::Position at) {
  const char* why = nullptr;
  if (address.is_unspecified() || address == IpAddress::from_v4(0)) why = "the unspecified address";
  if (address.is_multicast() || address == IpAddress::from_v4(0xffffffffU)) why = "no unicast address";
  if (address.is_link_local()) why = "a link-local address, where metadata services live";
  if (address.is_loopback() && !loopback_allowed_) why = "a loopback address, and the service's own is not";
  if (!why) return true;
  built_.conditions.push_back(finding(config::Level::kWarning, code::kBadEndpointAddress, meta, at,
                                      "endpoint " + address.to_string() + " is left out: it is " + why));
  return false;
}

/// Sorts, and leaves each address and port once: healthy if any mention of it is, with the labels of the mention that
/// has a pod.
void EndpointCollector::tidy() {
  const auto rank = [](const Endpoint& endpoint) {
    return std::make_tuple(endpoint.address, endpoint.port, endpoint.workload->name.empty(), !endpoint.healthy);
  };
  for (ServicePort& port : service_.ports) {
    auto& endpoints = port.endpoints;
    std::stable_sort(endpoints.begin(), endpoints.end(),
                     [&](const Endpoint& a, const Endpoint& b) { return rank(a) < rank(b); });
    std::vector<Endpoint> unique;
    unique.reserve(endpoints.size());
    for (Endpoint& endpoint : endpoints) {
      if (!unique.empty() && unique.back().address == endpoint.address && unique.back().port == endpoint.port) {
        unique.back().healthy |= endpoint.healthy;
        unique.back().weight = std::max(unique.back().weight, endpoint.weight);
      } else {
        unique.push_back(std::move(endpoint));
      }
    }
    endpoints = std::move(unique);
  }
}

}  // namespace weir::routing
