#include "agent/proxy/supervisor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "agent/node/log.h"
#include "agent/proxy/cgroup.h"
#include "agent/proxy/listeners.h"
#include "proxy_process/build.h"

namespace weir::agent {
namespace {

using namespace std::chrono_literals;

constexpr auto kTick = 250ms;
// A machine that is busy starts a process slowly.
constexpr std::chrono::milliseconds kConnectTimeout = 5s, kAdoptTimeout = 2s, kAskTimeout = 500ms;
constexpr auto kFirstWait = 100ms;
constexpr std::chrono::seconds kMostWait = 10s, kGoodTime = 30s;

/// How a child ended; nothing is known of one that an earlier agent started.
std::string how_it_ended(const ProxyLink& link) {
  siginfo_t info{};
  if (::waitid(P_PIDFD, static_cast<id_t>(link.pidfd()), &info, WEXITED) != 0) return "ended";
  if (info.si_code == CLD_EXITED) return fmt::format("ended with exit code {}", info.si_status);
  return fmt::format("was killed by signal {} ({})", info.si_status, ::strsignal(info.si_status));
}

}  // namespace

const char* to_string(ProxyState::What what) {
  switch (what) {
    case ProxyState::What::kUnneeded:
      return "unneeded";
    case ProxyState::What::kUnsupported:
      return "unsupported";
    case ProxyState::What::kUp:
      return "up";
    case ProxyState::What::kDown:
      return "down";
  }
  return "";
}

ProxySupervisor::ProxySupervisor(ProxyOptions options, EventLoop& loop, ProxyKernel& kernel, FileObjects& files,
                                 std::function<void()> changed)
    : options_(std::move(options)),
      loop_(loop),
      kernel_(kernel),
      files_(files),
      changed_(std::move(changed)),
      backoff_(kFirstWait, kMostWait, kGoodTime) {}

Result<std::unique_ptr<ProxySupervisor>> ProxySupervisor::create(ProxyOptions options, EventLoop& loop,
                                                                 ProxyKernel& kernel, FileObjects& files,
                                                                 std::function<void()> changed) {
  std::unique_ptr<ProxySupervisor> made(
      new ProxySupervisor(std::move(options), loop, kernel, files, std::move(changed)));
  WEIR_TRY(made->set_up());
  return made;
}

ProxySupervisor::~ProxySupervisor() {
  for (const auto& [pid, link] : watched_) loop_.remove(link->pidfd());
}

Result<void> ProxySupervisor::set_up() {
  auto tick = Timer::create(loop_, [this] { on_tick(); });
  if (!tick) return std::move(tick).error();
  tick_ = std::move(*tick);
  build_ = options_.build_id.empty() ? proxy_process::build_id() : options_.build_id;
  state_.first_port = options_.first_port;
  state_.port_count = options_.port_count;
  state_.access_log = options_.access_log;
  state_.why = kernel_.why_no_proxy();
  if (!state_.why.empty()) {
    state_.what = ProxyState::What::kUnsupported;
    return {};
  }
  WEIR_TRY(open_log());
  settings_digest_ = digest(options_.settings);
  auto fd = kernel_.proxy_beat();
  if (!fd) return std::move(fd).error();
  beat_fd_ = std::move(*fd);
  auto page = proxy_process::BeatPage::map(beat_fd_.get());
  if (!page) return std::move(page).error();
  beat_.emplace(std::move(*page));
  adopt_running();
  return {};
}

// ---------------------------------------------------------------- what an earlier agent left

void ProxySupervisor::adopt_running() {
  for (const auto& path : proxy_sockets(options_.launch.run_dir)) adopt_at(path);
  if (current_ || !draining_.empty()) tick_->every(kTick);
}

void ProxySupervisor::adopt_at(const std::string& socket_path) {
  auto connected = ProxyLink::connect(socket_path, 0ms);
  if (!connected) {
    if (connected.error().code == ECONNREFUSED) ::unlink(socket_path.c_str());  // its process has gone
    return;
  }
  const LinkPtr link = std::move(*connected);
  const auto hello = link->hello(kAdoptTimeout);
  const bool usable = hello && hello->protocol == proxy_process::kProtocol && hello->workers > 0;
  watch(link);
  if (usable && hello->draining) {
    draining_.push_back({link, Clock::now() + options_.settings.proxy.timeouts.drain});
    note_draining();
  } else if (!usable || (!current_ && !adopt(link, *hello))) {
    spdlog::warn("proxy {} of an earlier agent is of no use{}; ending it", link->pid(),
                 hello ? "" : ": " + printable(hello.error().message));
    link->kill();
  } else if (link != current_) {
    retire(link);
  }
}

bool ProxySupervisor::adopt(const LinkPtr& link, const proxy_process::Hello& hello) {
  auto listeners = link->listeners(kAskTimeout);
  if (!listeners || listeners->empty()) return false;
  listeners_ = std::move(*listeners);
  if (const auto made = make_current(link, hello, true); !made) {
    spdlog::error("proxy: {}", printable(made.error().message));
    set_current(nullptr);
    return false;
  }
  need_full_ = true;
  outdated_ = hello.build != build_ || hello.settings != settings_digest_;
  spdlog::info("adopted proxy {} of an earlier agent: generation {}, {} workers{}", link->pid(), hello.generation,
               hello.workers, outdated_ ? "; it is of another build or has other options and will be replaced" : "");
  return true;
}

// ---------------------------------------------------------------- starting, replacing, ending

Result<ProxySupervisor::LinkPtr> ProxySupervisor::start_one() {
  ProxyLaunch launch = options_.launch;
  launch.cgroup_dir = proxy_cgroup_dir(options_.cgroup);
  WEIR_TRY(make_proxy_cgroup(launch.cgroup_dir));
  const auto launched = launch_proxy(launch);
  if (!launched) return launched.error();
  auto link = bring_up(*launched);
  if (!link) {
    ::kill(launched->pid, SIGKILL);  // our child, not reaped yet: the pid is its own
    int status = 0;
    ::waitpid(launched->pid, &status, 0);
    ::unlink(launched->socket_path.c_str());
    return std::move(link).error();
  }
  return link;
}

Result<ProxySupervisor::LinkPtr> ProxySupervisor::bring_up(const LaunchedProxy& launched) {
  auto connected = ProxyLink::connect(launched.socket_path, kConnectTimeout);
  if (!connected) return std::move(connected).error();
  LinkPtr link = std::move(*connected);
  const auto& settings = options_.settings;
  WEIR_TRY(fill_proxy_listeners(listeners_, settings.workers));
  const auto fds = sockets_for_proxy(listeners_, settings.workers);
  WEIR_TRY(link->start(settings, beat_fd_.get(), log_.get(), fds, kConnectTimeout));
  // It takes in a large configuration for longer than anybody waits: then it serves when it is ready, and till then
  // the kernel splits by itself.
  auto told = tell(*link, true);
  if (!told && told.error().code != ETIMEDOUT) return std::move(told).error();
  return link;
}

void ProxySupervisor::start_current() {
  start_at_.reset();
  tick_->every(kTick);
  const auto link = start_one();
  if (!link) return go_down("cannot be started: " + link.error().message);
  const auto hello = (*link)->hello(kAskTimeout);
  watch(*link);
  if (const auto made = make_current(*link, hello.has_value() ? *hello : proxy_process::Hello{}, false); !made) {
    (*link)->kill();
    return go_down("cannot be put to use: " + made.error().message);
  }
  spdlog::info("proxy {} started: {} workers, generation {}", (*link)->pid(), options_.settings.workers,
               state_.generation);
}

Result<void> ProxySupervisor::make_current(const LinkPtr& link, const proxy_process::Hello& hello, bool adopted) {
  const size_t workers = adopted ? hello.workers : options_.settings.workers;
  WEIR_TRY(kernel_.set_proxy_listeners(sockets_for_kernel(listeners_, workers)));
  WEIR_TRY(place());
  set_current(link);
  current_since_ = Clock::now();
  backoff_.up(current_since_);
  state_.what = ProxyState::What::kUp;
  state_.why.clear();
  state_.since = ProxyState::WallClock::now();
  state_.pid = link->pid();
  state_.version = adopted ? hello.version : WEIR_VERSION;
  state_.build = adopted ? hello.build : build_;
  state_.loop = hello.loop;
  state_.workers = static_cast<unsigned>(workers);
  state_.adopted = adopted;
  if (adopted) state_.generation = hello.generation;
  start_at_.reset();
  down_since_.reset();
  queue_reset_ = false;
  changed_();
  return {};
}

Result<void> ProxySupervisor::replace(const std::string& reason) {
  const LinkPtr old = current();
  if (!old) return Error{"no proxy runs", ENOENT};
  const auto link = start_one();
  if (!link) return Error(link.error()).context("the new proxy cannot be started, the old one goes on");
  const auto hello = (*link)->hello(kAskTimeout);
  watch(*link);
  if (auto made = make_current(*link, hello ? *hello : proxy_process::Hello{}, false); !made) {
    (*link)->kill();
    return std::move(made).error();
  }
  ++state_.replacements;
  outdated_ = false;
  spdlog::info("proxy {} takes over from {}: {}", (*link)->pid(), old->pid(), reason);
  retire(old);
  return {};
}

void ProxySupervisor::retire(const LinkPtr& link) {
  const auto patience = std::chrono::ceil<std::chrono::milliseconds>(options_.settings.proxy.timeouts.drain);
  if (const auto told = link->drain(patience, kAskTimeout); !told) {
    spdlog::warn("proxy {} does not drain: {}; ending it", link->pid(), printable(told.error().message));
    link->kill();
  }
  constexpr auto kGrace = 5s;
  draining_.push_back({link, Clock::now() + patience + kGrace});
  note_draining();
}

void ProxySupervisor::watch(const LinkPtr& link) {
  const int pid = link->pid();
  watched_[pid] = link;
  if (const auto added = loop_.add(link->pidfd(), [this, pid] { on_ended(pid); }); !added)
    spdlog::error("proxy {} cannot be watched: {}", pid, added.error().message);
}

void ProxySupervisor::on_ended(int pid) {
  const auto found = watched_.find(pid);
  if (found == watched_.end()) return;
  const LinkPtr link = found->second;
  watched_.erase(found);
  loop_.remove(link->pidfd());
  const std::string how = how_it_ended(*link);
  ::unlink(link->socket_path().c_str());
  if (link == current()) return go_down(how);
  spdlog::info("proxy {} has drained and {}", pid, how);
  std::erase_if(draining_, [&](const auto& entry) { return entry.link == link; });
  note_draining();
}

void ProxySupervisor::go_down(const std::string& why) {
  const auto now = Clock::now();
  set_current(nullptr);
  asked_at_.reset();
  retry_at_.reset();
  outdated_ = false;
  if (!down_since_) {
    down_since_ = now;
    state_.since = ProxyState::WallClock::now();
  }
  state_.what = ProxyState::What::kDown;
  state_.silent = false;
  state_.why = why;
  const auto wait = backoff_.down(now);
  start_at_ = now + wait;
  spdlog::error("proxy {} {}; another is started in {} ms", state_.pid, printable(why),
                std::chrono::duration_cast<std::chrono::milliseconds>(wait).count());
  if (wait < kTick) tick_->every(wait);
  changed_();
}

void ProxySupervisor::set_current(LinkPtr link) {
  const std::lock_guard lock(mutex_);
  current_.swap(link);
}

ProxySupervisor::LinkPtr ProxySupervisor::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

}  // namespace weir::agent
