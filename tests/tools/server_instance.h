#pragma once
// One listening address with a name. Each instance has a thread of its own, so that a server which calls another one
// of the same process (productpage -> reviews -> ratings) never waits for itself.

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "base/file_descriptor.h"
#include "base/result.h"
#include "http_text.h"
#include "socket_address.h"

namespace weir::tools {

/// The body of an answer and the header lines that go with it ("X-Version: v1\r\n").
struct Answer {
  std::string fields;
  std::string body;
};
/// Called on the instance's thread; may block.
using Handler = std::function<Answer(const HttpHead& request, uint64_t number)>;

class ServerInstance {
 public:
  enum class Protocol { kHttp, kTcp };
  ServerInstance(std::string name, SocketAddress address, Protocol protocol, Handler handler);

  /// Listens and starts the thread, which runs until the process ends.
  Result<void> start();

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const SocketAddress& address() const { return address_; }
  [[nodiscard]] uint64_t connections() const { return connections_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint64_t requests() const { return requests_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint64_t open() const { return open_.load(std::memory_order_relaxed); }

 private:
  struct Connection {
    FileDescriptor fd;
    std::string input;
  };

  void run();
  void accept_all();
  /// False: the connection is at its end.
  bool serve(Connection& connection);
  bool serve_http(Connection& connection);
  bool serve_lines(Connection& connection);

  std::string name_;
  SocketAddress address_;
  Protocol protocol_;
  Handler handler_;
  FileDescriptor listener_, epoll_;
  std::unordered_map<int, Connection> open_connections_;
  std::atomic<uint64_t> connections_{0}, requests_{0}, open_{0};
  std::thread thread_;
};

}  // namespace weir::tools
