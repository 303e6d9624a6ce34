#pragma once
// `weir agent`: keeps the kernel's maps at what a folder of YAML says, until told to stop; then leaves everything at
// work.

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "admin/server.h"
#include "agent/dns/name_resolver.h"
#include "agent/node/address_watch.h"
#include "agent/node/background.h"
#include "agent/node/event_loop.h"
#include "agent/node/log.h"
#include "agent/node/run_dir.h"
#include "agent/node/source_tracker.h"
#include "agent/options.h"
#include "agent/outside/traffic.h"
#include "agent/proxy/supervisor.h"
#include "agent/reconciler.h"
#include "agent/source/debounce.h"
#include "agent/source/folder_watcher.h"
#include "agent/views/observed.h"
#include "agent/views/views.h"
#include "base/result.h"
#include "datapath/datapath.h"
#include "datapath/record_sweep.h"

namespace weir::agent {

class Agent : private Kernel, private ProxyKernel {
 public:
  /// Takes the run directory, opens the datapath, reads the folder, fills the maps, attaches, opens the admin socket.
  /// An error leaves what was pinned before at work. Blocks SIGTERM, SIGINT and SIGHUP for the process: run() takes
  /// them.
  static Result<std::unique_ptr<Agent>> create(Options options);
  ~Agent() override;

  /// Until SIGTERM or SIGINT.
  void run();

 private:
  explicit Agent(Options options);
  Result<void> start();
  Result<void> open_datapath();
  Result<void> watch_folder();
  Result<void> watch_signals();
  Result<void> watch_addresses();
  Result<void> start_timers();
  Result<void> start_admin();

  Result<void> start_proxy_supervisor();

  // Kernel
  Result<datapath::ApplyReport> apply(const routing::Plan& plan) override;
  Result<void> set_sources(std::span<const datapath::SourceEntry> sources) override {
    return datapath_->set_sources(sources);
  }

  void open_gateway(const std::vector<routing::PlanGatewayPort>& ports, std::vector<std::string>& warnings);
  void look_at_gateway();
  Result<void> start_names();
  void follow_names();
  void on_names();
  void make_outside();
  void follow_outside();
  /// Before the first plan, which must know what of its endpoints is on this node.
  void look_outside_first();
  void look_outside();

  // ProxyKernel
  std::string why_no_proxy() override { return datapath_->why_no_proxy(); }
  Result<void> set_proxy(const datapath::ProxyPlace& place) override { return datapath_->set_proxy(place); }
  Result<void> set_proxy_listeners(std::span<const int> fds) override { return datapath_->set_proxy_listeners(fds); }
  Result<FileDescriptor> proxy_beat() override { return datapath_->proxy_beat(); }

  // Events; the loop's thread.
  void on_folder_events();
  void on_debounce();
  void schedule_folder_check();
  void check_watch();
  void on_folder_check();
  void compare_folder(FolderChange::Listing listing);
  void on_reconcile();
  void mend(datapath::Datapath::Look look);
  void on_hook_check();
  void on_sweep();
  void note_sweep(const Result<datapath::SweepReport>& report);
  void on_signal();
  void on_namespaces(const NetnsScan& scan);
  /// Reads the folder now, whatever the debounce says.
  void reload();

  void load_cache();
  /// Where something has changed; in the background unless `at_once`.
  void save_cache(bool at_once);
  void take_change(const FolderChange& change);
  void finish(const Outcome& outcome);
  void after_apply(const Outcome& outcome);
  Result<void> attach_once();
  void restart_observed(const Outcome& outcome);
  void note_drift(const datapath::ReconcileReport& report);
  void publish();

  // Logging.
  void log_start();
  void log_outcome(const Outcome& outcome);
  void log_paths(const routing::Plan* before, const routing::Plan& after);
  void log_conditions(const routing::Table* before, const routing::Table& after);

  // Admin handlers; any thread.
  std::shared_ptr<const State> snapshot() const;
  KernelFacts kernel_facts() const;
  admin::Response handle_status() const;
  admin::Response handle_explain(const admin::Request& request) const;
  admin::Response handle_reload();
  admin::Response handle_restart_proxy();
  admin::Response handle_stat() const;
  admin::Response handle_metrics() const;
  void add_proxy_requests();
  template <class View>
  void add_view(std::string path, std::string name, View view, std::string help);

  /// So many files or services can all be looked at while a change waits; more are looked at on another thread.
  static constexpr size_t kFew = 256;

  Options options_;
  AgentFacts facts_;
  std::optional<RunDir> run_dir_;
  std::unique_ptr<EventLoop> loop_;
  std::optional<datapath::Datapath> datapath_;
  std::optional<FolderWatcher> watcher_;
  std::optional<Reconciler> reconciler_;
  std::unique_ptr<ProxySupervisor> proxy_;
  std::unique_ptr<OutsideTraffic> outside_;
  std::unique_ptr<NameResolver> names_;
  Debounce debounce_;
  /// Of the turn under way: its first event, and when the debounce let it through.
  Debounce::Clock::time_point begun_{}, due_{};
  bool attached_ = false;
  std::vector<routing::PlanGatewayPort> gateway_ports_;  // of the plan that the kernel has
  FileDescriptor signals_;
  std::optional<AddressWatch> address_watch_;
  std::unique_ptr<Timer> debounce_timer_, folder_timer_, reconcile_timer_, hook_timer_, sweep_timer_, address_timer_;
  Throttle throttle_{std::chrono::seconds(10)};
  Observed observed_;
  std::optional<NetnsScan> namespaces_;
  std::string last_hook_problems_;
  bool looking_ = false;  // for drift, in the background
  /// Used on the background's thread alone.
  std::shared_ptr<datapath::RecordSweep> sweep_ = std::make_shared<datapath::RecordSweep>();
  bool sweeping_ = false;
  int spoilt_looks_ = 0;  // for drift, in a row, that changes made worthless

  mutable std::mutex mutex_;  // guards published_
  std::shared_ptr<const State> published_;

  admin::Server admin_;
  std::unique_ptr<SourceTracker> tracker_;
  std::unique_ptr<Background> background_ = std::make_unique<Background>();
};

}  // namespace weir::agent
