#include "config/analysis_index.h"

#include <algorithm>
#include <set>

#include "config/analysis.h"
#include "config/names.h"

namespace weir::config {

std::string full_host(std::string_view host, std::string_view namespace_, const MeshConfig& mesh) {
  std::string full = to_lower(host);
  if (full.ends_with('.')) full.pop_back();
  if (full.starts_with('*') || full.find('.') != std::string::npos || is_ip(full)) return full;
  return full + "." + std::string(namespace_) + ".svc." + mesh.cluster_domain;
}

namespace analysis {
namespace {

/// The annotation of Services, a list with commas.
std::vector<std::string> namespaces_of_annotation(const Service& service) {
  const auto annotation = service.meta.annotations.find("networking.istio.io/exportTo");
  if (annotation == service.meta.annotations.end()) return {};
  std::vector<Located<std::string>> names;
  std::string_view rest = annotation->second;
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    std::string_view name = rest.substr(0, comma);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (!name.empty()) names.push_back({std::string(name), {}});
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return analysis::visible_namespaces(names, service.meta.namespace_);
}

}  // namespace

std::vector<std::string> visible_namespaces(const std::vector<Located<std::string>>& export_to,
                                            const std::string& namespace_) {
  std::set<std::string> names;
  for (const auto& item : export_to) {
    if (item.value == "*") return {};
    names.insert(item.value == "." ? namespace_ : item.value);
  }
  return {names.begin(), names.end()};
}

bool Host::visible_from(std::string_view namespace_) const {
  return visible_in.empty() || std::find(visible_in.begin(), visible_in.end(), namespace_) != visible_in.end();
}

std::vector<uint16_t> Host::ports() const {
  std::vector<uint16_t> numbers;
  if (service != nullptr) {
    for (const ServicePort& port : service->ports) numbers.push_back(port.port);
  } else {
    for (const ServiceEntryPort& port : entry->ports) numbers.push_back(port.number);
  }
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

void Workloads::add(std::string_view namespace_, const Labels& labels) {
  Space& space = spaces_[std::string(namespace_)];
  space.all.push_back(&labels);
  for (const auto& [key, value] : labels) space.by_label[key + "=" + value].push_back(&labels);
}

bool Workloads::any(std::string_view namespace_, const Labels& selector, const Labels& more) const {
  const auto space = spaces_.find(std::string(namespace_));
  if (space == spaces_.end()) return false;
  const std::vector<const Labels*>* shortest = &space->second.all;
  for (const Labels* wanted : {&selector, &more}) {
    for (const auto& [key, value] : *wanted) {
      const auto list = space->second.by_label.find(key + "=" + value);
      if (list == space->second.by_label.end()) return false;
      if (list->second.size() < shortest->size()) shortest = &list->second;
    }
  }
  return std::any_of(shortest->begin(), shortest->end(),
                     [&](const Labels* labels) { return has_all(*labels, selector) && has_all(*labels, more); });
}

Index::Index(const std::vector<ObjectPtr>& objects, const MeshConfig& mesh_in) : mesh(mesh_in) {
  for (const ObjectPtr& object : objects) {
    if (const auto* service = std::get_if<Service>(object.get())) {
      add(*service);
    } else if (const auto* entry = std::get_if<ServiceEntry>(object.get())) {
      add(*entry);
    } else if (const auto* rule = std::get_if<DestinationRule>(object.get())) {
      add(*rule);
    } else if (const auto* virtual_service = std::get_if<VirtualService>(object.get())) {
      virtual_services.push_back(virtual_service);
    } else if (const auto* listeners = std::get_if<gateway_api::Gateway>(object.get())) {
      api_gateway_by_name[listeners->meta.namespace_ + "/" + listeners->meta.name] = listeners;
    } else if (const auto* gateway = std::get_if<Gateway>(object.get())) {
      gateways.push_back(gateway);
      gateway_by_name[gateway->meta.namespace_ + "/" + gateway->meta.name] = gateway;
    } else if (const auto* pod = std::get_if<Pod>(object.get())) {
      pods.push_back(pod);
      pod_by_name.emplace(std::pair(pod->meta.namespace_, pod->meta.name), pod);
      pods_by_label.add(pod->meta.namespace_, pod->meta.labels);
    } else if (const auto* workload = std::get_if<WorkloadEntry>(object.get())) {
      entries_by_label.add(workload->meta.namespace_, workload->workload.labels);
    } else if (const auto* slice = std::get_if<EndpointSlice>(object.get())) {
      slices[slice->meta.namespace_ + "/" + slice->service_name].push_back(slice);
    }
  }
}

void Index::add(const Service& service) {
  services.push_back(&service);
  hosts_[full_host(service.meta.name, service.meta.namespace_, mesh)].push_back(
      {&service.meta, &service, nullptr, namespaces_of_annotation(service)});
}

void Index::add(const ServiceEntry& entry) {
  service_entries.push_back(&entry);
  const auto visible = visible_namespaces(entry.export_to, entry.meta.namespace_);
  for (const auto& host : entry.hosts) {
    const std::string full = full_host(host.value, entry.meta.namespace_, mesh);
    const Host item{&entry.meta, nullptr, &entry, visible};
    if (full.starts_with('*')) {
      wildcard_hosts_.emplace_back(full, item);
    } else {
      hosts_[full].push_back(item);
    }
  }
}

void Index::add(const DestinationRule& rule) {
  destination_rules.push_back(&rule);
  const std::string full = full_host(rule.host.value, rule.meta.namespace_, mesh);
  if (full.starts_with('*')) {
    wildcard_rules.emplace_back(full, &rule);
  } else {
    rules_by_host[full].push_back(&rule);
  }
}

const Host* Index::find_host(std::string_view full, std::string_view namespace_) const {
  const auto exact = hosts_.find(std::string(full));
  if (exact != hosts_.end()) {
    for (const Host& host : exact->second) {
      if (host.visible_from(namespace_)) return &host;
    }
  }
  for (const auto& [wildcard, host] : wildcard_hosts_) {
    if (host.visible_from(namespace_) && host_covers(wildcard, full)) return &host;
  }
  return nullptr;
}

const Host* Index::find_host_anywhere(std::string_view full) const {
  const auto exact = hosts_.find(std::string(full));
  return exact == hosts_.end() ? nullptr : &exact->second.front();
}

bool Index::covers_any_host(std::string_view wildcard) const {
  if (wildcard == "*") return true;
  const bool exact =
      std::any_of(hosts_.begin(), hosts_.end(), [&](const auto& host) { return host_covers(wildcard, host.first); });
  return exact || std::any_of(wildcard_hosts_.begin(), wildcard_hosts_.end(),
                              [&](const auto& host) { return hosts_overlap(wildcard, host.first); });
}

Diagnostic finding(Level level, const char* code, const Metadata& meta, Position at, std::string message,
                   std::string hint) {
  return {level,          code, std::move(message), std::move(hint), meta.file, at.line > 0 ? at : meta.name_at,
          meta.describe()};
}

}  // namespace analysis

Diagnostics analyze(const std::vector<ObjectPtr>& objects, const MeshConfig& mesh) {
  const analysis::Index index(objects, mesh);
  Diagnostics found;
  analysis::check_destinations(index, found);
  analysis::check_gateways_of_virtual_services(index, found);
  analysis::check_mesh_host_conflicts(index, found);
  analysis::check_unreachable(index, found);
  analysis::check_destination_rules(index, found);
  analysis::check_service_ports(index, found);
  analysis::check_service_entries(index, found);
  analysis::check_gateways(index, found);
  std::stable_sort(found.begin(), found.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return a.file != b.file ? a.file < b.file : a.at < b.at;
  });
  return found;
}

}  // namespace weir::config
