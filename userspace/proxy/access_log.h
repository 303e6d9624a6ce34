#pragma once
// One line a request: text or JSON. Lines are gathered and written once a turn; a log that cannot take them loses
// lines, never time. One loop owns it.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/file_descriptor.h"
#include "net/timer_wheel.h"
#include "proxy/options.h"

namespace weir::proxy {

/// What a line says. Views are valid only while it is written.
struct LogEntry {
  int64_t unix_time_ms = 0;  // when the request began
  std::string_view method, target, authority, protocol;
  uint16_t status = 0;  // 0: none was sent
  uint32_t flags = 0;
  uint64_t bytes_received = 0, bytes_sent = 0;  // bodies
  net::Duration duration{};
  net::Duration endpoint_duration{};  // until the head of its answer
  uint32_t attempts = 0;
  std::string_view client, service, rule, destination, endpoint, request_id, user_agent, details;
};

/// Without the newline. Bytes that could break a line or a terminal are escaped.
void append_line(std::string& out, const LogEntry& entry, AccessLogFormat format);

class AccessLog {
 public:
  /// `fd`: written without waiting (it is made non-blocking). Borrowed.
  AccessLog(AccessLogFormat format, int fd);

  [[nodiscard]] bool enabled() const { return format_ != AccessLogFormat::kOff; }
  void add(const LogEntry& entry);
  /// At the end of a turn. Returns how many lines were lost.
  uint64_t flush();
  [[nodiscard]] bool pending() const { return !buffer_.empty(); }

 private:
  static constexpr size_t kMaxBuffer = 1 << 20;
  AccessLogFormat format_;
  int fd_;
  std::string buffer_;
  uint64_t lost_ = 0;
};

}  // namespace weir::proxy
