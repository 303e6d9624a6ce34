#include "agent/views/observed.h"

#include <algorithm>
#include <chrono>
#include <unordered_set>

#include "agent/node/background.h"
#include "agent/views/plan_changes.h"
#include "datapath/datapath.h"

namespace weir::agent {
namespace {

bool same_shares(const routing::PlanSplit& a, const routing::PlanSplit& b) {
  return std::equal(a.destinations.begin(), a.destinations.end(), b.destinations.begin(), b.destinations.end(),
                    [](const auto& x, const auto& y) {
                      return x.host == y.host && x.port == y.port && x.subset == y.subset && x.weight == y.weight;
                    });
}

void collect(const routing::ServicePlan* before, const routing::ServicePlan& after, std::vector<uint64_t>& changed) {
  for (const auto& split : after.splits) {
    const routing::PlanSplit* old = nullptr;
    if (before != nullptr)
      for (const auto& candidate : before->splits)
        if (candidate.name == split.name) old = &candidate;
    if (old == nullptr || !same_shares(*old, split)) changed.push_back(datapath::split_key(split.name));
  }
}

}  // namespace

std::vector<uint64_t> changed_splits(const routing::Plan* before, const routing::Plan& after) {
  std::vector<uint64_t> changed;
  for_each_changed(before, after, [&changed](const routing::ServicePlan* old, const routing::ServicePlan& now) {
    collect(old, now, changed);
  });
  return changed;
}

void Observed::begin(const datapath::MapsView& maps) {
  const std::lock_guard lock(mutex_);
  base_.clear();
  for (const auto& split : maps.splits)
    for (const auto& destination : split.destinations) base_[{split.key, destination.key}] = destination.counts.picked;
}

void Observed::restart_changed(const routing::Plan* before, const routing::Plan& after,
                               const datapath::MapsView& maps) {
  const auto keys = changed_splits(before, after);
  const std::unordered_set<uint64_t> changed(keys.begin(), keys.end());
  const std::lock_guard lock(mutex_);
  for (const auto& split : maps.splits)
    if (changed.contains(split.key))
      for (const auto& destination : split.destinations)
        base_[{split.key, destination.key}] = destination.counts.picked;
}

void Observed::restart_later(std::shared_ptr<const routing::Plan> before, std::shared_ptr<const routing::Plan> after,
                             std::string bpffs_dir) {
  const std::lock_guard lock(work_mutex_);
  if (!after_) before_ = std::move(before);
  after_ = std::move(after);
  if (!thread_.joinable()) thread_ = std::thread([this, dir = std::move(bpffs_dir)] { work(dir); });
  wake_.notify_all();
}

void Observed::work(const std::string& bpffs_dir) {
  constexpr auto kRest = std::chrono::seconds(1);
  lower_priority();  // the loop must be free for the next change
  std::unique_lock lock(work_mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || after_; });
    if (stopping_) return;
    const auto before = std::move(before_);
    const auto after = std::move(after_);
    lock.unlock();
    if (const auto maps = datapath::read_maps(bpffs_dir)) restart_changed(before.get(), *after, *maps);
    lock.lock();
    // Reading 10'000 services takes a while: not once a change.
    wake_.wait_for(lock, kRest, [this] { return stopping_; });
  }
}

Observed::~Observed() {
  {
    const std::lock_guard lock(work_mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

uint64_t Observed::since(uint64_t split, uint32_t destination, uint64_t total) const {
  const std::lock_guard lock(mutex_);
  const auto found = base_.find({split, destination});
  // Below its base: the counter was made anew.
  if (found == base_.end() || found->second > total) return total;
  return total - found->second;
}

}  // namespace weir::agent
