#pragma once
// Gives out places in the maps' arrays: ranges of endpoints and split ids (ranges of one). What is freed rests until no
// program that could still be looking at it is running. Pure: the caller says what time it is.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace weir::datapath {

struct Range {
  uint32_t first = 0;
  uint32_t count = 0;
  bool operator==(const Range&) const = default;
};

class RangeAllocator {
 public:
  /// A BPF program runs for microseconds; a freed range rests this long.
  static constexpr uint64_t kRestNs = 1'000'000'000;

  /// Manages [1, size); 0 is "none".
  explicit RangeAllocator(uint32_t size);

  /// The smallest free range that fits, or nothing. Precondition: count > 0.
  std::optional<Range> take(uint32_t count);
  /// Takes this very range; false if any of it is not free.
  bool reserve(Range range);
  /// Gives back what take() gave and nobody has seen: free at once.
  void untake(Range range) { insert(range); }
  /// Gives back what programs may still see.
  void free(Range range, uint64_t now_ns);
  /// Makes free what has rested long enough, or all of it once the caller knows that every program which ran has ended.
  void wake(uint64_t now_ns);
  void wake_all();
  /// Everything free again but for what rests; for reading the maps anew.
  void reset();

  [[nodiscard]] uint32_t size() const { return size_; }
  [[nodiscard]] uint32_t available() const { return available_ + size_ - top_; }
  [[nodiscard]] uint32_t resting() const { return resting_count_; }
  [[nodiscard]] uint32_t used() const { return top_ - 1 - available_ - resting_count_; }

 private:
  struct Resting {
    Range range;
    uint64_t since_ns;
  };
  void insert(Range range);
  void erase(std::map<uint32_t, uint32_t>::iterator place);

  uint32_t size_;
  uint32_t top_ = 1;        // [top_, size_) is free and in neither tree: most of a new map, given out without a search
  uint32_t available_ = 0;  // in the trees
  uint32_t resting_count_ = 0;
  std::map<uint32_t, uint32_t> by_first_;             // first -> count
  std::set<std::pair<uint32_t, uint32_t>> by_count_;  // (count, first)
  std::deque<Resting> resting_;
};

}  // namespace weir::datapath
