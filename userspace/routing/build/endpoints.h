#pragma once
// The endpoints of a service, out of EndpointSlices, Endpoints, ServiceEntries, WorkloadEntries and Pods. Only for
// build_table.

#include <map>
#include <memory>
#include <string>

#include "config/model.h"
#include "routing/build/services.h"
#include "routing/table.h"

namespace weir::routing {

/// Whether a selector that is not empty takes these labels.
[[nodiscard]] bool selects(const config::Labels& selector, const config::Labels& labels);
/// Those of the object and of its spec, which win.
[[nodiscard]] config::Labels labels_of(const config::WorkloadEntry& entry);

class EndpointCollector {
 public:
  /// Fills the endpoints of `service`'s ports and what `built` records; all outlive the collector.
  EndpointCollector(Service& service, const SharedMap<Workload>& pods, const SharedMap<Workload>& pods_at,
                    BuiltService& built);
  void collect(const ServiceInput& input);

 private:
  void take_slice(const config::EndpointSlice& slice);
  void take_endpoints(const config::Endpoints& endpoints);
  void take_address(const config::EndpointAddress& written, const std::vector<config::EndpointPort>& ports,
                    const config::Metadata& meta);
  void take_entry(const config::ServiceEntry& entry, const ServiceInput& input);
  void take_workload(const config::ServiceEntry& entry, const config::Workload& written, const config::Metadata& meta,
                     const std::shared_ptr<const Workload>& workload);
  /// False: none, and a condition says why.
  bool find_addresses(const config::ServiceEntry& entry, const config::Workload& written, const config::Metadata& meta,
                      std::vector<IpAddress>& addresses);
  bool resolve(const std::string& name, const config::Metadata& meta, config::Position at,
               std::vector<IpAddress>& addresses);
  void take_host(const config::ServiceEntry& entry);
  void add(const config::ServiceEntry& entry, const config::Workload& written, const std::vector<IpAddress>& addresses,
           const std::shared_ptr<const Workload>& workload);
  void take_machine(const config::Service& service, const config::WorkloadEntry& machine);
  void take_pod(const config::ServiceEntry& entry, const config::Pod& pod);
  std::shared_ptr<const Workload> workload_of(const config::EndpointAddress& written, const std::string& address,
                                              const config::Metadata& meta);
  /// False, with a condition, for addresses that must never be dialled (hardening P10).
  bool may_dial(const IpAddress& address, const config::Metadata& meta, config::Position at);
  ServicePort* port_for(const config::ServiceEntryPort& port);
  void tidy();

  Service& service_;
  const SharedMap<Workload>& pods_;
  const SharedMap<Workload>& pods_at_;
  BuiltService& built_;
  const ResolvedNames* resolved_names_ = nullptr;
  bool loopback_allowed_ = false;
};

}  // namespace weir::routing
