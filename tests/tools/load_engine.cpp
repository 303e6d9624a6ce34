#include "load_engine.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <limits>

#include "http_text.h"

namespace weir::tools {
namespace {

constexpr uint64_t kStdin = std::numeric_limits<uint64_t>::max();
// While thousands of connections are each used once: what idles is of interest, not a burst.
constexpr uint64_t kHoldAtOnce = 64;

Error system_error(const char* what) {
  return Error{std::string(what) + ": " + strerrorname_np(errno)};
}

}  // namespace

Result<void> LoadEngine::open() {
  epoll_ = FileDescriptor(epoll_create1(EPOLL_CLOEXEC));
  if (options_.until_eof) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = kStdin}};
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, STDIN_FILENO, &event) != 0) return system_error("epoll_ctl");
  }
  connections_.resize(options_.connections);
  for (size_t i = 0; i < connections_.size(); ++i) {
    // Thousands to be held are each used as soon as they are open: who waits for a first request waits less long.
    if (!options_.hold) WEIR_TRY(connect(i));
    idle_.push_back(i);
  }
  return {};
}

Result<void> LoadEngine::connect(size_t index) {
  Connection& connection = connections_[index];
  connection.in.clear();
  FileDescriptor socket(::socket(options_.target.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return system_error("socket");
  const timeval limit{.tv_sec = 10, .tv_usec = 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  const int yes = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  if (::connect(socket.get(), options_.target.get(), options_.target.length) != 0) return system_error("connect");
  fcntl(socket.get(), F_SETFL, O_NONBLOCK);
  epoll_event event{.events = EPOLLIN, .data = {.u64 = index}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket.get(), &event) != 0) return system_error("epoll_ctl");
  connection.socket = std::move(socket);
  return {};
}

void LoadEngine::start(size_t index, Clock::time_point due) {
  Connection& connection = connections_[index];
  ++started_;
  connection.busy = true;
  connection.due = due;
  connection.special = sequence_++ * options_.special_percent % 100 < options_.special_percent;
  if (!connection.socket) {
    if (const auto opened = connect(index); !opened) return fail(index, opened.error().message);
  }
  const std::string& request = connection.special ? options_.special : options_.plain;
  const ssize_t sent = send(connection.socket.get(), request.data(), request.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(request.size())) fail(index, sent < 0 ? strerrorname_np(errno) : "short send");
}

bool LoadEngine::take_answer(Connection& connection, bool& closes) {
  const auto head = read_head(connection.in);
  if (!head || connection.in.size() < head->total()) return false;
  closes = head->closes();
  const int status = response_status(head->first_line);
  const std::string_view version = head->field("x-version");
  const std::string& wanted = connection.special ? options_.special_version : options_.plain_version;
  if (status < 200 || status >= 500) {
    ++counts_.failed;
    ++counts_.errors["status " + std::to_string(status)];
  } else {
    counts_.count_version(version);
    if (!wanted.empty() && version != wanted) {
      ++counts_.failed;
      ++counts_.errors["misrouted"];
    }
  }
  connection.in.erase(0, head->total());
  return true;
}

void LoadEngine::finish(size_t index) {
  Connection& connection = connections_[index];
  connection.busy = false;
  ++finished_;
  ++counts_.total;
  const auto took = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - connection.due).count();
  counts_.latencies_ns.push_back(static_cast<uint32_t>(std::min<int64_t>(took, std::numeric_limits<uint32_t>::max())));
  idle_.push_back(index);
}

void LoadEngine::fail(size_t index, const std::string& why) {
  ++counts_.failed;
  ++counts_.errors[why];
  connections_[index].socket.reset();
  finish(index);
}

void LoadEngine::receive(size_t index) {
  Connection& connection = connections_[index];
  const ssize_t got = recv(connection.socket.get(), buffer_.data(), buffer_.size(), 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    if (connection.busy) return fail(index, got == 0 ? "closed without an answer" : strerrorname_np(errno));
    connection.socket.reset();  // an idle connection may be closed; the next request opens another
    return;
  }
  connection.in.append(buffer_.data(), static_cast<size_t>(got));
  bool closes = false;
  if (!connection.busy || !take_answer(connection, closes)) return;
  if (closes) connection.socket.reset();
  finish(index);
}

std::optional<timespec> LoadEngine::until_due() const {
  if (options_.rate <= 0 || !may_start()) return std::nullopt;
  if (idle_.empty()) return std::nullopt;
  const auto due =
      begin_ + std::chrono::nanoseconds(static_cast<int64_t>(1e9 * static_cast<double>(started_) / options_.rate));
  const auto left =
      std::max<int64_t>(0, std::chrono::duration_cast<std::chrono::nanoseconds>(due - Clock::now()).count());
  return timespec{.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
}

void LoadEngine::start_due() {
  while (may_start() && !idle_.empty()) {
    if (options_.hold && started_ - finished_ >= kHoldAtOnce) return;
    Clock::time_point due = Clock::now();
    if (options_.rate > 0) {
      const auto planned =
          begin_ + std::chrono::nanoseconds(static_cast<int64_t>(1e9 * static_cast<double>(started_) / options_.rate));
      if (planned > due) return;
      due = planned;
    }
    const size_t index = idle_.front();
    idle_.pop_front();
    start(index, due);
  }
}

void LoadEngine::poll_once() {
  epoll_event events[256];
  const auto wait = until_due();
  const timespec limit{.tv_sec = 10, .tv_nsec = 0};
  const int number = epoll_pwait2(epoll_.get(), events, 256, wait ? &*wait : &limit, nullptr);
  if (number == 0 && !wait) {
    for (size_t i = 0; i < connections_.size(); ++i)
      if (connections_[i].busy) fail(i, "no answer in 10 s");
  }
  for (int i = 0; i < number; ++i) {
    if (events[i].data.u64 == kStdin) {
      ended_ = true;
      epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, STDIN_FILENO, nullptr);
    } else if (connections_[events[i].data.u64].socket) {
      receive(events[i].data.u64);
    }
  }
}

void LoadEngine::run_round(uint64_t requests) {
  started_ = finished_ = 0;
  limit_ = requests;
  begin_ = Clock::now();
  for (;;) {
    start_due();
    if (!may_start() && finished_ == started_) return;
    poll_once();
  }
}

void LoadEngine::hold() {
  std::cerr << "holding" << std::endl;
  char bytes[64];
  while (read(STDIN_FILENO, bytes, sizeof(bytes)) > 0) {}
}

void LoadEngine::run() {
  if (!options_.hold) return run_round(options_.until_eof ? std::numeric_limits<uint64_t>::max() : options_.requests);
  run_round(connections_.size());
  hold();
  run_round(connections_.size());
}

}  // namespace weir::tools
