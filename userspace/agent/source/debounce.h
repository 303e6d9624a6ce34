#pragma once
// When to act on a burst of events: after a quiet time since the last one, but no later than `most` after the first.
// Pure: the caller brings the time.

#include <algorithm>
#include <chrono>
#include <optional>

namespace weir::agent {

class Debounce {
 public:
  using Clock = std::chrono::steady_clock;
  Debounce(Clock::duration quiet, Clock::duration most) : quiet_(quiet), most_(std::max(quiet, most)) {}

  void event(Clock::time_point now) {
    if (!waiting_) first_ = now;
    waiting_ = true;
    last_ = now;
  }
  /// Nothing when no event waits.
  [[nodiscard]] std::optional<Clock::time_point> deadline() const {
    if (!waiting_) return std::nullopt;
    return std::min(last_ + quiet_, first_ + most_);
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
  bool waiting_ = false;
  Clock::time_point first_{}, last_{};
};

}  // namespace weir::agent
