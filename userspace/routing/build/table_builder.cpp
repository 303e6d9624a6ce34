#include "routing/build/table_builder.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "routing/build/state.h"

namespace weir::routing {

TableBuilder::TableBuilder(BuildOptions options) : state_(std::make_unique<State>(options)) {}
TableBuilder::~TableBuilder() = default;
TableBuilder::TableBuilder(TableBuilder&&) noexcept = default;
TableBuilder& TableBuilder::operator=(TableBuilder&&) noexcept = default;

std::shared_ptr<const Table> TableBuilder::update(const config::MeshConfig& mesh, const config::Delta& delta) {
  return state_->update(mesh, delta);
}

void TableBuilder::set_local_pods(std::vector<NodePod> pods) {
  state_->set_local_pods(std::move(pods));
}

void TableBuilder::set_resolved_names(ResolvedNames names) {
  state_->set_resolved_names(std::move(names));
}

void TableBuilder::set_outside(Outside outside) {
  state_->set_outside(std::move(outside));
}

std::shared_ptr<const Table> build_table(const config::Store& store, const BuildOptions& options) {
  config::Delta delta;
  delta.added = store.objects();
  return TableBuilder(options).update(store.mesh(), delta);
}

}  // namespace weir::routing
