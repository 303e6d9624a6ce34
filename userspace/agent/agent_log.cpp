// What the agent says in its log.

#include <fmt/format.h>

#include <algorithm>

#include "agent/agent.h"
#include "agent/views/plan_changes.h"

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
      return fmt::format("{}:{}: split by the proxy ({})", plan.service, plan.port, plan.reason);
    case routing::Path::kNone:
      break;
  }
  return fmt::format("{}:{}: left alone ({})", plan.service, plan.port, plan.reason);
}

/// "v1 90 %, v2 10 %" of each split.
std::string shares_line(const routing::ServicePlan& plan) {
  std::string line;
  for (const auto& split : plan.splits) {
    const auto shares = routing::shares(split);
    for (size_t i = 0; i < shares.size(); ++i) {
      const auto& destination = split.destinations[i];
      line += fmt::format("{}{} {:.4g} %",
                          line.empty() ? ""
                          : i == 0     ? "; "
                                       : ", ",
                          destination.subset.empty() ? destination.host : destination.subset, shares[i] * 100);
    }
  }
  return fmt::format("{}:{}: {}", plan.service, plan.port, line);
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
  size_t lines = 0, more = 0;
  const auto say = [&](const std::string& line) {
    if (lines++ < kMostServiceLines)
      spdlog::info("{}", printable(line));
    else
      ++more;
  };
  for_each_changed(before, after, [&say](const routing::ServicePlan* old, const routing::ServicePlan& now) {
    if (old == nullptr || old->path != now.path || old->reason != now.reason) say(path_line(now));
    if (old != nullptr && shares_line(*old) != shares_line(now)) say(shares_line(now));
  });
  if (more > 0) spdlog::info("and {} lines more (weir get services, weir get splits)", more);
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
