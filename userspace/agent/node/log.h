#pragma once
// The agent's log: one line an event on stderr. Under systemd each line carries its priority ("<4>…") and no time of
// its own. Never blocks the caller: when nobody reads stderr, the oldest lines are dropped.

#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace weir::agent {

/// Call once, at the start of the process. `level`: trace, debug, info, warning, error.
void start_log(spdlog::level::level_enum level);
/// Writes what is queued. Call at the end of the process.
void stop_log();

/// Lets one line of a kind through in `every`; counts the others. Pure: the caller brings the time. One thread.
class Throttle {
 public:
  using Clock = std::chrono::steady_clock;
  explicit Throttle(Clock::duration every) : every_(every) {}

  /// Nothing: keep quiet. A number: write the line, so many of its kind were kept back since the last.
  std::optional<uint64_t> admit(std::string_view kind, Clock::time_point now);

 private:
  static constexpr size_t kMostKinds = 1024;
  struct State {
    Clock::time_point last{};
    uint64_t kept_back = 0;
  };
  Clock::duration every_;
  std::map<std::string, State, std::less<>> kinds_;
};

/// Control bytes as \xNN, so that a name from a file cannot forge a line.
std::string printable(std::string_view text);

}  // namespace weir::agent
