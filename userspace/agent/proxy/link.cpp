#include "agent/proxy/link.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

#include "proxy_process/fields.h"

namespace weir::agent {
namespace {

using proxy_process::Channel;
using proxy_process::Json;
using proxy_process::Message;
using proxy_process::Packet;

constexpr size_t kMaxMessageText = 2000;

Error protocol_error(const std::string& what) {
  return Error{"the proxy broke the protocol: " + what, EPROTO};
}

Result<FileDescriptor> connect_once(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return Error{"socket path " + path + " is too long", ENAMETOOLONG};
  std::memcpy(address.sun_path, path.data(), path.size());
  FileDescriptor fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return errno_error("socket");
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return errno_error("connect to the proxy at " + path);
  return fd;
}

Result<FileDescriptor> connect_until(const std::string& path, ProxyLink::Clock::time_point deadline) {
  for (;;) {
    auto fd = connect_once(path);
    // Refused: bound, and nobody listens (yet). EAGAIN: its queue is full.
    if (fd || (fd.error().code != ECONNREFUSED && fd.error().code != EAGAIN)) return fd;
    if (ProxyLink::Clock::now() >= deadline) return fd;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

int option_of(int fd, int option, int missing) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : missing;
}

uint64_t cookie_of_namespace(int fd) {
#ifndef SO_NETNS_COOKIE
  constexpr int SO_NETNS_COOKIE = 71;
#endif
  uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  return ::getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

}  // namespace

Result<void> check_listener(int fd) {
  const int family = option_of(fd, SO_DOMAIN, -1);
  if (family != AF_INET && family != AF_INET6) return Error{"not an internet socket", EINVAL};
  if (option_of(fd, SO_PROTOCOL, -1) != IPPROTO_TCP) return Error{"not a TCP socket", EINVAL};
  if (option_of(fd, SO_ACCEPTCONN, 0) != 1) return Error{"not a listening socket", EINVAL};
  const FileDescriptor ours(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (ours && cookie_of_namespace(fd) != cookie_of_namespace(ours.get()))
    return Error{"a socket of another network namespace", EINVAL};
  return {};
}

ProxyLink::ProxyLink(std::string socket_path, FileDescriptor socket, FileDescriptor pidfd, pid_t pid)
    : socket_path_(std::move(socket_path)),
      pid_(pid),
      pidfd_(std::move(pidfd)),
      channel_(std::move(socket), {.fds = proxy_process::kMaxMessageFds, .blob_bytes = proxy_process::kMaxStatsBytes}) {
}

Result<std::unique_ptr<ProxyLink>> ProxyLink::connect(const std::string& socket_path, Timeout timeout) {
  auto socket = connect_until(socket_path, Clock::now() + timeout);
  if (!socket) return std::move(socket).error();
  // Of who called listen(): the kernel's word, not the proxy's.
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket->get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return errno_error("SO_PEERCRED");
  FileDescriptor pidfd(static_cast<int>(::syscall(SYS_pidfd_open, peer.pid, 0)));
  if (!pidfd) return errno_error("pidfd_open of the proxy");
  return std::unique_ptr<ProxyLink>(new ProxyLink(socket_path, std::move(*socket), std::move(pidfd), peer.pid));
}

bool ProxyLink::ended() const {
  pollfd entry{pidfd_.get(), POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1;
}

void ProxyLink::kill() const {
  ::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
}

void ProxyLink::note_late(const Message& message) {
  constexpr size_t kMost = 16;  // nobody asks that often without looking
  if (message.type == "ready" && late_.size() < kMost) late_.push_back(message);
}

Result<Packet> ProxyLink::ask(const Question& question, Timeout timeout) {
  const std::lock_guard lock(mutex_);
  const auto deadline = Clock::now() + timeout;
  const uint64_t id = next_id_++;
  WEIR_TRY(channel_.send({question.type, id, question.body}, deadline, question.fds, question.blob));
  return answer_to(id, question, deadline);
}

Result<Packet> ProxyLink::answer_to(uint64_t id, const Question& question, Clock::time_point deadline) {
  for (;;) {
    auto packet = channel_.receive(deadline);
    if (!packet && packet.error().code == EPIPE) return std::move(packet).error().context("proxy");
    if (!packet) return protocol_error(packet.error().message);
    if (!*packet) return Error{"the proxy does not answer \"" + std::string(question.type) + "\"", ETIMEDOUT};
    const Message& message = (*packet)->message;
    if (message.id > id) return protocol_error("an answer to nothing");
    if (message.id < id) {
      note_late(message);
      continue;
    }
    if (message.type == "failed") {
      proxy_process::Fields fields(message.body);
      Error error{"proxy: " + fields.text_or("message", "failed", kMaxMessageText),
                  static_cast<int>(fields.number_or("code", 0, 4095))};
      if (error.code == EPROTO || error.code == ETIMEDOUT || error.code == EPIPE) error.code = 0;  // ours to say
      return error;
    }
    if (message.type != question.answer) return protocol_error("\"" + message.type + "\" is no answer");
    return std::move(**packet);
  }
}

std::vector<Message> ProxyLink::late() {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return {};
  for (;;) {
    auto packet = channel_.receive(Clock::now());
    if (!packet || !*packet) break;  // its end shows at the next question, and by its process
    note_late((*packet)->message);
  }
  return std::exchange(late_, {});
}

Result<proxy_process::Hello> ProxyLink::hello(Timeout timeout) {
  const auto packet = ask({.type = "hello", .answer = "hello"}, timeout);
  if (!packet) return packet.error();
  auto hello = proxy_process::hello_from_json(packet->message.body);
  if (!hello) return protocol_error(hello.error().message);
  return hello;
}

Result<void> ProxyLink::start(const proxy_process::Settings& settings, int beat, int log,
                              std::span<const int> listeners, Timeout timeout) {
  std::vector<int> fds = {beat};
  if (settings.has_log) fds.push_back(log);
  fds.insert(fds.end(), listeners.begin(), listeners.end());
  const auto packet =
      ask({.type = "start", .body = proxy_process::to_json(settings), .fds = fds, .answer = "started"}, timeout);
  if (!packet) return packet.error();
  return {};
}

Result<uint64_t> ProxyLink::configure(const proxy_process::Configuration& configuration, Timeout timeout) {
  const std::string blob = proxy_process::to_blob(configuration);
  const auto packet = ask({.type = "configure", .blob = blob, .answer = "ready"}, timeout);
  if (!packet) return packet.error();
  proxy_process::Fields fields(packet->message.body);
  const uint64_t generation = fields.number("generation");
  if (!fields.finish()) return protocol_error("\"ready\" without its generation");
  return generation;
}

Result<std::vector<FileDescriptor>> ProxyLink::listeners(Timeout timeout) {
  auto packet = ask({.type = "listeners", .answer = "listeners"}, timeout);
  if (!packet) return std::move(packet).error();
  for (const auto& fd : packet->fds)
    if (const auto good = check_listener(fd.get()); !good) return protocol_error("listeners: " + good.error().message);
  return std::move(packet->fds);
}

Result<proxy_process::Report> ProxyLink::report(Timeout timeout) {
  const auto packet = ask({.type = "stats", .answer = "stats"}, timeout);
  if (!packet) return packet.error();
  const auto json = proxy_process::read_json(packet->blob);
  if (!json) return protocol_error(json.error().message);
  auto report = proxy_process::report_from_json(*json);
  if (!report) return protocol_error(report.error().message);
  return report;
}

Result<void> ProxyLink::new_log(int log, Timeout timeout) {
  const std::vector<int> fds = {log};
  const auto packet = ask({.type = "access_log", .fds = fds, .answer = "done"}, timeout);
  if (!packet) return packet.error();
  return {};
}

Result<void> ProxyLink::drain(std::chrono::milliseconds patience, Timeout timeout) {
  const auto packet = ask({.type = "drain", .body = {{"ms", patience.count()}}, .answer = "draining"}, timeout);
  if (!packet) return packet.error();
  return {};
}

Result<void> ProxyLink::stop(Timeout timeout) {
  const auto packet = ask({.type = "stop", .answer = "stopping"}, timeout);
  if (!packet) return packet.error();
  return {};
}

}  // namespace weir::agent
