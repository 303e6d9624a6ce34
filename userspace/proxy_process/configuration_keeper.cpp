#include "proxy_process/configuration_keeper.h"

#include <set>

#include "base/hash.h"
#include "config/binary.h"

namespace weir::proxy_process {
namespace {

routing::BuildOptions build_options(const Configuration& configuration) {
  return {.all_services = configuration.all_services,
          .allow_loopback_endpoints = configuration.allow_loopback_endpoints,
          .gateways = configuration.gateways,
          .http_by_request = configuration.http_by_request,
          .node = configuration.node};
}

bool same(const routing::BuildOptions& a, const routing::BuildOptions& b) {
  return a.all_services == b.all_services && a.allow_loopback_endpoints == b.allow_loopback_endpoints &&
         a.http_by_request == b.http_by_request && a.gateways == b.gateways && a.node == b.node;
}

void append(config::Delta& all, config::Delta one) {
  all.removed.insert(all.removed.end(), one.removed.begin(), one.removed.end());
  all.added.insert(all.added.end(), one.added.begin(), one.added.end());
  all.mesh_changed = all.mesh_changed || one.mesh_changed;
}

std::vector<std::string> not_named(const config::Store& store, const Configuration& change) {
  std::set<std::string_view> named;
  for (const auto& file : change.files) named.insert(file.name);
  std::vector<std::string> gone;
  for (const auto& [name, file] : store.files())
    if (!named.contains(name)) gone.push_back(name);
  return gone;
}

std::vector<proxy::FrontendPort> frontend_ports(const std::vector<Port>& ports) {
  std::vector<proxy::FrontendPort> list;
  for (const auto& port : ports) list.push_back({port.port, port.frontend.address, port.frontend.port, port.outside});
  return list;
}

}  // namespace

Result<void> ConfigurationKeeper::update_files(const Configuration& change, config::Delta& delta) {
  for (const auto& file : change.files) {
    if (!file.objects) {
      kept_->hashes.erase(file.name);
      append(delta, kept_->store.remove(file.name));
      continue;
    }
    const uint64_t hash = hash64(*file.objects);
    const auto known = kept_->hashes.find(file.name);
    if (known != kept_->hashes.end() && known->second == hash) continue;
    auto read = config::from_binary(*file.objects);
    if (!read) return std::move(read).error().context("this build cannot use the objects of " + file.name);
    if (read->name != file.name) return Error{"the objects of " + file.name + " are of another file"};
    kept_->hashes[file.name] = hash;
    append(delta, kept_->store.set(std::move(*read)));
  }
  if (change.full) {
    for (const auto& name : not_named(kept_->store, change)) {
      kept_->hashes.erase(name);
      append(delta, kept_->store.remove(name));
    }
  }
  return {};
}

Result<std::shared_ptr<const proxy::Snapshot>> ConfigurationKeeper::take(const Configuration& change) {
  const auto options = build_options(change);
  if (!change.full && !kept_) return Error{"a change of a configuration that was never given", ENODATA};
  if (kept_ && !same(kept_->options, options)) {
    if (!change.full) return Error{"the options have changed: the whole configuration is needed", ENODATA};
    kept_.reset();
  }
  if (!kept_) kept_.emplace(Kept{{}, std::make_unique<routing::TableBuilder>(options), options, {}, nullptr});
  config::Delta delta;
  if (auto updated = update_files(change, delta); !updated) {
    kept_.reset();  // half of the change is in it
    return std::move(updated).error();
  }
  kept_->builder->set_resolved_names(change.resolved_names);
  auto table = kept_->builder->update(kept_->store.mesh(), delta);
  generation_ = change.generation;
  auto snapshot = proxy::make_snapshot(std::move(table), frontend_ports(change.ports), shared_, change.gateways,
                                       kept_->snapshot.get());
  kept_->snapshot = snapshot;
  return snapshot;
}

}  // namespace weir::proxy_process
