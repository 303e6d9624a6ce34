#include "net/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace weir::net {
namespace {
using std::chrono::milliseconds;
}

TimerWheel::TimerWheel(TimePoint start) : start_(start) {
  for (Level& level : levels_) {
    for (Timer& slot : level.slots) slot.make_head();
  }
  due_.make_head();
}

TimerWheel::~TimerWheel() {
  // The owners of timers may outlive the wheel: leave none linked to it.
  for (Level& level : levels_) {
    for (Timer& slot : level.slots) {
      while (slot.next_ != &slot) slot.next_->cancel();
    }
  }
  while (due_.next_ != &due_) due_.next_->cancel();
}

uint64_t TimerWheel::tick_of(TimePoint time) const {
  if (time <= start_) return 0;
  return static_cast<uint64_t>(std::chrono::floor<milliseconds>(time - start_).count());
}

void TimerWheel::arm(Timer& timer, TimePoint deadline) {
  timer.cancel();
  constexpr uint64_t kFarthest = (uint64_t{1} << (kLevels * kSlotBits)) - 1;
  // Rounded up, so that no timer runs early.
  const uint64_t tick = tick_of(deadline + milliseconds(1) - Duration(1));
  timer.tick_ = std::clamp(tick, elapsed_ + 1, elapsed_ + kFarthest);
  insert(timer);
}

void TimerWheel::insert(Timer& timer) {
  const uint64_t differing = (elapsed_ ^ timer.tick_) | (kSlots - 1);
  const int level = std::min((63 - std::countl_zero(differing)) / kSlotBits, kLevels - 1);
  const int slot = static_cast<int>((timer.tick_ >> (level * kSlotBits)) & (kSlots - 1));
  levels_[level].slots[slot].append(timer);
  levels_[level].occupied |= uint64_t{1} << slot;
}

std::optional<TimerWheel::Expiration> TimerWheel::next_expiration() {
  // A timer sits at the level of the highest digit in which it differs from now, so lower levels always expire first.
  for (int number = 0; number < kLevels; ++number) {
    Level& level = levels_[number];
    const int shift = number * kSlotBits;
    const int now_slot = static_cast<int>((elapsed_ >> shift) & (kSlots - 1));
    while (level.occupied != 0) {
      const int slot = (now_slot + std::countr_zero(std::rotr(level.occupied, now_slot))) & (kSlots - 1);
      Timer& head = level.slots[slot];
      if (head.next_ == &head) {
        level.occupied &= ~(uint64_t{1} << slot);
        continue;
      }
      const uint64_t range = uint64_t{1} << (shift + kSlotBits);
      uint64_t tick = (elapsed_ & ~(range - 1)) + (static_cast<uint64_t>(slot) << shift);
      if (tick <= elapsed_) tick += range;  // wrapped around: only at the top level
      return Expiration{number, slot, tick};
    }
  }
  return std::nullopt;
}

void TimerWheel::expire(const Expiration& expiration) {
  elapsed_ = expiration.tick;
  Timer& head = levels_[expiration.level].slots[expiration.slot];
  levels_[expiration.level].occupied &= ~(uint64_t{1} << expiration.slot);
  Timer batch;
  batch.make_head();
  while (head.next_ != &head) {
    Timer& timer = *head.next_;
    timer.cancel();
    batch.append(timer);
  }
  while (batch.next_ != &batch) {
    Timer& timer = *batch.next_;
    timer.cancel();
    if (timer.tick_ <= elapsed_) {
      due_.append(timer);
    } else {
      insert(timer);
    }
  }
  batch.next_ = batch.previous_ = nullptr;
}

void TimerWheel::advance(TimePoint now) {
  const uint64_t now_tick = tick_of(now);
  for (auto next = next_expiration(); next && next->tick <= now_tick; next = next_expiration()) {
    expire(*next);
    while (due_.next_ != &due_) {
      Timer& timer = *due_.next_;
      timer.cancel();
      timer.callback_(timer.owner_);  // may destroy the timer
    }
  }
  elapsed_ = std::max(elapsed_, now_tick);
}

std::optional<TimePoint> TimerWheel::next_deadline() {
  const auto next = next_expiration();
  if (!next) return std::nullopt;
  return start_ + milliseconds(next->tick);
}

}  // namespace weir::net
