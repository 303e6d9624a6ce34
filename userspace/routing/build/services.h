#pragma once
// Services out of Kubernetes' objects and ServiceEntries. Only for build_table.

#include <string>
#include <vector>

#include "config/diagnostic.h"
#include "config/model.h"
#include "routing/build/table_builder.h"
#include "routing/shared_map.h"
#include "routing/table.h"

namespace weir::routing {

/// All that makes up one host in one namespace.
struct ServiceInput {
  std::string host, namespace_;
  config::ObjectPtr service;                      // null: only ServiceEntries
  std::vector<config::ObjectPtr> slices;          // EndpointSlices of the service
  config::ObjectPtr endpoints;                    // legacy Endpoints; counts only without slices
  std::vector<config::ObjectPtr> entries;         // ServiceEntries with that host, oldest first
  std::vector<config::ObjectPtr> workloads;       // WorkloadEntries and Pods of the namespace, for workloadSelector
  std::vector<config::ObjectPtr> machines;        // WorkloadEntries of the namespace, for a Service's selector
  const ResolvedNames* resolved_names = nullptr;  // null: none
  bool allow_loopback_endpoints = false;          // see BuildOptions
};

struct BuiltService {
  ServicePtr service;  // null: the input is empty
  /// Keys of the pods whose labels were asked for, found or not: "namespace/name" or "@address".
  std::vector<std::string> pods;
  /// What its endpoints are called, resolved or not: sorted, each once.
  std::vector<std::string> names;
  config::Diagnostics conditions;
};

BuiltService build_service(const ServiceInput& input, const SharedMap<Workload>& pods,
                           const SharedMap<Workload>& pods_at);

/// Whether a pod can be named by its address: it has one of its own and has not ended.
[[nodiscard]] bool owns_its_address(const config::Pod& pod);
std::shared_ptr<const Workload> build_workload(const config::Pod& pod);

}  // namespace weir::routing
