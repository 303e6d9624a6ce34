#pragma once
// Timers for one loop: a hierarchical wheel, 6 levels of 64 slots, one tick a millisecond. Arming and cancelling are
// O(1) and allocate nothing: the timer itself is the list node and lives in its owner.
//
// Pure (time is handed in); one thread.

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace weir::net {

using Duration = std::chrono::nanoseconds;
/// CLOCK_MONOTONIC: never jumps with the wall clock.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

/// One deadline of its owner. Destroying an armed timer cancels it.
class Timer {
 public:
  using Callback = void (*)(void* owner);

  /// Has no callback and must not be armed.
  Timer() = default;
  Timer(Callback callback, void* owner) : callback_(callback), owner_(owner) {}
  ~Timer() { cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  /// Timer(&Timer::call<&Session::on_idle>, this): calls a member function of the owner.
  template <auto member, class Owner>
  static void call(void* owner) {
    (static_cast<Owner*>(owner)->*member)();
  }

  [[nodiscard]] bool armed() const { return next_ != nullptr; }
  void cancel() {
    if (!armed()) return;
    next_->previous_ = previous_;
    previous_->next_ = next_;
    next_ = previous_ = nullptr;
  }

 private:
  friend class TimerWheel;
  void make_head() { next_ = previous_ = this; }
  void append(Timer& timer) {
    timer.next_ = this;
    timer.previous_ = previous_;
    previous_->next_ = &timer;
    previous_ = &timer;
  }

  Timer* next_ = nullptr;
  Timer* previous_ = nullptr;
  uint64_t tick_ = 0;
  Callback callback_ = nullptr;
  void* owner_ = nullptr;
};

class TimerWheel {
 public:
  explicit TimerWheel(TimePoint start);
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  /// (Re-)arms: the callback runs in the first advance() at or after `deadline`, never before it, at most 1 ms later
  /// than asked. A deadline more than two years ahead is cut to that.
  void arm(Timer& timer, TimePoint deadline);
  /// Runs all that is due, in the order of the deadlines' milliseconds. Callbacks may arm, cancel and destroy any
  /// timer.
  void advance(TimePoint now);
  /// When advance() has something to do again; may be early (a slot of a higher level), never late. Nothing armed:
  /// nullopt.
  [[nodiscard]] std::optional<TimePoint> next_deadline();

 private:
  static constexpr int kLevels = 6;
  static constexpr int kSlotBits = 6;
  static constexpr int kSlots = 1 << kSlotBits;
  struct Level {
    uint64_t occupied = 0;  // may have bits of slots that have become empty
    std::array<Timer, kSlots> slots;
  };
  struct Expiration {
    int level, slot;
    uint64_t tick;
  };

  void insert(Timer& timer);
  [[nodiscard]] std::optional<Expiration> next_expiration();
  void expire(const Expiration& expiration);
  [[nodiscard]] uint64_t tick_of(TimePoint time) const;

  TimePoint start_;
  uint64_t elapsed_ = 0;  // ticks; all timers in the wheel are later
  std::array<Level, kLevels> levels_;
  Timer due_;  // list of those being run
};

}  // namespace weir::net
