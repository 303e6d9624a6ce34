#include "datapath/id_allocator.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace weir::datapath {
namespace {

constexpr uint64_t kSecond = RangeAllocator::kRestNs;

TEST(RangeAllocator, ZeroIsNeverGivenOut) {
  RangeAllocator ranges(4);
  EXPECT_EQ(ranges.take(3), (Range{1, 3}));
  EXPECT_EQ(ranges.take(1), std::nullopt);
  EXPECT_EQ(RangeAllocator(0).take(1), std::nullopt);
  EXPECT_EQ(RangeAllocator(1).take(1), std::nullopt);
  EXPECT_EQ(RangeAllocator(0).available(), 0U);
}

TEST(RangeAllocator, WhatIsFreedRestsAndThenComesBackWhole) {
  RangeAllocator ranges(11);
  const auto a = *ranges.take(4), b = *ranges.take(6);
  ranges.free(a, 0);
  ranges.free(b, kSecond / 2);
  EXPECT_EQ(ranges.available(), 0U);
  EXPECT_EQ(ranges.resting(), 10U);
  ranges.wake(kSecond - 1);
  EXPECT_EQ(ranges.take(1), std::nullopt);
  ranges.wake(kSecond);
  EXPECT_EQ(ranges.available(), 4U);
  EXPECT_EQ(ranges.take(5), std::nullopt);
  ranges.wake(2 * kSecond);
  EXPECT_EQ(ranges.take(10), (Range{1, 10}));
}

TEST(RangeAllocator, WakeAllIsForWhoKnowsThatNobodyLooks) {
  RangeAllocator ranges(3);
  ranges.free(*ranges.take(2), 5);
  ranges.wake_all();
  EXPECT_EQ(ranges.resting(), 0U);
  EXPECT_EQ(ranges.take(2), (Range{1, 2}));
}

TEST(RangeAllocator, TheSmallestHoleThatFits) {
  RangeAllocator ranges(100);
  const auto large = *ranges.take(10);
  ranges.take(1);
  const auto small = *ranges.take(3);
  ranges.take(1);
  ranges.untake(large);
  ranges.untake(small);
  EXPECT_EQ(ranges.take(3), small);
  EXPECT_EQ(ranges.take(3), (Range{large.first, 3}));
}

TEST(RangeAllocator, Reserve) {
  RangeAllocator ranges(20);
  EXPECT_TRUE(ranges.reserve({5, 5}));
  EXPECT_FALSE(ranges.reserve({5, 1}));
  EXPECT_FALSE(ranges.reserve({9, 2}));
  EXPECT_FALSE(ranges.reserve({4, 2}));
  EXPECT_FALSE(ranges.reserve({0, 1}));
  EXPECT_FALSE(ranges.reserve({19, 2}));
  EXPECT_FALSE(ranges.reserve({0xffffffff, 0xffffffff}));
  EXPECT_TRUE(ranges.reserve({12, 0}));
  EXPECT_TRUE(ranges.reserve({19, 1}));
  EXPECT_TRUE(ranges.reserve({1, 4}));
  EXPECT_EQ(ranges.used(), 10U);
}

TEST(RangeAllocator, ResetKeepsWhatRests) {
  RangeAllocator ranges(10);
  const auto seen = *ranges.take(3);
  ranges.take(2);
  ranges.free(seen, 7);
  ranges.reset();
  EXPECT_EQ(ranges.resting(), 3U);
  EXPECT_FALSE(ranges.reserve(seen));
  EXPECT_EQ(ranges.available(), 6U);
  ranges.wake(7 + kSecond);
  EXPECT_TRUE(ranges.reserve(seen));
}

TEST(RangeAllocator, NeverTheSamePlaceTwice) {
  std::mt19937 random(4);
  RangeAllocator ranges(500);
  std::vector<int> owner(500, 0);
  std::vector<Range> held;
  uint64_t now = 0;
  for (int step = 0; step < 50000; ++step, now += kSecond / 10) {
    ranges.wake(now);
    if (random() % 2 == 0 || held.empty()) {
      const auto range = ranges.take(1 + random() % 20);
      if (!range) continue;
      for (uint32_t i = 0; i < range->count; ++i) ASSERT_EQ(owner[range->first + i]++, 0);
      held.push_back(*range);
    } else {
      const size_t index = random() % held.size();
      for (uint32_t i = 0; i < held[index].count; ++i) --owner[held[index].first + i];
      ranges.free(held[index], now);
      held.erase(held.begin() + static_cast<ptrdiff_t>(index));
    }
    uint32_t used = 0;
    for (const Range& range : held) used += range.count;
    ASSERT_EQ(ranges.used(), used);
  }
}

}  // namespace
}  // namespace weir::datapath
