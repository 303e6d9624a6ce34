#pragma once
// How long to wait before the next try: doubling from `first` to `most`, and from the start again after a good time.
// Pure: the caller brings the time.

#include <algorithm>
#include <chrono>

namespace weir::agent {

class Backoff {
 public:
  using Clock = std::chrono::steady_clock;
  Backoff(Clock::duration first, Clock::duration most, Clock::duration good)
      : first_(first), most_(most), good_(good), next_(first) {}

  /// It works since now.
  void up(Clock::time_point now) { up_since_ = now; }
  /// It does not; returns how long to wait.
  Clock::duration down(Clock::time_point now) {
    if (up_since_ != Clock::time_point{} && now - up_since_ >= good_) next_ = first_;
    up_since_ = {};
    const auto wait = next_;
    next_ = std::min(2 * next_, most_);
    return wait;
  }

 private:
  Clock::duration first_, most_, good_, next_;
  Clock::time_point up_since_{};
};

}  // namespace weir::agent
