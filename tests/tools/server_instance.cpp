#include "server_instance.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace weir::tools {
namespace {

constexpr size_t kInputLimit = 64 * 1024;

bool send_all(int fd, std::string_view text) {
  // Answers are far smaller than a socket buffer: what does not fit at once belongs to a client that does not read.
  return send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

bool watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace

ServerInstance::ServerInstance(std::string name, SocketAddress address, Protocol protocol, Handler handler)
    : name_(std::move(name)), address_(address), protocol_(protocol), handler_(std::move(handler)) {}

Result<void> ServerInstance::start() {
  auto listener = listen_on(address_);
  if (!listener) return std::move(listener).error();
  listener_ = std::move(*listener);
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) return errno_error("epoll_create1");
  if (!watch(epoll_.get(), listener_.get())) return errno_error("epoll_ctl");
  thread_ = std::thread([this] { run(); });
  thread_.detach();
  return {};
}

void ServerInstance::run() {
  std::array<epoll_event, 256> events{};
  for (;;) {
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(), -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      if (fd == listener_.get()) {
        accept_all();
        continue;
      }
      const auto found = open_connections_.find(fd);
      if (found != open_connections_.end() && !serve(found->second)) {
        open_connections_.erase(found);
        open_.store(open_connections_.size(), std::memory_order_relaxed);
      }
    }
  }
}

void ServerInstance::accept_all() {
  for (;;) {
    FileDescriptor fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) return;
    const int number = fd.get();
    connections_.fetch_add(1, std::memory_order_relaxed);
    if (protocol_ == Protocol::kTcp) {
      requests_.fetch_add(1, std::memory_order_relaxed);
      if (!send_all(number, name_ + "\n")) continue;
    }
    if (!watch(epoll_.get(), number)) continue;
    open_connections_[number].fd = std::move(fd);
    open_.store(open_connections_.size(), std::memory_order_relaxed);
  }
}

bool ServerInstance::serve(Connection& connection) {
  std::array<char, 16384> buffer;
  const ssize_t got = recv(connection.fd.get(), buffer.data(), buffer.size(), 0);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  connection.input.append(buffer.data(), static_cast<size_t>(got));
  if (connection.input.size() > kInputLimit) return false;
  return protocol_ == Protocol::kHttp ? serve_http(connection) : serve_lines(connection);
}

bool ServerInstance::serve_http(Connection& connection) {
  for (;;) {
    const auto head = read_head(connection.input);
    if (!head || connection.input.size() < head->total()) return true;
    const uint64_t number = requests_.fetch_add(1, std::memory_order_relaxed) + 1;
    const Answer answer = handler_(*head, number);
    std::string text = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(answer.body.size()) + "\r\n" +
                       answer.fields + "X-Served-By: " + address_.to_string() + "\r\n";
    const bool closes = head->closes();
    text += closes ? "Connection: close\r\n\r\n" : "\r\n";
    text += answer.body;
    if (!send_all(connection.fd.get(), text) || closes) return false;
    connection.input.erase(0, head->total());
  }
}

bool ServerInstance::serve_lines(Connection& connection) {
  size_t end = 0;
  while ((end = connection.input.find('\n')) != std::string::npos) {
    if (!send_all(connection.fd.get(), name_ + " " + connection.input.substr(0, end + 1))) return false;
    connection.input.erase(0, end + 1);
  }
  return true;
}

}  // namespace weir::tools
