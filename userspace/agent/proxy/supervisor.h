#pragma once
// Keeps a proxy running where services need one: starts it, adopts the one of an earlier agent, tells it every
// configuration before the kernel follows it, puts another in its place when it is gone, stuck or of another build, and
// lets the old one end its connections. It outlives the agent.

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "agent/node/address.h"
#include "agent/node/event_loop.h"
#include "agent/proxy/backoff.h"
#include "agent/proxy/launch.h"
#include "agent/proxy/link.h"
#include "agent/proxy/state.h"
#include "agent/source/file_objects.h"
#include "datapath/datapath.h"
#include "proxy_process/heartbeat.h"
#include "routing/build/table_builder.h"

namespace weir::agent {

/// What of the datapath the supervisor uses; tests put their own in its place.
class ProxyKernel {
 public:
  virtual ~ProxyKernel() = default;
  /// Empty: connections can be sent to a proxy.
  virtual std::string why_no_proxy() = 0;
  virtual Result<void> set_proxy(const datapath::ProxyPlace& place) = 0;
  virtual Result<void> set_proxy_listeners(std::span<const int> fds) = 0;
  virtual Result<FileDescriptor> proxy_beat() = 0;
};

struct ProxyOptions {
  ProxyLaunch launch;  // run_dir and executable; cgroup_dir is <cgroup>/weir-proxy
  std::string cgroup;  // that the hooks are at
  proxy_process::Settings settings;
  std::string build_id;  // a proxy of another build is replaced; empty: this program's
  routing::BuildOptions build;
  NodeAddresses addresses;  // none given: found
  /// Empty: none. "stderr", or a file.
  std::string access_log;
  uint16_t first_port = 0, port_count = 0;  // for the views
};

/// The configuration that the kernel is about to get.
struct ProxyConfiguration {
  uint64_t generation = 0;
  bool needed = false;  // some frontend is proxied
  std::vector<datapath::ProxyPort> ports;
  routing::ResolvedNames names;  // of endpoints
};

/// The loop's thread, but for the functions that say otherwise.
class ProxySupervisor {
 public:
  using Clock = std::chrono::steady_clock;
  /// `changed` is called on the loop whenever state() is not what it was. `files` are those that the last table was
  /// built of; both outlive the supervisor.
  static Result<std::unique_ptr<ProxySupervisor>> create(ProxyOptions options, EventLoop& loop, ProxyKernel& kernel,
                                                         FileObjects& files, std::function<void()> changed);
  /// Leaves the proxy running.
  ~ProxySupervisor();
  ProxySupervisor(const ProxySupervisor&) = delete;
  ProxySupervisor& operator=(const ProxySupervisor&) = delete;

  /// Before the kernel gets a configuration: tells the proxy and waits for at most a second; starts one if it is the
  /// first that needs it. What goes wrong is in state(), and mended later: the kernel goes on in any case.
  void prepare(ProxyConfiguration configuration);
  /// Puts a new proxy in place of the running one, which drains. An error leaves the old one.
  Result<void> replace(const std::string& reason);
  /// Node addresses may have changed.
  void look_at_addresses();
  /// Opens the access log's file anew (it was rotated).
  void reopen_log();

  [[nodiscard]] const ProxyState& state() const { return state_; }

  // Any thread.
  /// How old the proxy's last sign of life is. Nothing: there was none since the machine began.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> beat_age() const;
  /// What the running proxy has counted; nothing where none runs.
  [[nodiscard]] Result<std::optional<proxy_process::Report>> report() const;

 private:
  ProxySupervisor(ProxyOptions options, EventLoop& loop, ProxyKernel& kernel, FileObjects& files,
                  std::function<void()> changed);
  using LinkPtr = std::shared_ptr<ProxyLink>;
  Result<void> set_up();

  // Finding what an earlier agent left.
  void adopt_running();
  void adopt_at(const std::string& socket_path);
  bool adopt(const LinkPtr& link, const proxy_process::Hello& hello);

  // Starting, replacing, ending.
  Result<LinkPtr> start_one();
  Result<LinkPtr> bring_up(const LaunchedProxy& launched);
  void start_current();
  void start_again();
  Result<void> make_current(const LinkPtr& link, const proxy_process::Hello& hello, bool adopted);
  void retire(const LinkPtr& link);
  void watch(const LinkPtr& link);
  void on_ended(int pid);
  void go_down(const std::string& why);
  void reset_queue();

  // Telling.
  Result<void> tell(ProxyLink& link, bool full);
  [[nodiscard]] proxy_process::Configuration message(bool full) const;
  void take_late(ProxyLink& link);

  // Looking after it.
  void on_tick();
  void look_at_current(Clock::time_point now);
  void look_at_draining(Clock::time_point now);
  Result<void> place();
  void set_silent(bool silent);
  void set_trouble(const std::string& trouble);
  void note_draining();
  Result<void> open_log();
  [[nodiscard]] LinkPtr current() const;
  void set_current(LinkPtr link);

  ProxyOptions options_;
  EventLoop& loop_;
  ProxyKernel& kernel_;
  FileObjects& files_;
  std::function<void()> changed_;
  ProxyState state_;
  ProxyConfiguration configuration_;
  std::string build_, settings_digest_;
  FileDescriptor beat_fd_, log_;
  std::optional<proxy_process::BeatPage> beat_;
  std::vector<FileDescriptor> listeners_;
  std::optional<NodeAddresses> placed_;

  mutable std::mutex mutex_;  // guards current_, which other threads ask too
  LinkPtr current_;
  bool outdated_ = false;   // another is to be put in its place
  bool need_full_ = false;  // what it has is not known for sure
  /// When to tell it, or replace it, again after that has failed.
  std::optional<Clock::time_point> retry_at_;
  Clock::time_point current_since_{};
  std::optional<Clock::time_point> asked_at_;  // told, and not answered yet

  struct Draining {
    LinkPtr link;
    Clock::time_point deadline;
  };
  std::vector<Draining> draining_;
  std::map<int, LinkPtr> watched_;  // by pid
  Backoff backoff_;
  std::optional<Clock::time_point> start_at_, down_since_;
  Clock::time_point looked_at_addresses_{};
  bool queue_reset_ = false;
  std::unique_ptr<Timer> tick_;
};

}  // namespace weir::agent
