#pragma once
// What a TableBuilder remembers between updates. An update goes through the same steps whether everything is new or one
// object changed: file the objects, compile what they touch, plan the hosts that hang on it, publish.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "config/store.h"
#include "routing/build/client_classes.h"
#include "routing/build/gateway_api.h"
#include "routing/build/objects.h"
#include "routing/build/table_builder.h"
#include "routing/plan/service.h"
#include "routing/table.h"

namespace weir::routing {

struct TableBuilder::State {
 public:
  explicit State(BuildOptions options);

  std::shared_ptr<const Table> update(const config::MeshConfig& mesh, const config::Delta& delta);
  void set_local_pods(std::vector<NodePod> pods);
  void set_outside(Outside outside);
  void set_resolved_names(ResolvedNames names);

 private:
  using Keys = std::set<std::string, std::less<>>;
  using Workloads = TextMap<std::unordered_set<config::ObjectPtr>>;  // by namespace

  /// Keys of what the current update must compile again.
  struct Dirty {
    std::vector<std::string> pods;  // a key may come twice; there are too many of them for a set
    Keys services, rules, destination_rules, gateways;
    /// Hosts whose plans, and plans that hang on them, must be made again; wildcards stand for all that they match.
    Keys hosts;
    std::set<std::string> wildcards;
    bool wildcard_rules = false;
    bool listeners = false;  // of the Gateway API's Gateways
    bool all_plans = false;
  };

  // Filing (build_table_state.cpp).
  void start_again(const config::MeshConfig& mesh);
  void file(const config::ObjectPtr& object, bool add);
  void file_in(ObjectIndex& index, std::string_view key, const config::ObjectPtr& object, bool add);
  void file_in(Workloads& workloads, std::string_view namespace_, const config::ObjectPtr& object, bool add);
  void mark_selecting_services(std::string_view namespace_);
  void file_service_entry(const config::ServiceEntry& entry, const config::ObjectPtr& object, bool add);
  void file_workload(const std::string& namespace_, const config::ObjectPtr& object, bool add);
  void mark_services_of_workload(const config::WorkloadEntry& workload);
  void file_pod(const config::Pod& pod, const config::ObjectPtr& object, bool add);

  // Compiling (build_table_compile.cpp). Each takes its keys from dirty_ and marks what hangs on them.
  void compile_pods();
  void claim_address(const std::string& address, const std::string& pod_key,
                     const std::shared_ptr<const Workload>& pod);
  void mark_services_of_pod(std::string_view key);
  [[nodiscard]] static std::vector<config::ObjectPtr> sorted_workloads(const Workloads& workloads,
                                                                       std::string_view namespace_);
  void compile_services();
  void compile_service(const std::string& key);
  void place_service(const ServicePtr& before, const ServicePtr& after);
  void place_at_addresses(const ServicePtr& before, const ServicePtr& after);
  void use_names(const std::string& service_key, std::vector<std::string> names);
  void publish_names();
  void use_pods(const std::string& service_key, std::vector<std::string> pods);
  void compile_rules();
  void replace_rules(const RuleSetPtr& before, const RuleSetPtr& after);
  void place_rule(const RuleSetPtr& before, const RuleSetPtr& after);
  void compile_gateway_api();
  void compile_destination_rules();
  void compile_gateways();
  void sort_wildcards();
  void mark_host(const std::string& host);
  /// One more, or one less, that goes by these labels of clients.
  void count_labels(const config::Labels& labels, bool add);
  void count_labels(const RuleSet& rules, bool add);
  void publish_named_labels();
  void set_conditions(const std::string& key, config::Diagnostics conditions);

  // Planning (build_table_plan.cpp).
  void make_plans();
  [[nodiscard]] Keys affected_hosts(bool other_classes) const;
  void replace_plan(const std::string& host, HostPlan plan);
  void make_gateway_ports();
  void publish_plan(const Keys& hosts);

  BuildOptions options_;
  bool started_ = false;
  uint64_t generation_ = 0;
  Table table_;  // the working copy: published by copying
  Dirty dirty_;
  ClientClasses classes_;

  // The user's objects.
  std::unordered_map<const config::AnyObject*, config::ObjectPtr> objects_;
  ObjectIndex services_;            // by service key: "namespace/host"
  ObjectIndex slices_, endpoints_;  // by service key
  ObjectIndex entries_;             // by service key, a ServiceEntry once a host
  Workloads workloads_;             // WorkloadEntries and Pods, by namespace
  Workloads machines_;              // WorkloadEntries alone
  ObjectIndex rules_;               // by "namespace/name"
  ObjectIndex destination_rules_;   // by "namespace/host"
  ObjectIndex gateways_, pods_;     // by "namespace/name"
  GatewayApi gateway_api_;

  // What hangs on what.
  TextMap<Keys> contested_addresses_;               // address that several pods claim -> their keys
  TextMap<std::vector<uint32_t>> services_of_pod_;  // pod key or "@address" -> numbers of services
  TextMap<uint32_t> service_numbers_;               // service key -> its number, never reused
  std::vector<std::string> service_keys_;           // by number
  TextMap<std::vector<std::string>> pods_of_service_;
  TextMap<Keys> selecting_services_;  // namespace -> keys of ServiceEntries with a workloadSelector
  TextMap<Keys> services_in_;         // namespace -> keys of Services with a selector
  ResolvedNames resolved_names_;
  TextMap<std::vector<std::string>> names_of_service_;  // service key -> what its endpoints are called
  std::map<std::string, Keys, std::less<>> services_of_name_;
  bool names_changed_ = false;  // a name came or went
  TextMap<RuleSetPtr> compiled_rules_;
  TextMap<Keys> roots_of_delegate_;  // delegate key -> rule keys
  TextMap<std::vector<std::string>> delegates_of_rule_;
  std::map<std::string, size_t> label_uses_;
  bool labels_changed_ = false;
  TextMap<Keys> plans_on_host_;  // host -> hosts whose plans hang on it
  struct KeptPlan {
    std::vector<std::shared_ptr<const ServicePlan>> services;
    std::vector<std::string> hosts;
    std::vector<uint32_t> sources;
    bool depends_on_sources = false;
  };
  TextMap<KeptPlan> plans_;
  std::unordered_map<uint32_t, size_t> source_uses_;
  std::vector<std::shared_ptr<const ServicePlan>> planned_;  // sorted by (service, port)
  std::vector<PlanGatewayPort> gateway_ports_;
};

}  // namespace weir::routing
