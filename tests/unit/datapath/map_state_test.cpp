#include "datapath/map_state.h"

#include <gtest/gtest.h>

#include "datapath/maps_view.h"
#include "support.h"

namespace weir::datapath {
namespace {

using Splits = std::vector<std::pair<uint32_t, abi::split>>;

abi::split split_at(uint64_t key, uint32_t first, uint32_t count) {
  abi::split split{};
  split.key = key;
  split.stamp = key * 10;
  split.destination_count = 1;
  split.destinations[0].first = first;
  split.destinations[0].count = count;
  split.destinations[0].last = 0xffffffff;
  return split;
}

TEST(MapState, ReadsBack) {
  FakeMaps maps;
  maps.state.rebuild({}, Splits{{3, split_at(7, 10, 5)}});
  ASSERT_EQ(maps.state.splits.size(), 1U);
  EXPECT_EQ(maps.state.splits.at(7).id, 3U);
  EXPECT_TRUE(maps.state.splits.at(7).sound);
  EXPECT_EQ(maps.state.ranges.used(), 5U);
  EXPECT_EQ(maps.state.split_ids.used(), 1U);
  EXPECT_EQ(maps.state.next_stamp, 71U) << "stamps go on from the highest";
}

TEST(MapState, WhatNoSplitCanBeIsStray) {
  FakeMaps maps;
  maps.state.rebuild({}, Splits{{0, split_at(1, 1, 1)},
                                {2, split_at(0, 1, 1)},
                                {99, split_at(3, 1, 1)},
                                {4, split_at(4, 1, 1)},
                                {5, split_at(4, 2, 1)}});
  EXPECT_EQ(maps.state.stray_splits, (std::vector<uint32_t>{0, 2, 99, 5}));
  EXPECT_EQ(maps.state.splits.size(), 1U);
}

TEST(MapState, RangesThatCannotBeMakeASplitUnsound) {
  struct Case {
    uint32_t first, count;
  };
  for (const auto& [first, count] : std::vector<Case>{{0, 1}, {60, 5}, {0xffffffff, 2}, {1, 0xffffffff}, {64, 1}}) {
    FakeMaps maps;
    maps.state.rebuild({}, Splits{{1, split_at(1, first, count)}});
    EXPECT_FALSE(maps.state.splits.at(1).sound) << first << "+" << count;
    EXPECT_EQ(maps.state.ranges.used(), 0U);
  }
  FakeMaps maps;
  auto many = split_at(1, 1, 1);
  many.destination_count = 21;
  auto none = split_at(2, 1, 1);
  none.destination_count = 0;
  maps.state.rebuild({}, Splits{{1, many}, {2, none}});
  EXPECT_FALSE(maps.state.splits.at(1).sound);
  EXPECT_FALSE(maps.state.splits.at(2).sound);
}

TEST(MapState, OfTwoSplitsOnOneRangeOneIsUnsound) {
  FakeMaps maps;
  auto second = split_at(2, 20, 2);
  second.destination_count = 2;
  second.destinations[1] = second.destinations[0];
  second.destinations[1].first = 11;
  maps.state.rebuild({}, Splits{{1, split_at(1, 10, 5)}, {2, second}});
  EXPECT_TRUE(maps.state.splits.at(1).sound);
  EXPECT_FALSE(maps.state.splits.at(2).sound);
  EXPECT_EQ(maps.state.ranges.used(), 5U) << "what the unsound one took is given back";
}

TEST(MapState, CountersOfLiveEndpointsAreInUse) {
  FakeMaps maps;
  maps.endpoints[10].counter = 5;
  maps.endpoints[11].counter = 0xffffffff;
  maps.state.rebuild({}, Splits{{1, split_at(1, 10, 2)}});
  EXPECT_TRUE(maps.state.counters.in_use(5));
  EXPECT_FALSE(maps.state.counters.in_use(6));
}

TEST(MapState, AMapSmallerThanItsElements) {
  FakeMaps maps(0, 0, 0, 0);
  maps.state.rebuild({}, Splits{{1, split_at(1, 1, 1)}});
  EXPECT_TRUE(maps.state.splits.empty());
  EXPECT_EQ(maps.state.stray_splits.size(), 1U);
}

}  // namespace
}  // namespace weir::datapath
