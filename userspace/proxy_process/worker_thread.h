#pragma once
// One thread with one loop and one worker of the request path. What others want of it is posted to its loop.

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"
#include "net/loop.h"
#include "proxy/options.h"
#include "proxy/snapshot.h"
#include "proxy/stats.h"

namespace weir::proxy {
class Worker;
}

namespace weir::proxy_process {

class WorkerThread {
 public:
  struct Setup {
    size_t number = 0;
    net::LoopKind loop = net::LoopKind::kAuto;
    proxy::Options options;
    int log_fd = -1;  // borrowed
    std::shared_ptr<const proxy::Snapshot> snapshot;
    std::vector<FileDescriptor> listeners;
  };
  /// Returns when the loop stands and accepts.
  static Result<std::unique_ptr<WorkerThread>> start(Setup setup);
  /// Ends the loop, whatever is under way, and the thread.
  ~WorkerThread();
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;

  // Any thread.
  void set_snapshot(std::shared_ptr<const proxy::Snapshot> snapshot);
  void drain(net::Duration patience);
  void run_in_loop(std::function<void()> work);
  /// Asks the loop for a sign of life; last_turn() tells when it gave the last one.
  void probe();
  [[nodiscard]] std::chrono::steady_clock::time_point last_turn() const;
  /// As the loop said at its last sign of life: it was told to drain, and its last connection has ended.
  [[nodiscard]] bool drained() const { return drained_.load(std::memory_order_relaxed); }
  [[nodiscard]] const std::string& loop_name() const { return loop_name_; }
  /// Why the loop is not of the better kind; empty: it is.
  [[nodiscard]] const std::string& why() const { return why_; }
  [[nodiscard]] const proxy::LoopStats& stats() const;
  [[nodiscard]] pthread_t handle() { return thread_.native_handle(); }

 private:
  WorkerThread() = default;
  void run(Setup setup, const std::function<void(Result<void>)>& started);
  void turned();

  std::unique_ptr<net::Loop> loop_;
  std::unique_ptr<proxy::Worker> worker_;
  std::string loop_name_, why_;
  std::atomic<int64_t> last_turn_ns_{0};
  std::atomic<bool> probe_under_way_{false}, drained_{false};
  std::thread thread_;
};

}  // namespace weir::proxy_process
