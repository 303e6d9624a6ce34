#pragma once
// One thread's connections: as many as its share, one after the other, in blocking calls (an event loop would add its
// own noise to what is measured).

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"
#include "socket_address.h"

namespace weir::tools {

struct ClientOptions {
  enum class Mode {
    kHttp,      // one or more GETs a connection
    kTcp,       // read the server's greeting
    kConnect,   // connect and close
    kPingPong,  // round trips of a line on one connection; each is timed
  };
  Mode mode = Mode::kHttp;
  std::vector<SocketAddress> targets;  // taken in turn
  std::optional<SocketAddress> bind_to;
  std::optional<std::string> expected_peer;
  std::string request;            // what is sent: an HTTP request, or a line
  std::string last_request;       // the same with "Connection: close"
  std::string key = "x-version";  // the response header that names the version
  uint64_t requests = 1;          // a connection, or round trips
  uint64_t timeout_ms = 5000;     // 0: none, and no system call for it
  uint64_t pause_us = 0;          // after each connection
  bool nonblocking = false;       // connect() without waiting, then poll()
  bool reset = false;             // close with RST: leaves no TIME_WAIT behind
  bool sequence = false;          // keep the order of the answers
};

/// What happened. Latencies in nanoseconds: of a connection from socket() to close(), or of a round trip.
struct ClientCounts {
  uint64_t total = 0, failed = 0;
  std::vector<std::pair<std::string, uint64_t>> by_version;  // few: searched in order
  std::map<std::string, uint64_t> errors;
  std::vector<uint32_t> latencies_ns;
  std::vector<std::string> sequence;

  void count_version(std::string_view version);
  void merge(ClientCounts other);
};

class ClientWorker {
 public:
  explicit ClientWorker(const ClientOptions& options) : options_(options) {}

  /// `tickets` is shared by all workers: each connection takes one; ends when none is left or `stop` is set.
  void run(std::atomic<int64_t>& tickets, const std::atomic<bool>& stop);
  ClientCounts take_counts() { return std::move(counts_); }

 private:
  /// Empty: all went well. Otherwise the errno's name, "EOF", "PEER addr" or "HTTP 503".
  std::string one_connection(const SocketAddress& target);
  std::string open_connection(const SocketAddress& target, FileDescriptor& fd);
  std::string wait_connected(int fd);
  std::string check_peer(int fd) const;
  std::string exchange_http(int fd);
  std::string exchange_line(int fd, bool greeting);
  std::string ping_pong(int fd);

  const ClientOptions& options_;
  ClientCounts counts_;
  std::string input_;
};

}  // namespace weir::tools
