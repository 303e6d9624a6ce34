#include "datapath/id_allocator.h"

#include <iterator>
#include <vector>

namespace weir::datapath {

RangeAllocator::RangeAllocator(uint32_t size) : size_(size), top_(size > 0 ? 1 : 0) {}

void RangeAllocator::erase(std::map<uint32_t, uint32_t>::iterator place) {
  available_ -= place->second;
  by_count_.erase({place->second, place->first});
  by_first_.erase(place);
}

void RangeAllocator::insert(Range range) {
  auto next = by_first_.lower_bound(range.first);
  if (next != by_first_.begin()) {
    auto before = std::prev(next);
    if (before->first + before->second == range.first) {
      range = {before->first, before->second + range.count};
      erase(before);
    }
  }
  if (next != by_first_.end() && range.first + range.count == next->first) {
    range.count += next->second;
    erase(next);
  }
  if (range.first + range.count == top_) {
    top_ = range.first;
    return;
  }
  by_first_.emplace(range.first, range.count);
  by_count_.emplace(range.count, range.first);
  available_ += range.count;
}

std::optional<Range> RangeAllocator::take(uint32_t count) {
  const auto fit = by_count_.lower_bound({count, 0});
  if (fit == by_count_.end()) {
    if (count > size_ - top_) return std::nullopt;
    top_ += count;
    return Range{top_ - count, count};
  }
  const Range whole{fit->second, fit->first};
  erase(by_first_.find(whole.first));
  if (whole.count > count) insert({whole.first + count, whole.count - count});
  return Range{whole.first, count};
}

bool RangeAllocator::reserve(Range range) {
  if (range.count == 0) return true;
  if (range.first >= top_) {
    if (uint64_t{range.first} + range.count > size_) return false;
    const Range skipped{top_, range.first - top_};
    top_ = range.first + range.count;
    if (skipped.count > 0) insert(skipped);
    return true;
  }
  auto place = by_first_.upper_bound(range.first);
  if (place == by_first_.begin()) return false;
  --place;
  const Range whole{place->first, place->second};
  const uint64_t end = uint64_t{range.first} + range.count, whole_end = uint64_t{whole.first} + whole.count;
  if (end > whole_end) return false;
  erase(place);
  if (range.first > whole.first) insert({whole.first, range.first - whole.first});
  if (end < whole_end) insert({static_cast<uint32_t>(end), static_cast<uint32_t>(whole_end - end)});
  return true;
}

void RangeAllocator::free(Range range, uint64_t now_ns) {
  if (range.count == 0) return;
  resting_.push_back({range, now_ns});
  resting_count_ += range.count;
}

void RangeAllocator::wake(uint64_t now_ns) {
  while (!resting_.empty() && now_ns >= resting_.front().since_ns + kRestNs) {
    resting_count_ -= resting_.front().range.count;
    insert(resting_.front().range);
    resting_.pop_front();
  }
}

void RangeAllocator::wake_all() {
  for (const Resting& entry : resting_) insert(entry.range);
  resting_.clear();
  resting_count_ = 0;
}

void RangeAllocator::reset() {
  by_first_.clear();
  by_count_.clear();
  available_ = 0;
  top_ = size_ > 0 ? 1 : 0;
  std::deque<Resting> kept;
  kept.swap(resting_);
  resting_count_ = 0;
  for (const Resting& entry : kept)
    if (reserve(entry.range)) free(entry.range, entry.since_ns);
}

}  // namespace weir::datapath
