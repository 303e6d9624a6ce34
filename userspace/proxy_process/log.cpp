#include "proxy_process/log.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <string>

namespace weir::proxy_process {
namespace {

std::atomic<uint64_t> lost{0};

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f)
      out += fmt::format("\\x{:02x}", byte);
    else
      out += c;
  }
  return out;
}

/// As the agent's lines begin: the priority for journald, else time and level.
std::string prefix(LogLevel level) {
  const auto index = static_cast<size_t>(level);
  static const bool kJournal = std::getenv("JOURNAL_STREAM") != nullptr;
  static constexpr std::array kPriorities = {"<6>", "<4>", "<3>"};
  static constexpr std::array kNames = {"info", "warning", "error"};
  if (kJournal) return kPriorities.at(index);
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  std::tm parts{};
  ::localtime_r(&now.tv_sec, &parts);
  std::array<char, 32> date{}, zone{};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::strftime(zone.data(), zone.size(), "%z", &parts);
  std::string offset = zone.data();
  if (offset.size() == 5) offset.insert(3, ":");
  return fmt::format("{}.{:03}{} {} ", date.data(), now.tv_nsec / 1'000'000, offset, kNames.at(index));
}

}  // namespace

void log_line(LogLevel level, std::string_view text) {
  constexpr size_t kLongest = 4000;  // with its prefix below PIPE_BUF: a pipe that has room takes it whole
  const std::string line =
      prefix(level) + fmt::format("proxy {}: ", ::getpid()) + printable(text).substr(0, kLongest) + "\n";
  // The descriptor is the agent's too and must stay blocking for it; so ask first.
  pollfd entry{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&entry, 1, 0) != 1 || (entry.revents & POLLOUT) == 0 ||
      ::write(STDERR_FILENO, line.data(), line.size()) < 0)
    lost.fetch_add(1, std::memory_order_relaxed);
}

uint64_t lost_log_lines() {
  return lost.load(std::memory_order_relaxed);
}

}  // namespace weir::proxy_process
