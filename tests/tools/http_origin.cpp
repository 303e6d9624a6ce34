// Endpoints for the benchmarks: one thread, epoll, keep-alive, as little of their own as can be.
//
//   http_origin --serve v2@10.99.2.1:8080 --serve v3@10.99.2.2:8080
//
// GET /N answers with N bytes (at most 1 MiB), anything else with 100, and the header X-Version. A request with a body
// is read and answered too. Prints "ready" when all listen; ends with its stdin, after one line of JSON: requests by
// name.

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "arguments.h"
#include "http_text.h"
#include "socket_address.h"

namespace weir::tools {
namespace {

constexpr size_t kMaxBody = size_t{1} << 20, kMaxRequest = size_t{1} << 21;

struct Version {
  std::string name;
  FileDescriptor listener;
  uint64_t requests = 0;
  std::map<size_t, std::string> answers;  // by size of the body

  const std::string& answer(size_t size) {
    std::string& text = answers[size];
    if (text.empty()) {
      text = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Version: " + name +
             "\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + std::string(size, 'x');
    }
    return text;
  }
};

struct Connection {
  FileDescriptor socket;
  Version* version = nullptr;
  std::string in, out;
  size_t sent = 0;     // of `out`
  bool waits = false;  // for room in the socket
};

size_t body_size(std::string_view path) {
  size_t size = 100;
  if (path.size() > 1) std::from_chars(path.data() + 1, path.data() + path.size(), size);
  return size > kMaxBody ? kMaxBody : size;
}

class Origin {
 public:
  Result<void> listen(const std::string& text) {
    const size_t at = text.find('@');
    if (at == std::string::npos || at == 0) return Error{text + ": not NAME@ADDRESS:PORT"};
    auto address = parse_socket_address(text.substr(at + 1));
    if (!address) return std::move(address).error();
    auto listener = listen_on(*address);
    if (!listener) return std::move(listener).error();
    versions_.push_back(std::make_unique<Version>(Version{text.substr(0, at), std::move(*listener), 0, {}}));
    watch(versions_.back()->listener.get(), EPOLLIN);
    return {};
  }

  void run() {
    watch(STDIN_FILENO, EPOLLIN);
    epoll_event events[256];
    while (!ended_) {
      const int number = epoll_wait(epoll_.get(), events, 256, -1);
      for (int i = 0; i < number; ++i) handle(events[i].data.fd, events[i].events);
    }
    const char* separator = "{";
    for (const auto& version : versions_) {
      std::cout << separator << '"' << version->name << "\":" << version->requests;
      separator = ",";
    }
    std::cout << "}" << std::endl;
  }

 private:
  void watch(int fd, uint32_t events, int how = EPOLL_CTL_ADD) {
    epoll_event event{.events = events, .data = {.fd = fd}};
    epoll_ctl(epoll_.get(), how, fd, &event);
  }

  void handle(int fd, uint32_t events) {
    if (fd == STDIN_FILENO) {
      char bytes[64];
      ended_ = read(fd, bytes, sizeof(bytes)) <= 0;
      return;
    }
    for (const auto& version : versions_)
      if (version->listener.get() == fd) return accept(*version);
    const auto found = connections_.find(fd);
    if (found == connections_.end()) return;
    Connection& connection = *found->second;
    if ((events & EPOLLOUT) != 0 ? !send(connection) : !receive(connection)) connections_.erase(found);
  }

  void accept(Version& version) {
    for (;;) {
      FileDescriptor socket(accept4(version.listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!socket) return;
      const int fd = socket.get();
      auto connection = std::make_unique<Connection>();
      connection->socket = std::move(socket);
      connection->version = &version;
      connections_[fd] = std::move(connection);
      watch(fd, EPOLLIN);
    }
  }

  bool receive(Connection& connection) {
    const ssize_t got = recv(connection.socket.get(), buffer_, sizeof(buffer_), 0);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    connection.in.append(buffer_, static_cast<size_t>(got));
    while (const auto head = read_head(connection.in)) {
      if (connection.in.size() < head->total()) break;
      connection.out += connection.version->answer(body_size(request_path(head->first_line)));
      ++connection.version->requests;
      connection.in.erase(0, head->total());
    }
    return connection.in.size() < kMaxRequest && send(connection);
  }

  bool send(Connection& connection) {
    while (connection.sent < connection.out.size()) {
      const ssize_t put = ::send(connection.socket.get(), connection.out.data() + connection.sent,
                                 connection.out.size() - connection.sent, MSG_NOSIGNAL);
      if (put < 0) {
        if (errno != EAGAIN) return false;
        if (!connection.waits) watch(connection.socket.get(), EPOLLOUT, EPOLL_CTL_MOD);
        return connection.waits = true;
      }
      connection.sent += static_cast<size_t>(put);
    }
    if (connection.waits) watch(connection.socket.get(), EPOLLIN, EPOLL_CTL_MOD);
    connection.waits = false;
    connection.out.clear();
    connection.sent = 0;
    return true;
  }

  FileDescriptor epoll_{epoll_create1(EPOLL_CLOEXEC)};
  std::vector<std::unique_ptr<Version>> versions_;
  std::map<int, std::unique_ptr<Connection>> connections_;
  char buffer_[65536];
  bool ended_ = false;
};

int run(int argc, char** argv) {
  const auto arguments = Arguments::parse(argc, argv, {"serve"}, {});
  if (!arguments) {
    std::cerr << "http_origin: " << arguments.error().message << "\n";
    return 64;
  }
  Origin origin;
  for (const std::string& text : arguments->all("serve")) {
    if (const auto listening = origin.listen(text); !listening) {
      std::cerr << "http_origin: " << listening.error().message << "\n";
      return 1;
    }
  }
  std::cout << "ready" << std::endl;
  origin.run();
  return 0;
}

}  // namespace
}  // namespace weir::tools

int main(int argc, char** argv) {
  return weir::tools::run(argc, argv);
}
