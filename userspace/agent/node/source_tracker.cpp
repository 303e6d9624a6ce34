#include "agent/node/source_tracker.h"

namespace weir::agent {

SourceTracker::SourceTracker(std::chrono::milliseconds period, Changed changed)
    : changed_(std::move(changed)), thread_([this, period] { run(period); }) {}

SourceTracker::~SourceTracker() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void SourceTracker::set_active(bool active) {
  const std::lock_guard lock(mutex_);
  if (active == active_) return;
  active_ = active;
  hurry_ = active;
  wake_.notify_all();
}

void SourceTracker::hurry() {
  const std::lock_guard lock(mutex_);
  hurry_ = true;
  wake_.notify_all();
}

void SourceTracker::run(std::chrono::milliseconds period) {
  std::optional<NetnsScan> last;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, period, [this] { return stopping_ || (active_ && hurry_); });
      if (stopping_) return;
      if (!active_) {
        last.reset();
        continue;
      }
      hurry_ = false;
    }
    auto scan = scan_network_namespaces();
    if (scan && last == *scan) continue;
    const bool failed = !scan;
    if (scan) last = *scan;
    changed_(std::move(scan));
    if (failed) return;
  }
}

std::vector<LocalPod> local_pods(const routing::Table& table, const NetnsScan& scan) {
  std::vector<LocalPod> pods;
  for (const auto& [address, cookie] : scan.cookie_of)
    if (const auto& pod = table.pods_at.find(address.to_string()))
      pods.push_back({pod->namespace_, pod->name, address, cookie});
  return pods;
}

}  // namespace weir::agent
