#pragma once
// A running proxy as the agent sees it: its process, and questions to it. It carries strangers' bytes and may have been
// taken over, so nothing that it answers is believed unchecked, and every question has an end.

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"
#include "proxy_process/channel.h"
#include "proxy_process/protocol.h"
#include "proxy_process/stats_report.h"

namespace weir::agent {

/// Any thread; one question at a time, others wait their turn.
class ProxyLink {
 public:
  using Clock = std::chrono::steady_clock;
  using Timeout = std::chrono::milliseconds;

  /// Tries until `timeout`: a proxy that has just been started is not listening yet. ECONNREFUSED: nobody is there.
  static Result<std::unique_ptr<ProxyLink>> connect(const std::string& socket_path, Timeout timeout);

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Readable when the process has ended.
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  [[nodiscard]] const std::string& socket_path() const { return socket_path_; }
  [[nodiscard]] bool ended() const;
  void kill() const;

  // Error ETIMEDOUT: no answer in time; it may still come. EPROTO: it answered what it must not, and is not to be kept.
  Result<proxy_process::Hello> hello(Timeout timeout);
  Result<void> start(const proxy_process::Settings& settings, int beat, int log, std::span<const int> listeners,
                     Timeout timeout);
  /// Of the configuration that it now follows.
  Result<uint64_t> configure(const proxy_process::Configuration& configuration, Timeout timeout);
  /// Listening TCP sockets of our network namespace, each checked.
  Result<std::vector<FileDescriptor>> listeners(Timeout timeout);
  Result<proxy_process::Report> report(Timeout timeout);
  Result<void> new_log(int log, Timeout timeout);
  Result<void> drain(std::chrono::milliseconds patience, Timeout timeout);
  Result<void> stop(Timeout timeout);

  /// Answers to configure() that came after its end, without waiting. Nothing when another question is under way.
  std::vector<proxy_process::Message> late();

 private:
  ProxyLink(std::string socket_path, FileDescriptor socket, FileDescriptor pidfd, pid_t pid);
  struct Question {
    const char* type;
    proxy_process::Json body = proxy_process::Json::object();
    std::span<const int> fds = {};
    std::string_view blob = {};
    const char* answer;
  };
  Result<proxy_process::Packet> ask(const Question& question, Timeout timeout);
  Result<proxy_process::Packet> answer_to(uint64_t id, const Question& question, Clock::time_point deadline);
  void note_late(const proxy_process::Message& message);

  std::string socket_path_;
  pid_t pid_;
  FileDescriptor pidfd_;
  std::mutex mutex_;  // guards what follows
  proxy_process::Channel channel_;
  uint64_t next_id_ = 1;
  std::vector<proxy_process::Message> late_;
};

/// A TCP socket that listens, of the calling thread's network namespace.
Result<void> check_listener(int fd);

}  // namespace weir::agent
