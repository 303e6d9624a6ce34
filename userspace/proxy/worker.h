#pragma once
// One loop's part of the proxy: accepts, keeps sessions and pooled connections, swaps snapshots. One thread, but for
// the functions that say otherwise.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "http/message.h"
#include "net/loop.h"
#include "proxy/access_log.h"
#include "proxy/endpoint_pool.h"
#include "proxy/options.h"
#include "proxy/snapshot.h"
#include "proxy/stats.h"
#include "routing/rule/request_view.h"

namespace weir::proxy {

class Mirror;
class Session;

class Worker final : public net::AcceptHandler {
 public:
  struct Setup {
    size_t number = 0;  // of the loop: its part of the counters
    int log_fd = -1;    // borrowed
  };
  /// `loop` outlives the worker.
  Worker(net::Loop& loop, Options options, std::shared_ptr<const Snapshot> snapshot, Setup setup);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Connections that come in on `fd`, a listening socket; the port they came in on says what was dialled.
  void add_listener(FileDescriptor fd);
  /// Requests that begin from now on follow it.
  void set_snapshot(std::shared_ptr<const Snapshot> snapshot);
  /// When the loop last came round, CLOCK_MONOTONIC ns; written every kTurnPeriod. Any thread: a watchdog's.
  [[nodiscard]] uint64_t turned_at() const { return turned_at_.load(std::memory_order_relaxed); }
  static constexpr Duration kTurnPeriod = std::chrono::milliseconds(100);
  /// Accepts no more. Every answer from now on says `connection: close`; a connection that is idle stays open until its
  /// next request is answered, so that a client that sends at this very moment does not fail. What is still open after
  /// `deadline` is closed. Again: a new deadline.
  void drain(Duration deadline);
  void drain() { drain(options_.timeouts.drain); }
  /// Draining, and no connection is left.
  [[nodiscard]] bool drained() const { return draining_ && sessions_.empty() && !loop_->is_retiring(); }
  [[nodiscard]] bool draining() const { return draining_; }
  [[nodiscard]] size_t session_count() const { return sessions_.size(); }
  [[nodiscard]] const LoopStats& loop_stats() const { return stats_; }

  // For sessions and mirrors.
  net::Loop& loop() { return *loop_; }
  const Options& options() const { return options_; }
  EndpointPool& pool() { return pool_; }
  RouteCache& routes() { return *routes_; }
  /// Differs with every snapshot; from 1.
  [[nodiscard]] uint64_t routes_version() const { return routes_version_; }
  LoopStats& stats() { return stats_; }
  [[nodiscard]] size_t number() const { return setup_.number; }
  net::BlockPool& blocks() { return blocks_; }
  AccessLog& log() { return log_; }
  void log_later();
  /// Not for secrets.
  uint64_t random();
  /// True with the given share.
  bool draw(uint32_t parts_per_million);
  /// A version 4 UUID in text.
  std::string_view make_request_id();
  /// Now, as the Date field has it (RFC 9110 section 6.6.1).
  std::string_view date();
  /// Memory for one head or one piece of a body on its way out; used up before the next call of anything.
  std::span<char> scratch(size_t size);
  std::vector<routing::HeaderField>& field_scratch() { return fields_; }
  http::ResponseHead& local_head() { return local_head_; }

  /// Sessions between two requests, the one that has been so for longest first: the first to go when room is needed.
  void enter_idle(Session& session);
  void leave_idle(Session& session);
  /// Frees it after this turn.
  void bury(Session& session);
  /// Null: too many are under way.
  Mirror* make_mirror(Session& session);
  void bury(Mirror& mirror);

 private:
  void on_accept(FileDescriptor fd) override;
  void on_accept_exhausted(int error_number) override;
  bool make_room();
  void update_listeners();
  void clear_graves();
  void flush_log();
  void end_drain();
  void note_turn();

  net::Loop* loop_;
  Options options_;
  Setup setup_;
  size_t max_connections_;
  std::unique_ptr<RouteCache> routes_;
  uint64_t routes_version_ = 1;
  EndpointPool pool_;
  net::BlockPool blocks_;
  AccessLog log_;
  LoopStats stats_;
  std::vector<uint32_t> listeners_;
  bool listeners_paused_ = false, draining_ = false;
  std::unordered_map<Session*, std::unique_ptr<Session>> sessions_;
  std::unordered_map<Mirror*, std::unique_ptr<Mirror>> mirrors_;
  std::unordered_map<IpAddress, uint32_t> connections_of_;
  Session* idle_first_ = nullptr;
  Session* idle_last_ = nullptr;
  std::vector<std::unique_ptr<Session>> session_graves_;
  std::vector<std::unique_ptr<Mirror>> mirror_graves_;
  net::Timer grave_timer_, log_timer_, drain_timer_, turn_timer_;
  std::atomic<uint64_t> turned_at_{0};
  std::array<uint64_t, 4> random_state_{};
  std::array<char, 36> request_id_{};
  std::array<char, 40> date_{};
  int64_t date_second_ = -1;
  std::vector<char> scratch_;
  std::vector<routing::HeaderField> fields_;
  http::ResponseHead local_head_;
};

}  // namespace weir::proxy
