#pragma once
// When to act on events. A single change is acted on at once: `kGlance` later, in case it is the first of a burst. A
// burst is acted on after a quiet time since its last event, but no later than `most` after the first. Pure: the caller
// brings the time.

#include <algorithm>
#include <chrono>
#include <optional>

namespace weir::agent {

class Debounce {
 public:
  using Clock = std::chrono::steady_clock;
  /// What a program that writes several files takes between two of them, with room to spare.
  static constexpr Clock::duration kGlance = std::chrono::milliseconds(1);

  Debounce(Clock::duration quiet, Clock::duration most) : quiet_(quiet), most_(std::max(quiet, most)) {}

  /// `burst`: more than one thing has changed since the last take().
  void event(Clock::time_point now, bool burst) {
    if (!waiting_) first_ = now;
    waiting_ = true;
    burst_ = burst;
    last_ = now;
  }
  /// Nothing when no event waits.
  [[nodiscard]] std::optional<Clock::time_point> deadline() const {
    if (!waiting_) return std::nullopt;
    return std::min(last_ + (burst_ ? quiet_ : std::min(quiet_, kGlance)), first_ + most_);
  }
  [[nodiscard]] bool due(Clock::time_point now) const { return waiting_ && now >= *deadline(); }
  /// Forgets the burst; returns when it began and when it fell quiet.
  struct Burst {
    Clock::time_point first, last;
  };
  std::optional<Burst> take() {
    if (!waiting_) return std::nullopt;
    waiting_ = false;
    return Burst{first_, last_};
  }

 private:
  Clock::duration quiet_, most_;
  bool waiting_ = false, burst_ = false;
  Clock::time_point first_{}, last_{};
};

}  // namespace weir::agent
