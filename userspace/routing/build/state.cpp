#include "routing/build/state.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "routing/build/endpoints.h"
#include "routing/build/services.h"
#include "routing/hosts.h"

namespace weir::routing {

TableBuilder::State::State(BuildOptions options) : options_(std::move(options)) {
  table_.node = options_.node;
}

namespace {

bool same(const config::MeshConfig& a, const config::MeshConfig& b) {
  return std::tie(a.cluster_domain, a.root_namespace, a.outbound_traffic_policy, a.path_normalization) ==
         std::tie(b.cluster_domain, b.root_namespace, b.outbound_traffic_policy, b.path_normalization);
}

}  // namespace

std::shared_ptr<const Table> TableBuilder::State::update(const config::MeshConfig& mesh, const config::Delta& delta) {
  if (!started_ || !same(mesh, table_.mesh)) start_again(mesh);
  objects_.reserve(objects_.size() + delta.added.size());
  for (const config::ObjectPtr& object : delta.removed) file(object, false);
  for (const config::ObjectPtr& object : delta.added) file(object, true);
  compile_pods();
  compile_services();
  compile_rules();
  compile_destination_rules();
  compile_gateways();
  compile_gateway_api();
  publish_named_labels();
  publish_names();
  make_plans();
  dirty_ = {};
  return std::make_shared<const Table>(table_);
}

void TableBuilder::State::set_local_pods(std::vector<NodePod> pods) {
  classes_.set_pods(std::move(pods));
}

void TableBuilder::State::set_outside(Outside outside) {
  if (table_.outside && *table_.outside == outside) return;
  table_.outside = std::make_shared<const Outside>(std::move(outside));
  dirty_.all_plans = true;
}

void TableBuilder::State::set_resolved_names(ResolvedNames names) {
  const auto mark = [&](const std::string& name) {
    const auto users = services_of_name_.find(name);
    if (users != services_of_name_.end()) dirty_.services.insert(users->second.begin(), users->second.end());
  };
  for (const auto& [name, addresses] : names) {
    const auto before = resolved_names_.find(name);
    if (before == resolved_names_.end() || before->second != addresses) mark(name);
  }
  for (const auto& [name, addresses] : resolved_names_)
    if (!names.contains(name)) mark(name);
  resolved_names_ = std::move(names);
}

/// Mesh settings change what names mean, so everything is compiled anew.
void TableBuilder::State::start_again(const config::MeshConfig& mesh) {
  State fresh(options_);
  fresh.started_ = true;
  fresh.generation_ = generation_;
  fresh.classes_.set_pods(classes_.pods());
  fresh.resolved_names_ = std::move(resolved_names_);
  fresh.table_.mesh = mesh;
  fresh.table_.outside = table_.outside;
  for (const auto& [address, object] : objects_) fresh.file(object, true);
  *this = std::move(fresh);
}

void TableBuilder::State::file_in(ObjectIndex& index, std::string_view key, const config::ObjectPtr& object, bool add) {
  if (add) {
    index.add(key, object);
  } else {
    index.remove(key, object);
  }
}

void TableBuilder::State::file_in(Workloads& workloads, std::string_view namespace_, const config::ObjectPtr& object,
                                  bool add) {
  auto& list = workloads[std::string(namespace_)];
  if (add) {
    list.insert(object);
  } else {
    list.erase(object);
  }
}

void TableBuilder::State::file(const config::ObjectPtr& object, bool add) {
  if (add == objects_.contains(object.get())) return;
  if (add) {
    objects_.emplace(object.get(), object);
  } else {
    objects_.erase(object.get());
  }
  const config::Metadata& meta = config::metadata(*object);
  const std::string& domain = table_.mesh.cluster_domain;
  const auto service_key = [&](const std::string& name) {
    return key_of(meta.namespace_, service_host(to_lower(name), meta.namespace_, domain));
  };
  const auto file_service_part = [&](ObjectIndex& index, const std::string& name) {
    const std::string key = service_key(name);
    file_in(index, key, object, add);
    dirty_.services.insert(key);
  };
  if (const auto* slice = std::get_if<config::EndpointSlice>(object.get())) {
    file_service_part(slices_, slice->service_name);
  } else if (const auto* service = std::get_if<config::Service>(object.get())) {
    file_service_part(services_, meta.name);
    // Left in when the Service goes, as with selecting_services_.
    if (add && !service->selector.empty()) services_in_[meta.namespace_].insert(service_key(meta.name));
  } else if (std::holds_alternative<config::Endpoints>(*object)) {
    file_service_part(endpoints_, meta.name);
  } else if (const auto* pod = std::get_if<config::Pod>(object.get())) {
    file_pod(*pod, object, add);
  } else if (const auto* workload = std::get_if<config::WorkloadEntry>(object.get())) {
    file_workload(meta.namespace_, object, add);
    file_in(machines_, meta.namespace_, object, add);
    mark_services_of_workload(*workload);
  } else if (const auto* entry = std::get_if<config::ServiceEntry>(object.get())) {
    file_service_entry(*entry, object, add);
  } else if (std::holds_alternative<config::VirtualService>(*object)) {
    file_in(rules_, key_of(meta), object, add);
    dirty_.rules.insert(key_of(meta));
  } else if (const auto* rule = std::get_if<config::DestinationRule>(object.get())) {
    const std::string key = key_of(meta.namespace_, full_host(rule->host.value, meta.namespace_, domain));
    file_in(destination_rules_, key, object, add);
    dirty_.destination_rules.insert(key);
  } else if (std::holds_alternative<config::Gateway>(*object)) {
    file_in(gateways_, key_of(meta), object, add);
    dirty_.gateways.insert(key_of(meta));
  } else if (std::holds_alternative<config::Namespace>(*object)) {
    gateway_api_.file_namespace(object, add);
  } else {
    gateway_api_.file(object, add);
  }
}

void TableBuilder::State::file_service_entry(const config::ServiceEntry& entry, const config::ObjectPtr& object,
                                             bool add) {
  Keys keys;
  for (const auto& host : entry.hosts) keys.insert(key_of(entry.meta.namespace_, to_lower(host.value)));
  for (const std::string& key : keys) {
    file_in(entries_, key, object, add);
    dirty_.services.insert(key);
    if (!entry.workload_selector) continue;
    // Left in when the entry goes: compiling a service once too often does no harm, and another entry of the host may
    // select too.
    if (add) selecting_services_[entry.meta.namespace_].insert(key);
  }
}

void TableBuilder::State::file_pod(const config::Pod& pod, const config::ObjectPtr& object, bool add) {
  const std::string key = key_of(pod.meta);
  file_in(pods_, key, object, add);
  file_workload(pod.meta.namespace_, object, add);
  dirty_.pods.push_back(key);
}

void TableBuilder::State::file_workload(const std::string& namespace_, const config::ObjectPtr& object, bool add) {
  file_in(workloads_, namespace_, object, add);
  mark_selecting_services(namespace_);
}

void TableBuilder::State::mark_services_of_workload(const config::WorkloadEntry& workload) {
  const auto found = services_in_.find(workload.meta.namespace_);
  if (found == services_in_.end()) return;
  const config::Labels labels = labels_of(workload);
  for (const std::string& key : found->second)
    if (const config::ObjectPtr service = services_.first(key))
      if (selects(std::get<config::Service>(*service).selector, labels)) dirty_.services.insert(key);
}

void TableBuilder::State::mark_selecting_services(std::string_view namespace_) {
  const auto found = selecting_services_.find(namespace_);
  if (found != selecting_services_.end()) dirty_.services.insert(found->second.begin(), found->second.end());
}

}  // namespace weir::routing
