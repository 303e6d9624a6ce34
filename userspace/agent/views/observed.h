#pragma once
// What share each destination really got since its split last changed. The kernel's counters only grow; this remembers
// where they stood.

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "datapath/maps_view.h"
#include "routing/plan/plan.h"

namespace weir::agent {

/// Any thread.
class Observed {
 public:
  Observed() = default;
  ~Observed();
  Observed(const Observed&) = delete;
  Observed& operator=(const Observed&) = delete;

  /// Counting of every split begins at what `maps` say now (the agent has just started).
  void begin(const datapath::MapsView& maps);
  /// Counting begins anew for splits of `after` whose destinations or weights are not those of `before` (may be null).
  void restart_changed(const routing::Plan* before, const routing::Plan& after, const datapath::MapsView& maps);

  /// The same, on a thread of its own that reads the maps pinned below `bpffs_dir`; several calls in a short time
  /// become one.
  void restart_later(std::shared_ptr<const routing::Plan> before, std::shared_ptr<const routing::Plan> after,
                     std::string bpffs_dir);

  /// Connections picked since then. `total`: what the counter says.
  [[nodiscard]] uint64_t since(uint64_t split, uint32_t destination, uint64_t total) const;

 private:
  using Key = std::pair<uint64_t, uint32_t>;  // split_key, destination_key
  mutable std::mutex mutex_;
  std::map<Key, uint64_t> base_;

  // restart_later()
  void work(const std::string& bpffs_dir);
  std::mutex work_mutex_;
  std::condition_variable wake_;
  std::shared_ptr<const routing::Plan> before_, after_;  // after_ null: nothing to do
  bool stopping_ = false;
  std::thread thread_;
};

/// Keys of the splits of `after` that `before` does not have, or has with other shares. In proportion to what changed.
std::vector<uint64_t> changed_splits(const routing::Plan* before, const routing::Plan& after);

}  // namespace weir::agent
