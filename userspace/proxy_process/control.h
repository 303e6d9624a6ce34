#pragma once
// What the proxy does for the agent's messages. Knows no socket of its own: Process brings packets and carries answers.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "proxy/shared_state.h"
#include "proxy_process/channel.h"
#include "proxy_process/configuration_keeper.h"
#include "proxy_process/heartbeat.h"
#include "proxy_process/protocol.h"
#include "proxy_process/worker_thread.h"

namespace weir::proxy_process {

/// An answer; descriptors are borrowed until the next call.
struct Answer {
  Message message;
  std::vector<int> fds;
  std::string blob;
};

/// One thread.
class Control {
 public:
  using Clock = std::chrono::steady_clock;
  /// `rings_made` is called once, when the workers' loops stand.
  explicit Control(std::function<Result<void>()> rings_made);
  ~Control();

  Answer handle(Packet packet);

  /// Accepts no more; finished() once the last connection has ended, at the latest after `patience`.
  void drain(net::Duration patience);
  [[nodiscard]] bool draining() const { return drain_deadline_.has_value(); }
  [[nodiscard]] bool finished() const;

 private:
  Json hello() const;
  Result<void> start(Packet& packet);
  Result<void> start_workers(const std::shared_ptr<const proxy::Snapshot>& snapshot);
  Result<void> configure(const Packet& packet);
  Result<void> take_log(Packet& packet);
  std::string stats();

  std::function<Result<void>()> rings_made_;
  Clock::time_point began_ = Clock::now();
  std::optional<Settings> settings_;
  std::shared_ptr<proxy::SharedState> shared_;
  std::optional<ConfigurationKeeper> keeper_;
  FileDescriptor log_;
  std::vector<FileDescriptor> listeners_;
  std::vector<std::unique_ptr<WorkerThread>> workers_;
  std::optional<BeatPage> page_;  // until the heartbeat has it
  std::unique_ptr<Heartbeat> heartbeat_;
  std::optional<Clock::time_point> drain_deadline_;
  bool stopped_ = false;
};

}  // namespace weir::proxy_process
