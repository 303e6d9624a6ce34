// What the agent looks at from time to time, whether something has happened or not.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "agent/agent.h"
#include "datapath/drift_check.h"
#include "datapath/live_sockets.h"

namespace weir::agent {
namespace {

using namespace std::chrono_literals;

constexpr auto kFolderCheckPeriod = 10s;
constexpr auto kLostFolderCheckPeriod = 500ms;
/// So often in a row a look may be spoilt by changes meanwhile before the loop has to stand still for it.
constexpr int kMostSpoiltLooks = 5;

/// Looks into every network namespace: not on the loop's thread.
Result<datapath::SweepReport> sweep_once(datapath::RecordSweep& sweep, const std::string& maps_dir) {
  const auto anything = sweep.begin(maps_dir);
  if (!anything) return anything.error();
  if (!*anything) return datapath::SweepReport{};
  const auto live = datapath::live_socket_cookies();
  if (!live) return live.error();
  return sweep.finish(*live);
}

}  // namespace

void Agent::schedule_folder_check() {
  folder_timer_->once(watcher_->present() ? kFolderCheckPeriod : kLostFolderCheckPeriod);
}

void Agent::check_watch() {
  const auto now = Debounce::Clock::now();
  watcher_->read_events(now);
  watcher_->check(now);
}

void Agent::on_folder_check() {
  check_watch();
  if (reconciler_->state().files <= kFew || !watcher_->present()) return compare_folder(nullptr);
  background_->run([this, path = options_.config_dir] {
    auto folder = Folder::open(path);
    auto entries = folder ? folder->list() : Result<std::vector<FolderEntry>>(folder.error());
    // What cannot be listed is for the loop to find out, and to say.
    FolderChange::Listing listing;
    if (entries) listing = std::make_shared<const std::vector<FolderEntry>>(*std::move(entries));
    loop_->post([this, listing] { compare_folder(listing); });
  });
}

/// Events get lost on some file systems (network, overlay): compares the stamps. Waits for nobody, and takes up what
/// the debounce still holds back.
void Agent::compare_folder(FolderChange::Listing listing) {
  begun_ = due_ = Debounce::Clock::now();
  if (const auto burst = debounce_.take()) begun_ = burst->first;
  debounce_timer_->cancel();
  watcher_->read_events(due_);
  auto change = watcher_->take();
  change.everything = true;
  change.listing = std::move(listing);
  take_change(change);
  publish();
  schedule_folder_check();
}

void Agent::on_reconcile() {
  save_cache(false);
  look_at_gateway();
  look_outside();
  begun_ = due_ = Debounce::Clock::now();
  finish(reconciler_->retry());
  const auto& table = reconciler_->state().table;
  if (!table || table->plan->services.size() <= kFew || spoilt_looks_ == kMostSpoiltLooks) {
    spoilt_looks_ = 0;
    return mend(datapath::Datapath::Look::kEverything);
  }
  if (std::exchange(looking_, true)) return;  // the one before takes longer than the interval
  background_->run([this, check = std::make_shared<const datapath::DriftCheck>(datapath_->drift_check())] {
    const auto nothing = check->finds_nothing();
    const bool sure = nothing && *nothing;
    loop_->post([this, sure, generation = check->generation] {
      looking_ = false;
      // What looks like drift may be what was applied meanwhile.
      const bool spoilt = !sure && generation != datapath_->generation();
      spoilt_looks_ = spoilt ? spoilt_looks_ + 1 : 0;
      using enum datapath::Datapath::Look;
      mend(sure || spoilt ? kAllButServices : kEverything);
    });
  });
}

void Agent::mend(datapath::Datapath::Look look) {
  if (auto report = datapath_->reconcile(look))
    note_drift(*report);
  else if (throttle_.admit("reconcile", Throttle::Clock::now()))
    spdlog::error("cannot look after the maps: {}", printable(report.error().message));
  publish();
}

void Agent::note_drift(const datapath::ReconcileReport& report) {
  constexpr size_t kMostLines = 10;
  for (const auto& hook : report.hooks) spdlog::warn("mended: {}", printable(hook));
  if (report.drift.empty() && report.hooks.empty()) return;
  auto& drift = reconciler_->state().drift;
  ++drift.times;
  drift.last = WallClock::now();
  drift.lines.assign(report.drift.begin(),
                     report.drift.begin() + static_cast<long>(std::min(report.drift.size(), kMostLines)));
  drift.lines.insert(drift.lines.end(), report.hooks.begin(), report.hooks.end());
  for (size_t i = 0; i < report.drift.size() && i < kMostLines; ++i)
    spdlog::warn("drift mended: {}", printable(report.drift[i]));
  if (report.drift.size() > kMostLines)
    spdlog::warn("drift mended: {} more elements were not as applied", report.drift.size() - kMostLines);
}

void Agent::on_sweep() {
  if (!attached_ || std::exchange(sweeping_, true)) return;
  background_->run([this, sweep = sweep_, maps = options_.bpffs_dir + "/maps"] {
    auto report = std::make_shared<const Result<datapath::SweepReport>>(sweep_once(*sweep, maps));
    loop_->post([this, report] {
      sweeping_ = false;
      note_sweep(*report);
      publish();
    });
  });
}

void Agent::note_sweep(const Result<datapath::SweepReport>& report) {
  Swept& swept = reconciler_->state().swept;
  const std::string trouble = report ? "" : report.error().message;
  if (trouble != swept.trouble && !trouble.empty())
    spdlog::warn("cannot look for records of sockets that are gone: {}", printable(trouble));
  swept.trouble = trouble;
  if (!report) return;
  ++swept.times;
  swept.records += report->records_removed;
  swept.proofs += report->proofs_removed;
  if (report->records_removed + report->proofs_removed > 0)
    spdlog::info("removed {} records and {} proofs of sockets that are gone", report->records_removed,
                 report->proofs_removed);
}

void Agent::on_hook_check() {
  if (!attached_) return;
  std::string found;
  for (const auto& hook : datapath_->status().hooks)
    if (hook.required && (!hook.attached || !hook.problem.empty()))
      found += fmt::format("{}{}: {}", found.empty() ? "" : "; ", hook.name,
                           hook.problem.empty() ? "not attached" : hook.problem);
  if (found == last_hook_problems_) return;
  last_hook_problems_ = found;
  if (found.empty())
    spdlog::info("all hooks are in order again");
  else
    spdlog::error("hooks: {}", printable(found));
}

}  // namespace weir::agent
