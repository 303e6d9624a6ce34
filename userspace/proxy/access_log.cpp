#include "proxy/access_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <ctime>

#include "proxy/flags.h"

namespace weir::proxy {
namespace {

void append_number(std::string& out, uint64_t number) {
  char digits[20];
  const auto result = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, result.ptr);
}

void append_time(std::string& out, int64_t unix_time_ms) {
  const std::time_t seconds = unix_time_ms / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[40];
  const int size =
      std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900, parts.tm_mon + 1,
                    parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, static_cast<int>(unix_time_ms % 1000));
  out.append(text, static_cast<size_t>(size));
}

/// JSON's escapes; obs-text (bytes from 0x80) as \u00xx, so that a line is always valid UTF-8.
void append_escaped(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  if (text.empty()) out += '-';
  append_escaped(out, text);
  out += '"';
}

uint64_t to_ms(net::Duration duration) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

void append_text(std::string& out, const LogEntry& entry) {
  out += '[';
  append_time(out, entry.unix_time_ms);
  out += "] \"";
  append_escaped(out, entry.method);
  out += ' ';
  append_escaped(out, entry.target);
  out += ' ';
  append_escaped(out, entry.protocol);
  out += "\" ";
  append_number(out, entry.status);
  out += ' ';
  out += to_text(entry.flags);
  for (const std::string_view text : {entry.details}) {
    out += ' ';
    append_quoted(out, text);
  }
  for (const uint64_t number : {entry.bytes_received, entry.bytes_sent, to_ms(entry.duration),
                                to_ms(entry.endpoint_duration), uint64_t{entry.attempts}}) {
    out += ' ';
    append_number(out, number);
  }
  for (const std::string_view text : {entry.client, entry.authority, entry.request_id, entry.user_agent, entry.service,
                                      entry.rule, entry.destination, entry.endpoint}) {
    out += ' ';
    append_quoted(out, text);
  }
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out += ",\"";
  out += name;
  out += "\":\"";
  append_escaped(out, text);
  out += '"';
}

void append_member(std::string& out, std::string_view name, uint64_t number) {
  out += ",\"";
  out += name;
  out += "\":";
  append_number(out, number);
}

void append_json(std::string& out, const LogEntry& entry) {
  out += "{\"time\":\"";
  append_time(out, entry.unix_time_ms);
  out += '"';
  append_member(out, "method", entry.method);
  append_member(out, "path", entry.target);
  append_member(out, "protocol", entry.protocol);
  append_member(out, "status", entry.status);
  append_member(out, "flags", to_text(entry.flags));
  append_member(out, "details", entry.details);
  append_member(out, "bytes_received", entry.bytes_received);
  append_member(out, "bytes_sent", entry.bytes_sent);
  append_member(out, "duration_ms", to_ms(entry.duration));
  append_member(out, "endpoint_ms", to_ms(entry.endpoint_duration));
  append_member(out, "attempts", entry.attempts);
  append_member(out, "client", entry.client);
  append_member(out, "authority", entry.authority);
  append_member(out, "request_id", entry.request_id);
  append_member(out, "user_agent", entry.user_agent);
  append_member(out, "service", entry.service);
  append_member(out, "rule", entry.rule);
  append_member(out, "destination", entry.destination);
  append_member(out, "endpoint", entry.endpoint);
  out += '}';
}

}  // namespace

void append_line(std::string& out, const LogEntry& entry, AccessLogFormat format) {
  if (format == AccessLogFormat::kText) append_text(out, entry);
  if (format == AccessLogFormat::kJson) append_json(out, entry);
}

AccessLog::AccessLog(AccessLogFormat format, int fd) : format_(format), fd_(fd) {
  if (!enabled()) return;
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags >= 0) ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

void AccessLog::add(const LogEntry& entry) {
  if (!enabled()) return;
  if (buffer_.size() >= kMaxBuffer) {
    ++lost_;
    return;
  }
  append_line(buffer_, entry, format_);
  buffer_ += '\n';
}

uint64_t AccessLog::flush() {
  while (!buffer_.empty()) {
    const ssize_t count = ::write(fd_, buffer_.data(), buffer_.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;  // later
    if (count <= 0) {                                                   // nobody will ever read it
      lost_ += static_cast<uint64_t>(std::count(buffer_.begin(), buffer_.end(), '\n'));
      buffer_.clear();
      break;
    }
    buffer_.erase(0, static_cast<size_t>(count));
  }
  return std::exchange(lost_, 0);
}

}  // namespace weir::proxy
