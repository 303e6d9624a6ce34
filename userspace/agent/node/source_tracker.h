#pragma once
// Looks every other second which network namespaces this node has, on a thread of its own, and tells when that changed.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "agent/node/netns_scan.h"
#include "routing/table.h"

namespace weir::agent {

/// A pod of this node and the network namespace that it connects from.
struct LocalPod {
  std::string namespace_, name;
  IpAddress address;
  uint64_t netns_cookie = 0;
  auto operator<=>(const LocalPod&) const = default;
};

class SourceTracker {
 public:
  /// Called on the tracker's thread, with the first scan and with each that differs from the one before; an error ends
  /// the tracker.
  using Changed = std::function<void(Result<NetnsScan>)>;
  SourceTracker(std::chrono::milliseconds period, Changed changed);
  ~SourceTracker();

  /// Any thread. false: rests (no pod is known, so nobody can be told apart). true: looks at once, then periodically.
  void set_active(bool active);
  /// Looks at once: pods changed.
  void hurry();

 private:
  void run(std::chrono::milliseconds period);

  Changed changed_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool active_ = false, hurry_ = false, stopping_ = false;
  std::thread thread_;
};

/// The table's pods whose address is in one of the namespaces.
std::vector<LocalPod> local_pods(const routing::Table& table, const NetnsScan& scan);

}  // namespace weir::agent
