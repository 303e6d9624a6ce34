#pragma once
// All objects by the names under which others refer to them. For analysis*.cpp only; lives as long as one analyze().

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "config/labels.h"
#include "config/model.h"

namespace weir::config::analysis {

/// Something that serves a host: a Service, or one host of a ServiceEntry.
struct Host {
  const Metadata* meta = nullptr;
  const Service* service = nullptr;  // or
  const ServiceEntry* entry = nullptr;
  std::vector<std::string> visible_in;  // namespaces; empty: all
  [[nodiscard]] bool visible_from(std::string_view namespace_) const;
  [[nodiscard]] std::vector<uint16_t> ports() const;
};

/// Pods and workloads by namespace and label.
class Workloads {
 public:
  void add(std::string_view namespace_, const Labels& labels);
  /// Is there one in `namespace_` that has all labels of both selectors? An empty selector is had by all.
  [[nodiscard]] bool any(std::string_view namespace_, const Labels& selector, const Labels& more) const;

 private:
  struct Space {
    std::vector<const Labels*> all;
    std::unordered_map<std::string, std::vector<const Labels*>> by_label;  // "key=value"
  };
  std::unordered_map<std::string, Space> spaces_;
};

struct Index {
  Index(const std::vector<ObjectPtr>& objects, const MeshConfig& mesh);

  const MeshConfig& mesh;
  std::vector<const VirtualService*> virtual_services;
  std::vector<const DestinationRule*> destination_rules;
  std::vector<const Gateway*> gateways;
  std::vector<const ServiceEntry*> service_entries;
  std::vector<const Service*> services;
  std::vector<const Pod*> pods;
  std::map<std::pair<std::string, std::string>, const Pod*> pod_by_name;               // by namespace and name
  std::unordered_map<std::string, const Gateway*> gateway_by_name;                     // "namespace/name"
  std::unordered_map<std::string, const gateway_api::Gateway*> api_gateway_by_name;    // the same of the Gateway API
  std::unordered_map<std::string, std::vector<const DestinationRule*>> rules_by_host;  // full host
  std::vector<std::pair<std::string, const DestinationRule*>> wildcard_rules;
  std::unordered_map<std::string, std::vector<const EndpointSlice*>> slices;  // "namespace/service"
  Workloads pods_by_label;
  Workloads entries_by_label;  // WorkloadEntries

  /// What `full` refers to, seen from `namespace_`; nullptr if nothing. ServiceEntry wildcards count.
  [[nodiscard]] const Host* find_host(std::string_view full, std::string_view namespace_) const;
  /// The same, seen from anywhere: for hints.
  [[nodiscard]] const Host* find_host_anywhere(std::string_view full) const;
  /// Is there any host that `wildcard` covers?
  [[nodiscard]] bool covers_any_host(std::string_view wildcard) const;

 private:
  void add(const Service& service);
  void add(const ServiceEntry& entry);
  void add(const DestinationRule& rule);

  std::unordered_map<std::string, std::vector<Host>> hosts_;
  std::vector<std::pair<std::string, Host>> wildcard_hosts_;
};

/// `namespace_` for ".", all for an empty list or "*". The result is empty for all.
std::vector<std::string> visible_namespaces(const std::vector<Located<std::string>>& export_to,
                                            const std::string& namespace_);

// One function a topic, each adding its findings.
void check_destinations(const Index& index, Diagnostics& out);
void check_gateways_of_virtual_services(const Index& index, Diagnostics& out);
void check_mesh_host_conflicts(const Index& index, Diagnostics& out);
void check_unreachable(const Index& index, Diagnostics& out);
void check_destination_rules(const Index& index, Diagnostics& out);
void check_service_ports(const Index& index, Diagnostics& out);
void check_service_entries(const Index& index, Diagnostics& out);
void check_gateways(const Index& index, Diagnostics& out);

/// A finding about `meta`'s object.
Diagnostic finding(Level level, const char* code, const Metadata& meta, Position at, std::string message,
                   std::string hint = {});

}  // namespace weir::config::analysis
