#include "client_worker.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <limits>
#include <utility>

#include "http_text.h"

namespace weir::tools {
namespace {

uint64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

std::string error_name(int number) {
  if (number == EAGAIN || number == EINPROGRESS) return "TIMEOUT";
  const char* name = strerrorname_np(number);
  return name != nullptr ? name : std::to_string(number);
}

uint32_t elapsed_since(uint64_t start) {
  return static_cast<uint32_t>(std::min<uint64_t>(now_ns() - start, std::numeric_limits<uint32_t>::max()));
}

}  // namespace

void ClientCounts::count_version(std::string_view version) {
  const auto found = std::find_if(by_version.begin(), by_version.end(), [&](auto& e) { return e.first == version; });
  if (found != by_version.end()) {
    ++found->second;
  } else {
    by_version.emplace_back(version, 1);
  }
}

void ClientCounts::merge(ClientCounts other) {
  total += other.total;
  failed += other.failed;
  for (const auto& [version, count] : other.by_version) {
    count_version(version);
    for (auto& entry : by_version) {
      if (entry.first == version) entry.second += count - 1;
    }
  }
  for (const auto& [error, count] : other.errors) errors[error] += count;
  latencies_ns.insert(latencies_ns.end(), other.latencies_ns.begin(), other.latencies_ns.end());
  sequence.insert(sequence.end(), other.sequence.begin(), other.sequence.end());
}

void ClientWorker::run(std::atomic<int64_t>& tickets, const std::atomic<bool>& stop) {
  while (!stop.load(std::memory_order_relaxed)) {
    const int64_t ticket = tickets.fetch_sub(1, std::memory_order_relaxed);
    if (ticket <= 0) return;
    const SocketAddress& target = options_.targets[static_cast<uint64_t>(ticket) % options_.targets.size()];
    const uint64_t start = now_ns();
    const std::string failure = one_connection(target);
    ++counts_.total;
    if (!failure.empty()) {
      ++counts_.failed;
      ++counts_.errors[failure];
    } else if (options_.mode != ClientOptions::Mode::kPingPong) {
      counts_.latencies_ns.push_back(elapsed_since(start));
    }
    if (options_.pause_us > 0) usleep(static_cast<useconds_t>(options_.pause_us));
  }
}

std::string ClientWorker::one_connection(const SocketAddress& target) {
  FileDescriptor fd;
  if (std::string failure = open_connection(target, fd); !failure.empty()) return failure;
  input_.clear();
  switch (options_.mode) {
    case ClientOptions::Mode::kHttp:
      return exchange_http(fd.get());
    case ClientOptions::Mode::kTcp:
      return exchange_line(fd.get(), true);
    case ClientOptions::Mode::kPingPong:
      return ping_pong(fd.get());
    case ClientOptions::Mode::kConnect:
      return {};
  }
  return {};
}

std::string ClientWorker::open_connection(const SocketAddress& target, FileDescriptor& fd) {
  fd.reset(socket(target.family(), SOCK_STREAM | SOCK_CLOEXEC | (options_.nonblocking ? SOCK_NONBLOCK : 0), 0));
  if (!fd) return error_name(errno);
  if (options_.timeout_ms > 0) {
    const timeval limit{.tv_sec = static_cast<time_t>(options_.timeout_ms / 1000),
                        .tv_usec = static_cast<suseconds_t>(options_.timeout_ms % 1000 * 1000)};
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  }
  if (options_.reset) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  }
  if (options_.bind_to && bind(fd.get(), options_.bind_to->get(), options_.bind_to->length) != 0) {
    return "bind " + error_name(errno);
  }
  if (connect(fd.get(), target.get(), target.length) != 0) {
    if (!options_.nonblocking || errno != EINPROGRESS) return error_name(errno);
    if (std::string failure = wait_connected(fd.get()); !failure.empty()) return failure;
  }
  if (options_.nonblocking) fcntl(fd.get(), F_SETFL, 0);
  return options_.expected_peer ? check_peer(fd.get()) : std::string();
}

std::string ClientWorker::wait_connected(int fd) {
  pollfd wanted{.fd = fd, .events = POLLOUT, .revents = 0};
  const int limit = options_.timeout_ms > 0 ? static_cast<int>(options_.timeout_ms) : -1;
  if (poll(&wanted, 1, limit) == 0) return "TIMEOUT";
  int error = 0;
  socklen_t length = sizeof(error);
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  return error == 0 ? std::string() : error_name(error);
}

std::string ClientWorker::check_peer(int fd) const {
  const auto peer = peer_of(fd);
  if (!peer) return error_name(peer.error().code);
  const std::string text = peer->to_string();
  return text == *options_.expected_peer ? std::string() : "PEER " + text;
}

std::string ClientWorker::exchange_http(int fd) {
  std::array<char, 16384> buffer;
  for (uint64_t left = options_.requests; left > 0; --left) {
    const std::string& request = left == 1 ? options_.last_request : options_.request;
    if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) return error_name(errno);
    std::optional<HttpHead> head;
    while (!(head = read_head(input_)) || input_.size() < head->total()) {
      const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
      if (got <= 0) return got == 0 ? "EOF" : error_name(errno);
      input_.append(buffer.data(), static_cast<size_t>(got));
    }
    const int status = response_status(head->first_line);
    if (status != 200) return "HTTP " + std::to_string(status);
    std::string_view version = head->field(options_.key);
    const std::string_view body(input_.data() + head->length, head->body_length);
    if (version.empty()) version = body.substr(0, body.find_first_of(" \r\n"));
    counts_.count_version(version);
    if (options_.sequence) counts_.sequence.emplace_back(version);
    input_.erase(0, head->total());
  }
  return {};
}

std::string ClientWorker::exchange_line(int fd, bool greeting) {
  std::array<char, 4096> buffer;
  size_t end = 0;
  while ((end = input_.find('\n')) == std::string::npos) {
    const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
    if (got <= 0) return got == 0 ? "EOF" : error_name(errno);
    input_.append(buffer.data(), static_cast<size_t>(got));
  }
  if (greeting) {
    counts_.count_version(std::string_view(input_).substr(0, end));
    if (options_.sequence) counts_.sequence.emplace_back(input_, 0, end);
  }
  input_.erase(0, end + 1);
  return {};
}

std::string ClientWorker::ping_pong(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (std::string failure = exchange_line(fd, true); !failure.empty()) return failure;
  for (uint64_t left = options_.requests; left > 0; --left) {
    const uint64_t start = now_ns();
    if (send(fd, "ping\n", 5, MSG_NOSIGNAL) < 0) return error_name(errno);
    if (std::string failure = exchange_line(fd, false); !failure.empty()) return failure;
    counts_.latencies_ns.push_back(elapsed_since(start));
  }
  return {};
}

}  // namespace weir::tools
