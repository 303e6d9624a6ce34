// What the agent says in its log.

#include <fmt/format.h>

#include <algorithm>

#include "agent/agent.h"

namespace weir::agent {
namespace {

constexpr size_t kMostServiceLines = 50;
constexpr size_t kMostConditionLines = 50;
constexpr size_t kMostErrorLines = 10;

std::string path_line(const routing::ServicePlan& plan) {
  switch (plan.path) {
    case routing::Path::kKernel:
      return fmt::format("{}:{}: split in the kernel ({})", plan.service, plan.port, plan.reason);
    case routing::Path::kProxy:
      return fmt::format("{}:{}: needs the proxy ({}); its default route is split per connection", plan.service,
                         plan.port, plan.reason);
    case routing::Path::kNone:
      break;
  }
  return fmt::format("{}:{}: left alone ({})", plan.service, plan.port, plan.reason);
}

}  // namespace

void Agent::log_start() {
  spdlog::info("weir {} on {}: reading {}, maps below {}", WEIR_VERSION, options_.node, options_.config_dir,
               options_.bpffs_dir);
}

void Agent::log_outcome(const Outcome& outcome) {
  const State& state = reconciler_->state();
  if (outcome.what == Outcome::What::kUnchanged) {
    if (outcome.recovered) spdlog::info("the folder is in order again; generation {} goes on", state.generation);
    return;
  }
  if (outcome.what == Outcome::What::kRefused) {
    if (!outcome.news) return;
    const std::string goes_on = state.table            ? fmt::format("generation {} goes on", state.generation)
                                : datapath_->adopted() ? std::string("what an earlier agent left in the maps goes on")
                                                       : std::string("nothing is split yet");
    spdlog::error("configuration refused: {}; {}", printable(state.trouble->summary), goes_on);
    const auto& errors = state.trouble->errors;
    for (size_t i = 1; i < std::min(errors.size(), kMostErrorLines); ++i)
      spdlog::error("configuration refused: {}", config::to_text(errors[i]));
    return;
  }
  const auto& report = state.report;
  spdlog::info(
      "generation {} in the kernel: {} services, {} writes ({} frontends, {} splits, {} endpoints, {} deletions); "
      "debounce {:.1f} ms, then {:.1f} ms (read {:.1f}, build {:.1f}, apply {:.1f})",
      state.generation, state.table->plan->services.size(), report.operations, report.frontends, report.splits,
      report.endpoints, report.deletions, state.timing.debounce_ms, state.timing.event_to_kernel_ms,
      state.timing.read_ms, state.timing.build_ms, state.timing.apply_ms);
  for (const auto& warning : report.warnings) spdlog::warn("{}", printable(warning));
  log_paths(outcome.before ? outcome.before->plan.get() : nullptr, *state.table->plan);
  log_conditions(outcome.before.get(), *state.table);
}

void Agent::log_paths(const routing::Plan* before, const routing::Plan& after) {
  const auto order = [](const auto& a, const auto& b) {
    return std::tie(a->service, a->port) < std::tie(b->service, b->port);
  };
  size_t lines = 0, more = 0;
  for (const auto& service : after.services) {
    if (before != nullptr) {
      const auto old = std::lower_bound(before->services.begin(), before->services.end(), service, order);
      if (old != before->services.end() && !order(service, *old) && (*old)->path == service->path &&
          (*old)->reason == service->reason)
        continue;
    }
    if (lines < kMostServiceLines) {
      ++lines;
      spdlog::info("{}", printable(path_line(*service)));
    } else {
      ++more;
    }
  }
  if (more > 0) spdlog::info("and {} services more (weir get services lists them)", more);
}

void Agent::log_conditions(const routing::Table* before, const routing::Table& after) {
  size_t lines = 0, more = 0;
  after.condition_groups.for_each([&](std::string_view key, const auto& group) {
    if (before != nullptr && before->condition_groups.find(key) == group) return;
    for (const auto& condition : *group) {
      if (condition.level == config::Level::kInfo) continue;
      if (lines++ < kMostConditionLines)
        spdlog::warn("{}", config::to_text(condition));
      else
        ++more;
    }
  });
  if (more > 0) spdlog::warn("and {} more (weir analyze {} lists them)", more, options_.config_dir);
}

}  // namespace weir::agent
