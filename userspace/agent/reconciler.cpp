#include "agent/reconciler.h"

#include <fmt/format.h>

#include <algorithm>

namespace weir::agent {
namespace {

double milliseconds_since(Reconciler::Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Reconciler::Clock::now() - start).count();
}

std::string summary_of(const config::Diagnostics& errors) {
  std::string text = config::to_text(errors.front());
  if (errors.size() > 1) text += fmt::format(" (and {} more)", errors.size() - 1);
  return text;
}

bool same(const Trouble& a, const Trouble& b) {
  return a.kind == b.kind && a.summary == b.summary && a.errors.size() == b.errors.size() &&
         std::equal(a.errors.begin(), a.errors.end(), b.errors.begin(),
                    [](const auto& x, const auto& y) { return config::to_text(x) == config::to_text(y); });
}

}  // namespace

std::string_view to_string(Trouble::Kind kind) {
  switch (kind) {
    case Trouble::Kind::kFolder:
      return "folder";
    case Trouble::Kind::kConfig:
      return "config";
    case Trouble::Kind::kKernel:
      return "kernel";
  }
  return "";
}

Reconciler::Reconciler(std::string folder, routing::BuildOptions options, Kernel& kernel, uint64_t first_generation)
    : folder_(std::move(folder)), builder_(options), kernel_(kernel), next_generation_(first_generation) {}

Outcome Reconciler::take(const FolderChange& change, const ConfigFolder::BeingWritten& being_written) {
  const auto start = Clock::now();
  const auto read = folder_.refresh(change, being_written);
  if (!read) return refuse(Trouble::Kind::kFolder, "folder cannot be read: " + read.error().message, {});
  state_.timing.read_ms = milliseconds_since(start);
  state_.files = folder_.store().files().size();
  state_.warnings = folder_.warnings();
  state_.objects = folder_.objects();
  if (auto errors = folder_.errors(); !errors.empty()) {
    std::string summary = summary_of(errors);
    return refuse(Trouble::Kind::kConfig, std::move(summary), std::move(errors));
  }
  // Nothing to do, unless the kernel has no configuration yet (an empty folder is one too).
  if (!folder_.has_delta() && state_.table && !refused_) {
    Outcome outcome;
    outcome.recovered = state_.trouble.has_value();
    state_.trouble.reset();
    return outcome;
  }
  return build_and_apply();
}

Outcome Reconciler::refuse(Trouble::Kind kind, std::string summary, config::Diagnostics errors) {
  Trouble trouble{kind, WallClock::now(), std::move(summary), std::move(errors)};
  Outcome outcome{Outcome::What::kRefused, state_.table, true, false};
  if (state_.trouble) {
    // "Since" is when the folder left the last good state, whatever the reasons were in the meantime.
    outcome.news = !same(*state_.trouble, trouble);
    trouble.since = state_.trouble->since;
  }
  state_.trouble = std::move(trouble);
  return outcome;
}

Outcome Reconciler::build_and_apply() {
  const auto start = Clock::now();
  auto delta = folder_.take_delta();
  files_.take(folder_.take_changed());
  if (pods_changed_) {
    std::vector<routing::NodePod> pods;
    for (const auto& pod : pods_) pods.push_back({pod.namespace_, pod.name, pod.address});
    builder_.set_local_pods(std::move(pods));
    pods_changed_ = false;
  }
  auto table = builder_.update(folder_.store().mesh(), delta);
  state_.timing.build_ms = milliseconds_since(start);
  return apply(std::move(table));
}

Outcome Reconciler::apply(std::shared_ptr<const routing::Table> table) {
  const auto start = Clock::now();
  routing::Plan plan = *table->plan;
  plan.generation = next_generation_;
  auto report = kernel_.apply(plan);
  if (!report) {
    refused_ = std::move(table);
    return refuse(Trouble::Kind::kKernel, report.error().message, {});
  }
  refused_.reset();
  if (auto told = apply_sources(plan); !told)
    report->warnings.push_back("rules by source do not hold: " + told.error().message);
  Outcome outcome{Outcome::What::kApplied, state_.table, false, state_.trouble.has_value()};
  state_.trouble.reset();
  state_.table = std::move(table);
  state_.generation = report->generation;
  next_generation_ = std::max(next_generation_, report->generation) + 1;
  state_.applied_at = WallClock::now();
  state_.report = std::move(*report);
  state_.timing.apply_ms = milliseconds_since(start);
  return outcome;
}

Result<void> Reconciler::apply_sources(const routing::Plan& plan) {
  std::vector<datapath::SourceEntry> entries;
  std::map<IpAddress, const LocalPod*> by_address;
  for (const LocalPod& pod : pods_) by_address.emplace(pod.address, &pod);
  for (const auto& source : plan.sources) {
    const auto pod = by_address.find(source.pod.address);
    if (pod != by_address.end()) entries.push_back({pod->second->netns_cookie, source.id});
  }
  const auto equal = [](const auto& a, const auto& b) {
    return a.netns_cookie == b.netns_cookie && a.source == b.source;
  };
  if (std::equal(entries.begin(), entries.end(), sources_.begin(), sources_.end(), equal)) return {};
  WEIR_TRY(kernel_.set_sources(entries));
  sources_ = std::move(entries);
  return {};
}

Outcome Reconciler::set_local_pods(std::vector<LocalPod> pods) {
  std::ranges::sort(pods);
  if (pods == pods_) return {};
  pods_ = std::move(pods);
  pods_changed_ = true;
  // While the folder is not usable, its objects must not slip in; the next good state takes the pods up.
  if (!state_.table || state_.trouble) return {};
  return build_and_apply();
}

Outcome Reconciler::set_outside(routing::Outside outside) {
  if (outside_ == outside) return {};
  outside_ = std::move(outside);
  builder_.set_outside(*outside_);
  if (!state_.table || state_.trouble) return {};
  return build_and_apply();
}

/// Also while the folder is not usable: the last good configuration goes on, and follows its names.
Outcome Reconciler::set_resolved_names(routing::ResolvedNames names) {
  if (names == resolved_names_) return {};
  resolved_names_ = names;
  builder_.set_resolved_names(std::move(names));
  if (!state_.table) return {};
  std::optional<Trouble> trouble;
  if (state_.trouble && state_.trouble->kind != Trouble::Kind::kKernel) trouble = state_.trouble;
  Outcome outcome = apply(builder_.update(state_.table->mesh, {}));
  if (trouble && outcome.what == Outcome::What::kApplied) {
    state_.trouble = std::move(trouble);
    outcome.recovered = false;
  }
  return outcome;
}

Outcome Reconciler::retry() {
  if (!refused_) return {};
  return apply(refused_);
}

}  // namespace weir::agent
