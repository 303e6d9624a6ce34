#include "agent/agent.h"

#include <fmt/format.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "agent/node/address.h"

namespace weir::agent {
namespace {

using namespace std::chrono_literals;

constexpr auto kHookCheckPeriod = 60s, kSweepPeriod = 60s;
constexpr auto kNamespacePeriod = 2s;
constexpr auto kAddressQuiet = 100ms;  // an interface that comes up is several events

std::string host_name() {
  utsname names{};
  return ::uname(&names) == 0 ? names.nodename : "unknown";
}

double milliseconds(Debounce::Clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace

Agent::Agent(Options options) : options_(std::move(options)), debounce_(options_.debounce, kMostDebounce) {
  if (options_.node.empty()) options_.node = host_name();
  facts_ = {::getpid(),         WEIR_VERSION,    options_.node,    options_.config_dir,  options_.run_dir,
            options_.bpffs_dir, options_.cgroup, WallClock::now(), options_.all_services};
}

Agent::~Agent() {
  // Threads that may still call in end first.
  tracker_.reset();
  background_.reset();
  admin_.stop();
}

Result<std::unique_ptr<Agent>> Agent::create(Options options) {
  std::error_code failed;
  // Absolute, because status tells it to others who are elsewhere.
  if (auto path = std::filesystem::absolute(options.config_dir, failed); !failed)
    options.config_dir = path.lexically_normal().string();
  std::unique_ptr<Agent> agent(new Agent(std::move(options)));
  WEIR_TRY(agent->start());
  return agent;
}

Result<void> Agent::start() {
  auto loop = EventLoop::create();
  if (!loop) return std::move(loop).error();
  loop_ = std::move(*loop);
  WEIR_TRY(watch_signals());
  auto run_dir = RunDir::take(options_.run_dir);
  if (!run_dir) return std::move(run_dir).error();
  run_dir_.emplace(std::move(*run_dir));
  log_start();
  WEIR_TRY(open_datapath());
  WEIR_TRY(watch_folder());
  WEIR_TRY(start_timers());
  WEIR_TRY(watch_addresses());
  begun_ = due_ = Debounce::Clock::now();
  look_outside_first();
  take_change(watcher_->take());
  // Nothing was applied (a broken folder): what an earlier agent pinned goes on; if it pinned nothing, hooks wait for a
  // configuration.
  if (datapath_->adopted()) WEIR_TRY(attach_once());
  if (reconciler_->state().table) WEIR_TRY(attach_once());
  save_cache(false);
  return start_admin();
}

Result<void> Agent::open_datapath() {
  auto opened = datapath::Datapath::open({.bpffs_dir = options_.bpffs_dir,
                                          .cgroup = options_.cgroup,
                                          .node = options_.node,
                                          .sizes = options_.sizes,
                                          .proxy_port_first = options_.proxy_port_first,
                                          .proxy_port_count = options_.proxy_port_count,
                                          .log = [](std::string_view line) { spdlog::warn("{}", printable(line)); }});
  if (!opened) return std::move(opened).error();
  datapath_.emplace(std::move(*opened));
  const auto maps = datapath_->read();
  if (!maps) return maps.error();
  // A proxy may run that knows the last one, also where not all of the maps could be carried on.
  const uint64_t first_generation = maps->generation + 1;
  if (datapath_->adopted()) {
    observed_.begin(*maps);
    spdlog::info("adopted the maps of an earlier agent: generation {}, {} frontends, {} splits", maps->generation,
                 maps->frontends.size(), maps->splits.size());
  }
  reconciler_.emplace(options_.config_dir, build_options(options_), static_cast<Kernel&>(*this), first_generation);
  reconciler_->state().adopted = datapath_->adopted();
  load_cache();
  facts_.cgroup = datapath_->status().cgroup;
  WEIR_TRY(start_proxy_supervisor());
  WEIR_TRY(start_names());
  make_outside();
  const Json note = {
      {"config", facts_.config_dir}, {"cgroup", facts_.cgroup}, {"bpffs", facts_.bpffs_dir}, {"node", facts_.node}};
  if (auto left = run_dir_->leave_note(note.dump() + "\n"); !left) spdlog::warn("{}", printable(left.error().message));
  return {};
}

Result<void> Agent::start_proxy_supervisor() {
  const auto ids = proxy_user_ids(options_.proxy_user);
  if (!ids) return ids.error();
  ProxyOptions proxy;
  proxy.launch.executable = options_.proxy_executable;
  proxy.launch.run_dir = options_.run_dir;
  proxy.launch.uid = ids->uid;
  proxy.launch.gid = ids->gid;
  proxy.cgroup = facts_.cgroup;
  proxy.settings = options_.proxy;
  proxy.settings.node = options_.node;
  proxy.build = build_options(options_);
  proxy.addresses = options_.node_addresses;
  proxy.access_log = options_.access_log;
  proxy.first_port = options_.proxy_port_first;
  proxy.port_count = options_.proxy_port_count;
  auto made = ProxySupervisor::create(std::move(proxy), *loop_, *this, reconciler_->files(), [this] {
    if (published_) publish();
  });
  if (!made) return std::move(made).error().context("proxy");
  proxy_ = std::move(*made);
  return {};
}

/// The proxy is told first: whoever is sent to it must find it ready.
Result<datapath::ApplyReport> Agent::apply(const routing::Plan& plan) {
  auto ports = datapath_->reserve_proxy_ports(plan);
  if (!ports) return std::move(ports).error();
  const bool needed = !plan.gateway_ports.empty() || std::ranges::any_of(plan.services, [](const auto& service) {
    return std::ranges::any_of(service->frontends, &routing::PlanFrontend::proxied);
  });
  proxy_->prepare({plan.generation, needed, std::move(*ports), reconciler_->resolved_names()});
  auto report = datapath_->apply(plan);
  if (!report) return report;
  open_gateway(plan.gateway_ports, report->warnings);
  if (attached_) outside_->follow(plan, report->warnings);
  return report;
}

Result<void> Agent::watch_folder() {
  auto watcher = FolderWatcher::create(options_.config_dir);
  if (!watcher) return std::move(watcher).error();
  watcher_.emplace(std::move(*watcher));
  return loop_->add(watcher_->fd(), [this] { on_folder_events(); });
}

Result<void> Agent::watch_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  if (::pthread_sigmask(SIG_BLOCK, &set, nullptr) != 0) return errno_error("block signals");
  std::signal(SIGPIPE, SIG_IGN);
  signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) return errno_error("signalfd");
  return loop_->add(signals_.get(), [this] { on_signal(); });
}

/// Interfaces and addresses that come or go open and close places of gateways and of what comes from outside.
Result<void> Agent::watch_addresses() {
  auto watch = AddressWatch::create();
  if (!watch) return std::move(watch).error();
  address_watch_.emplace(std::move(*watch));
  return loop_->add(address_watch_->fd(), [this] {
    if (address_watch_->take()) address_timer_->once(kAddressQuiet);
  });
}

Result<void> Agent::start_timers() {
  const auto make = [this](std::unique_ptr<Timer>& timer, EventLoop::Callback fired) -> Result<void> {
    auto made = Timer::create(*loop_, std::move(fired));
    if (!made) return std::move(made).error();
    timer = std::move(*made);
    return {};
  };
  WEIR_TRY(make(debounce_timer_, [this] { on_debounce(); }));
  WEIR_TRY(make(folder_timer_, [this] { on_folder_check(); }));
  WEIR_TRY(make(reconcile_timer_, [this] { on_reconcile(); }));
  WEIR_TRY(make(hook_timer_, [this] { on_hook_check(); }));
  WEIR_TRY(make(sweep_timer_, [this] { on_sweep(); }));
  WEIR_TRY(make(address_timer_, [this] {
    look_at_gateway();
    look_outside();
  }));
  schedule_folder_check();
  reconcile_timer_->every(options_.reconcile_interval);
  hook_timer_->every(kHookCheckPeriod);
  sweep_timer_->every(kSweepPeriod);
  tracker_ = std::make_unique<SourceTracker>(kNamespacePeriod, [this](Result<NetnsScan> scan) {
    loop_->post([this, scan = std::make_shared<Result<NetnsScan>>(std::move(scan))] {
      if (*scan)
        on_namespaces(**scan);
      else
        spdlog::error("rules by source no longer follow new pods: {}", scan->error().message);
    });
  });
  return {};
}

void Agent::run() {
  publish();
  spdlog::info("ready: folder {}, cgroup {}, socket {}", options_.config_dir, facts_.cgroup,
               socket_path(options_.run_dir));
  loop_->run();
  save_cache(true);
  spdlog::info("stopping; the split goes on with generation {}", reconciler_->state().generation);
}

void Agent::on_signal() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof(info)) == sizeof(info)) {
    if (info.ssi_signo == SIGHUP) {
      spdlog::info("SIGHUP: reading the folder again");
      reload();
      proxy_->reopen_log();
    } else {
      loop_->stop();
    }
  }
}

void Agent::on_folder_events() {
  const auto now = Debounce::Clock::now();
  if (!watcher_->read_events(now)) return;
  debounce_.event(now, watcher_->several_wait());
  debounce_timer_->once(*debounce_.deadline() - now);
  if (!watcher_->present()) schedule_folder_check();
}

void Agent::on_debounce() {
  const auto now = Debounce::Clock::now();
  if (!debounce_.due(now)) return;
  due_ = *debounce_.deadline();
  begun_ = debounce_.take()->first;
  const auto change = watcher_->take();
  if (change.empty()) return;  // only files that are still being written
  take_change(change);
  publish();
}

void Agent::reload() {
  check_watch();
  compare_folder(nullptr);
}

void Agent::take_change(const FolderChange& change) {
  finish(reconciler_->take(change, [this](const std::string& name) {
    watcher_->read_events(Debounce::Clock::now());
    return watcher_->is_being_written(name);
  }));
}

void Agent::finish(const Outcome& outcome) {
  if (outcome.what == Outcome::What::kApplied) {
    const auto now = Debounce::Clock::now();
    reconciler_->state().timing.debounce_ms = milliseconds(due_ - begun_);
    reconciler_->state().timing.event_to_kernel_ms = milliseconds(now - due_);
    after_apply(outcome);
  }
  log_outcome(outcome);
}

void Agent::after_apply(const Outcome& outcome) {
  const auto& table = *reconciler_->state().table;
  restart_observed(outcome);
  follow_names();
  if (tracker_) {
    tracker_->set_active(!table.pods_at.empty() || outside_->wanted());
    // A new pod's namespace may be there already, seen when its address was still nobody's.
    if (namespaces_) loop_->post([this] { on_namespaces(*namespaces_); });
  }
  // At start, start() does it and its error ends the agent.
  if (published_ && !attached_)
    if (const auto attached = attach_once(); !attached)
      spdlog::error("cannot attach: {}", printable(attached.error().message));
}

Result<void> Agent::attach_once() {
  if (attached_) return {};
  WEIR_TRY(datapath_->attach());
  attached_ = true;
  reconciler_->state().attached = true;
  follow_outside();
  return {};
}

void Agent::restart_observed(const Outcome& outcome) {
  const auto& table = reconciler_->state().table;
  const auto* before = outcome.before ? outcome.before->plan.get() : nullptr;
  if (before == nullptr || reconciler_->state().report.operations == 0) return;
  if (table->plan->services.size() <= kFew) {
    if (const auto maps = datapath_->read()) observed_.restart_changed(before, *table->plan, *maps);
  } else {
    observed_.restart_later(outcome.before->plan, table->plan, options_.bpffs_dir);
  }
}

void Agent::on_namespaces(const NetnsScan& scan) {
  namespaces_ = scan;
  proxy_->look_at_addresses();
  begun_ = due_ = Debounce::Clock::now();
  if (!reconciler_->state().table) return;
  finish(reconciler_->set_local_pods(local_pods(*reconciler_->state().table, scan)));
  if (outside_->wanted()) finish(reconciler_->set_outside(outside_->facts(&scan, reconciler_->state().table.get())));
  publish();
}

void Agent::publish() {
  if (proxy_) reconciler_->state().proxy = proxy_->state();
  if (outside_) reconciler_->state().outside = outside_->state();
  if (names_) reconciler_->state().names = names_->states();
  auto copy = std::make_shared<const State>(reconciler_->state());
  const std::lock_guard lock(mutex_);
  published_.swap(copy);
}

std::shared_ptr<const State> Agent::snapshot() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

}  // namespace weir::agent
