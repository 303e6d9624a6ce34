#include "proxy_process/process.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <memory>
#include <vector>

#include "proxy_process/channel.h"
#include "proxy_process/control.h"
#include "proxy_process/log.h"
#include "proxy_process/sandbox.h"

namespace weir::proxy_process {
namespace {

/// Agents at once: one, and one that takes over from it, and whoever uninstalls.
constexpr size_t kMostConnections = 4;
constexpr auto kAnswerTimeout = std::chrono::seconds(2);
constexpr int kDrainPollMs = 100;

class Process {
 public:
  Process(FileDescriptor listener, FileDescriptor signals, uid_t agent_uid)
      : listener_(std::move(listener)), signals_(std::move(signals)), agent_uid_(agent_uid) {}

  void run();

 private:
  void take_connection();
  bool serve(Channel& channel);
  void take_signals();

  FileDescriptor listener_, signals_;
  uid_t agent_uid_;
  Control control_{&forbid_new_rings};
  std::vector<std::unique_ptr<Channel>> connections_;
};

void Process::run() {
  while (!control_.finished()) {
    std::vector<pollfd> entries = {{listener_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}};
    for (const auto& connection : connections_) entries.push_back({connection->fd(), POLLIN, 0});
    if (::poll(entries.data(), entries.size(), control_.draining() ? kDrainPollMs : -1) <= 0) continue;
    if (entries[1].revents != 0) take_signals();
    for (size_t i = connections_.size(); i > 0; --i)
      if (entries[i + 1].revents != 0 && !serve(*connections_[i - 1]))
        connections_.erase(connections_.begin() + static_cast<long>(i) - 1);
    if (entries[0].revents != 0) take_connection();
  }
}

void Process::take_connection() {
  FileDescriptor fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd) return;
  ucred peer{};
  socklen_t size = sizeof peer;
  const bool known = ::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
  if (!known || (peer.uid != 0 && peer.uid != agent_uid_)) {
    log_line(LogLevel::kWarning, fmt::format("control connection of uid {} refused", known ? peer.uid : 0));
    return;
  }
  // The newest is the one that counts: an agent that was killed may leave others behind.
  if (connections_.size() == kMostConnections) connections_.erase(connections_.begin());
  connections_.push_back(std::make_unique<Channel>(
      std::move(fd), ChannelLimits{.fds = kMaxMessageFds, .blob_bytes = kMaxConfigurationBytes}));
}

/// False: this connection has ended.
bool Process::serve(Channel& channel) {
  auto packet = channel.receive(Channel::Clock::now());
  if (!packet) {
    if (packet.error().code != EPIPE) log_line(LogLevel::kWarning, "control connection: " + packet.error().message);
    return false;
  }
  if (!*packet) return true;
  const Answer answer = control_.handle(std::move(**packet));
  return channel.send(answer.message, Channel::Clock::now() + kAnswerTimeout, answer.fds, answer.blob).has_value();
}

void Process::take_signals() {
  constexpr auto kPatience = std::chrono::seconds(10);
  signalfd_siginfo info{};
  if (::read(signals_.get(), &info, sizeof info) != sizeof info) return;
  log_line(LogLevel::kInfo, fmt::format("signal {}: draining", info.ssi_signo));
  control_.drain(kPatience);
}

Result<FileDescriptor> watch_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  if (::pthread_sigmask(SIG_BLOCK, &set, nullptr) != 0) return errno_error("block signals");
  std::signal(SIGPIPE, SIG_IGN);
  FileDescriptor fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return errno_error("signalfd");
  return fd;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Result<FileDescriptor> set_up(const ProcessOptions& options) {
  ::prctl(PR_SET_NAME, "weir-proxy");
  constexpr int kBacklog = 16;
  // Ours from here on: who connects learns our pid from the kernel.
  if (::listen(options.control_fd, kBacklog) != 0) return errno_error("listen on the control socket");
  raise_descriptor_limit();
  ::tzset();
  prepare_stack_dump();
  auto signals = watch_signals();
  if (!signals) return std::move(signals).error();
  WEIR_TRY(enter_sandbox());
  return std::move(*signals);
}

}  // namespace

int run_process(const ProcessOptions& options) {
  FileDescriptor control(options.control_fd);
  auto signals = set_up(options);
  if (!signals) {
    log_line(LogLevel::kError, "cannot start: " + signals.error().message);
    return 1;
  }
  Process process(std::move(control), std::move(*signals), options.agent_uid);
  process.run();
  log_line(LogLevel::kInfo, "ends");
  return 0;
}

}  // namespace weir::proxy_process
