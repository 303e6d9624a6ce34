#include "routing/build/endpoints.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "config/codes.h"
#include "config/labels.h"
#include "routing/build/objects.h"
#include "routing/codes.h"
#include "routing/hosts.h"

namespace weir::routing {

namespace {

const std::shared_ptr<const Workload>& nobody() {
  static const auto kNobody = std::make_shared<const Workload>();
  return kNobody;
}

std::shared_ptr<const Workload> workload_of(const config::WorkloadEntry& entry) {
  auto workload = std::make_shared<Workload>();
  workload->namespace_ = entry.meta.namespace_;
  workload->name = entry.meta.name;
  workload->labels = labels_of(entry);
  workload->locality = entry.workload.locality;
  return workload;
}

std::string plain_name(const std::string& written) {
  std::string name = to_lower(written);
  if (name.ends_with('.')) name.pop_back();
  return name;
}

/// Of a WorkloadEntry that a Service selects. A named targetPort is one of the entry's; a number yields to the entry's
/// port of the service port's name (istiod serviceInstanceFromWorkloadInstance). 0: it has none.
uint16_t port_of(const config::ServicePort& port, const config::Workload& written) {
  const bool named = !port.target_port_name.empty();
  const auto own = written.ports.find(named ? port.target_port_name : port.name);
  if (own != written.ports.end()) return own->second;
  if (named) return 0;
  return port.target_port != 0 ? port.target_port : port.port;
}

}  // namespace

bool selects(const config::Labels& selector, const config::Labels& labels) {
  return !selector.empty() && config::has_all(labels, selector);
}

config::Labels labels_of(const config::WorkloadEntry& entry) {
  config::Labels labels = entry.workload.labels;
  labels.insert(entry.meta.labels.begin(), entry.meta.labels.end());
  return labels;
}

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
  for (const config::ObjectPtr& machine : input.machines)
    take_machine(std::get<config::Service>(*input.service), std::get<config::WorkloadEntry>(*machine));
  resolved_names_ = input.resolved_names;
  for (const config::ObjectPtr& entry : input.entries) take_entry(std::get<config::ServiceEntry>(*entry), input);
  tidy();
  std::sort(built_.names.begin(), built_.names.end());
  built_.names.erase(std::unique(built_.names.begin(), built_.names.end()), built_.names.end());
}

void EndpointCollector::take_slice(const config::EndpointSlice& slice) {
  if (slice.address_type == "FQDN") {
    built_.conditions.push_back(finding(config::Level::kWarning, config::code::kDnsResolution, slice.meta, {},
                                        "endpoints of address type FQDN are left out: Weir does not resolve names of "
                                        "EndpointSlices"));
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
  // Even if it still serves (istio-facts 25). Ready all the same: its Service publishes what is not ready.
  if (written.terminating && !written.ready) return;
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
  if (!entry.workload_selector) {
    if (entry.endpoints.empty()) take_host(entry);
    return;
  }
  for (const config::ObjectPtr& object : input.workloads) {
    if (const auto* pod = std::get_if<config::Pod>(object.get())) {
      if (selects(*entry.workload_selector, pod->meta.labels)) take_pod(entry, *pod);
    } else if (const auto* vm = std::get_if<config::WorkloadEntry>(object.get())) {
      const auto workload = routing::workload_of(*vm);
      if (selects(*entry.workload_selector, workload->labels)) take_workload(entry, vm->workload, vm->meta, workload);
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
  std::vector<IpAddress> addresses;
  if (find_addresses(entry, written, meta, addresses)) add(entry, written, addresses, workload);
}

bool EndpointCollector::find_addresses(const config::ServiceEntry& entry, const config::Workload& written,
                                       const config::Metadata& meta, std::vector<IpAddress>& addresses) {
  const std::string& text = written.address.value;
  if (const auto address = IpAddress::parse(text)) {
    if (may_dial(*address, meta, written.address.at)) addresses.push_back(*address);
    return !addresses.empty();
  }
  using Resolution = config::ServiceEntry::Resolution;
  const bool by_name =
      entry.resolution.value == Resolution::kDns || entry.resolution.value == Resolution::kDnsRoundRobin;
  const bool unix_path = text.starts_with("unix:");
  if (by_name && !unix_path && !text.empty()) return resolve(plain_name(text), meta, written.address.at, addresses);
  built_.conditions.push_back(
      finding(config::Level::kWarning, unix_path ? config::code::kUnixEndpoint : config::code::kDnsResolution, meta,
              written.address.at,
              "endpoint \"" + text + "\" is left out: " +
                  (unix_path ? "Weir splits TCP connections only" : "names are resolved for resolution DNS alone"),
              "an endpoint with an IP address"));
  return false;
}

bool EndpointCollector::resolve(const std::string& name, const config::Metadata& meta, config::Position at,
                                std::vector<IpAddress>& addresses) {
  built_.names.push_back(name);
  const auto found = resolved_names_ == nullptr ? ResolvedNames::const_iterator() : resolved_names_->find(name);
  if (resolved_names_ == nullptr || found == resolved_names_->end() || found->second.empty()) {
    built_.conditions.push_back(finding(config::Level::kInfo, config::code::kDnsResolution, meta, at,
                                        "endpoint \"" + name + "\" is not resolved: it gets nothing until it is"));
    return false;
  }
  for (const IpAddress& address : found->second)
    if (may_dial(address, meta, at)) addresses.push_back(address);
  return !addresses.empty();
}

/// Resolution DNS without endpoints: the host itself is what is looked up.
void EndpointCollector::take_host(const config::ServiceEntry& entry) {
  using Resolution = config::ServiceEntry::Resolution;
  if (entry.resolution.value != Resolution::kDns && entry.resolution.value != Resolution::kDnsRoundRobin) return;
  std::vector<IpAddress> addresses;
  if (resolve(service_.host, entry.meta, {}, addresses)) add(entry, {}, addresses, nobody());
}

void EndpointCollector::add(const config::ServiceEntry& entry, const config::Workload& written,
                            const std::vector<IpAddress>& addresses, const std::shared_ptr<const Workload>& workload) {
  for (const config::ServiceEntryPort& port : entry.ports) {
    ServicePort* target = port_for(port);
    if (!target) continue;
    uint16_t number = port.target_port != 0 ? port.target_port : port.number;
    if (const auto own = written.ports.find(port.name); own != written.ports.end()) number = own->second;
    for (const IpAddress& address : addresses)
      target->endpoints.push_back({address, number, std::max(written.weight, 1U), true, workload});
  }
}

void EndpointCollector::take_machine(const config::Service& service, const config::WorkloadEntry& machine) {
  if (!selects(service.selector, labels_of(machine))) return;
  const config::Located<std::string>& written = machine.workload.address;
  const auto address = IpAddress::parse(written.value);
  if (!address) {
    built_.conditions.push_back(
        finding(config::Level::kWarning, config::code::kDnsResolution, machine.meta, written.at,
                "endpoint \"" + written.value + "\" of Service " + service.meta.name +
                    " is left out: names are resolved for a ServiceEntry's resolution DNS alone",
                "an IP address"));
    return;
  }
  if (!may_dial(*address, machine.meta, written.at)) return;
  const auto workload = routing::workload_of(machine);
  for (const config::ServicePort& port : service.ports) {
    const uint16_t number = port_of(port, machine.workload);
    const auto same = [&](const ServicePort& own) { return own.number == port.port && own.name == port.name; };
    const auto target = std::find_if(service_.ports.begin(), service_.ports.end(), same);
    if (number != 0 && target != service_.ports.end())
      target->endpoints.push_back({*address, number, std::max(machine.workload.weight, 1U), true, workload});
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
