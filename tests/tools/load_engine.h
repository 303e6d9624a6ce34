#pragma once
// Many keep-alive connections from one thread, over epoll: for load tests and benchmarks of what stands between.

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "client_worker.h"
#include "socket_address.h"

namespace weir::tools {

struct LoadOptions {
  SocketAddress target;
  uint64_t connections = 32, requests = 1000;
  double rate = 0;               // requests a second, whatever the answers do; 0: the next as soon as one is answered
  uint64_t special_percent = 0;  // so many of 100 requests are `special`, evenly spread
  std::string plain, special;    // requests, complete
  std::string plain_version, special_version;  // whose answers they must be; empty: anybody's
  bool hold = false;       // one request on each connection, then idle until stdin ends, then one more on each
  bool until_eof = false;  // goes on until stdin ends
};

/// One run. A request fails when its connection ends before the answer, when it is answered with 5xx ("status 503"), or
/// by another version than its own ("misrouted"). Latencies: from the moment a request was due, so that waiting for a
/// free connection counts. Not for more than one thread.
class LoadEngine {
 public:
  explicit LoadEngine(LoadOptions options) : options_(std::move(options)) {}
  /// All connections are open (with `hold` each is opened when it is first used), or an error.
  Result<void> open();
  void run();
  ClientCounts take_counts() { return std::move(counts_); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Connection {
    FileDescriptor socket;
    std::string in;
    Clock::time_point due;
    bool busy = false, special = false;
  };

  Result<void> connect(size_t index);
  void start(size_t index, Clock::time_point due);
  void receive(size_t index);
  /// Whether the head of an answer with its body is complete; then it is counted.
  bool take_answer(Connection& connection, bool& closes);
  void finish(size_t index);
  void fail(size_t index, const std::string& why);
  void start_due();
  /// Microseconds until the next request is due; none: only answers are waited for.
  [[nodiscard]] std::optional<timespec> until_due() const;
  void poll_once();
  void run_round(uint64_t requests);
  [[nodiscard]] bool may_start() const { return started_ < limit_ && !ended_; }
  void hold();

  LoadOptions options_;
  ClientCounts counts_;
  FileDescriptor epoll_;
  std::vector<Connection> connections_;
  std::deque<size_t> idle_;
  Clock::time_point begin_;
  uint64_t started_ = 0, finished_ = 0, limit_ = 0, sequence_ = 0;
  bool ended_ = false;
  std::vector<char> buffer_ = std::vector<char>(size_t{1} << 18);
};

}  // namespace weir::tools
