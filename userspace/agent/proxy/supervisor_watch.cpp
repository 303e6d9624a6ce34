// The supervisor's part that goes on while a proxy runs: telling it, and looking whether it lives.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "agent/node/log.h"
#include "agent/proxy/cgroup.h"
#include "agent/proxy/listeners.h"
#include "agent/proxy/supervisor.h"
#include "config/binary.h"

namespace weir::agent {
namespace {

using namespace std::chrono_literals;

constexpr auto kTellTimeout = 1s;      // how long a change of the configuration is held up
constexpr auto kSilenceAllowed = 30s;  // of its control thread, over a large configuration
constexpr auto kRetryTelling = 5s;
constexpr auto kBeatOld = 2s;   // as the kernel's programs have it
constexpr auto kBeatLost = 6s;  // longer than the proxy's own watchdog takes
constexpr auto kAddressPeriod = 2s;
constexpr auto kQueueAllowed = 2s;

}  // namespace

// ---------------------------------------------------------------- telling

void ProxySupervisor::prepare(ProxyConfiguration configuration) {
  configuration_ = std::move(configuration);
  state_.ports = configuration_.ports.size();
  if (state_.what == ProxyState::What::kUnsupported) return;
  const LinkPtr link = current();
  if (!link) {
    if (configuration_.needed && !start_at_) start_current();
    return;
  }
  if (outdated_) {
    const auto replaced = replace("another build or other options");
    if (replaced) return;
    spdlog::error("proxy: {}", printable(replaced.error().message));
    retry_at_ = Clock::now() + kRetryTelling;
  }
  const auto told = tell(*link, need_full_);
  if (!told)
    spdlog::error("proxy {} has not taken generation {} and goes on with {}: {}", link->pid(),
                  configuration_.generation, state_.generation, printable(told.error().message));
}

proxy_process::Configuration ProxySupervisor::message(bool full) const {
  proxy_process::Configuration message;
  message.generation = configuration_.generation;
  message.full = full;
  message.all_services = options_.build.all_services;
  message.allow_loopback_endpoints = options_.build.allow_loopback_endpoints;
  message.http_by_request = options_.build.http_by_request;
  message.gateways = options_.build.gateways;
  message.node = options_.build.node;
  message.resolved_names = configuration_.names;
  for (const auto& entry : configuration_.ports)
    message.ports.push_back({entry.port, {entry.address, entry.frontend_port}, entry.outside});
  if (full) {
    for (const auto& [name, file] : files_.all()) message.files.push_back({name, config::to_binary(*file)});
  } else {
    for (const auto& name : files_.news()) {
      const auto file = files_.find(name);
      message.files.push_back({name, file ? std::optional(config::to_binary(*file)) : std::nullopt});
    }
  }
  return message;
}

Result<void> ProxySupervisor::tell(ProxyLink& link, bool full) {
  const auto now = Clock::now();
  const auto taken = link.configure(message(full), kTellTimeout);
  if (taken) {
    state_.generation = *taken;
    need_full_ = false;
    asked_at_.reset();
    retry_at_.reset();
    files_.told();
    set_trouble("");
    return {};
  }
  const int code = taken.error().code;
  if (code == ETIMEDOUT) {
    // It has the message and will come to it.
    if (!asked_at_) asked_at_ = now;
    files_.told();
  } else {
    need_full_ = true;
    retry_at_ = now + kRetryTelling;
    if (code == EPROTO || code == EPIPE) link.kill();
  }
  set_trouble(fmt::format("it has not taken generation {} yet: {}", configuration_.generation, taken.error().message));
  return taken.error();
}

void ProxySupervisor::take_late(ProxyLink& link) {
  for (const auto& message : link.late()) {
    const auto generation = message.body.find("generation");
    if (message.type != "ready" || generation == message.body.end() || !generation->is_number_unsigned()) {
      need_full_ = true;
      retry_at_ = Clock::now() + kRetryTelling;
      continue;
    }
    state_.generation = generation->get<uint64_t>();
    if (state_.generation != configuration_.generation) continue;
    asked_at_.reset();
    set_trouble("");
    spdlog::info("proxy {} has taken generation {}", link.pid(), state_.generation);
  }
}

// ---------------------------------------------------------------- looking after it

void ProxySupervisor::on_tick() {
  const auto now = Clock::now();
  if (start_at_ && now >= *start_at_) start_again();
  if (const LinkPtr link = current()) {
    take_late(*link);
    look_at_current(now);
  } else if (down_since_ && !queue_reset_ && now - *down_since_ >= kQueueAllowed) {
    reset_queue();
  }
  look_at_draining(now);
  if (now - looked_at_addresses_ >= kAddressPeriod) look_at_addresses();
}

void ProxySupervisor::start_again() {
  if (configuration_.generation == 0) return;  // prepare() comes first
  if (!configuration_.needed) {
    start_at_.reset();
    down_since_.reset();
    state_.what = ProxyState::What::kUnneeded;
    return changed_();
  }
  start_current();
  if (!current()) return;
  ++state_.restarts;
  changed_();
}

void ProxySupervisor::look_at_current(Clock::time_point now) {
  const LinkPtr link = current();
  // A proxy that serves and was never seen beats elsewhere: the kernel does without it as if it hung.
  const std::chrono::nanoseconds age = beat_age().value_or(now - current_since_);
  if (asked_at_ && now - *asked_at_ >= kSilenceAllowed) {
    spdlog::error("proxy {} does not answer since {} s; ending it", link->pid(), kSilenceAllowed.count());
    asked_at_.reset();
    return link->kill();
  }
  if (state_.generation == 0) return;  // not serving yet
  if (age >= kBeatLost) {
    spdlog::error("proxy {} gives no sign of life since {} s; ending it", link->pid(),
                  std::chrono::duration_cast<std::chrono::seconds>(age).count());
    state_.generation = 0;  // once is enough
    return link->kill();
  }
  set_silent(age >= kBeatOld);
  if (state_.silent) return;
  if (!retry_at_ || now < *retry_at_) return;
  retry_at_.reset();
  if (outdated_) {
    if (const auto replaced = replace("another build or other options"); replaced) return;
    retry_at_ = now + kRetryTelling;
  } else if (need_full_) {
    if (tell(*link, true)) spdlog::info("proxy {} has taken generation {}", link->pid(), state_.generation);
  }
}

void ProxySupervisor::look_at_draining(Clock::time_point now) {
  for (const auto& entry : draining_)
    if (now >= entry.deadline) entry.link->kill();
}

/// Whoever waits in the queue of a proxy that does not come back is told so, and finds the fallback when it dials
/// again.
void ProxySupervisor::reset_queue() {
  queue_reset_ = true;
  listeners_.clear();
  auto filled = fill_proxy_listeners(listeners_, options_.settings.workers);
  if (filled) filled = kernel_.set_proxy_listeners(sockets_for_kernel(listeners_, options_.settings.workers));
  if (!filled) spdlog::error("proxy: {}", printable(filled.error().message));
}

Result<void> ProxySupervisor::place() {
  const NodeAddresses addresses = options_.addresses == NodeAddresses{} ? find_node_addresses() : options_.addresses;
  looked_at_addresses_ = Clock::now();
  if (placed_ == addresses) return {};
  const auto id = make_proxy_cgroup(proxy_cgroup_dir(options_.cgroup));
  if (!id) return id.error();
  WEIR_TRY(kernel_.set_proxy({addresses.v4, addresses.v6, *id, true}));
  placed_ = addresses;
  state_.addresses = addresses;
  const auto text = [](const auto& address) { return address ? address->to_string() : "none"; };
  spdlog::info("the proxy is dialled at {} and {}{}", text(addresses.v4), text(addresses.v6),
               is_loopback_only(addresses) ? ": clients in other network namespaces cannot reach it" : "");
  return {};
}

void ProxySupervisor::look_at_addresses() {
  if (!placed_) return;
  if (const auto done = place(); !done) spdlog::error("proxy: {}", printable(done.error().message));
}

void ProxySupervisor::set_trouble(const std::string& trouble) {
  if (state_.trouble == trouble) return;
  state_.trouble = trouble;
  changed_();
}

void ProxySupervisor::set_silent(bool silent) {
  if (state_.silent == silent) return;
  state_.silent = silent;
  if (silent)
    spdlog::error("proxy {} gives no sign of life that the kernel sees; it does without it", state_.pid);
  else
    spdlog::info("proxy {} gives signs of life again", state_.pid);
  changed_();
}

void ProxySupervisor::note_draining() {
  state_.draining.clear();
  for (const auto& entry : draining_) state_.draining.push_back(entry.link->pid());
  changed_();
}

// ---------------------------------------------------------------- access log

Result<void> ProxySupervisor::open_log() {
  options_.settings.has_log = !options_.access_log.empty();
  if (options_.access_log.empty()) return {};
  const int flags = O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC;
  if (options_.access_log == "stderr") {
    // Opened anew, so that not waiting is its own: ours must wait. A socket cannot be, and then both do not.
    log_.reset(::open("/proc/self/fd/2", flags));
    if (!log_) log_.reset(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
  } else {
    log_.reset(::open(options_.access_log.c_str(), flags | O_CREAT | O_NOFOLLOW, 0640));
  }
  if (!log_) return errno_error("open the access log " + options_.access_log);
  return {};
}

void ProxySupervisor::reopen_log() {
  if (options_.access_log.empty() || options_.access_log == "stderr") return;
  const LinkPtr link = current();
  auto done = open_log();
  if (done && link) done = link->new_log(log_.get(), kTellTimeout);
  if (!done) spdlog::error("access log: {}", printable(done.error().message));
}

// ---------------------------------------------------------------- any thread

std::optional<std::chrono::nanoseconds> ProxySupervisor::beat_age() const {
  if (!beat_) return {};
  const auto last = beat_->read();
  if (last == Clock::time_point{}) return {};
  return std::max<std::chrono::nanoseconds>(Clock::now() - last, 0ns);
}

Result<std::optional<proxy_process::Report>> ProxySupervisor::report() const {
  const LinkPtr link = current();
  if (!link) return std::optional<proxy_process::Report>();
  auto report = link->report(kTellTimeout);
  if (!report) return std::move(report).error();
  return std::optional(std::move(*report));
}

}  // namespace weir::agent
