// Names of endpoints: the table says which are wanted, the resolver what they stand for, and that makes a new table.

#include "agent/agent.h"

namespace weir::agent {

Result<void> Agent::start_names() {
  auto made = NameResolver::create({.servers = options_.dns_servers}, *loop_, [this] { on_names(); });
  if (!made) return std::move(made).error();
  names_ = std::move(*made);
  return {};
}

void Agent::follow_names() {
  const auto& wanted = reconciler_->state().table->endpoint_names;
  names_->want(wanted ? *wanted : std::vector<std::string>());
}

void Agent::on_names() {
  begun_ = due_ = Debounce::Clock::now();
  finish(reconciler_->set_resolved_names(names_->addresses()));
  publish();
}

}  // namespace weir::agent
