#include "proxy/split.h"

#include <gtest/gtest.h>

#include <map>

namespace weir::proxy {
namespace {

WeightedEndpoint endpoint(uint16_t port, uint32_t weight = 1) {
  return {{*IpAddress::parse("10.0.0.1"), port}, weight};
}

Split split_of(std::vector<Share> shares, uint64_t cursor = 0) {
  auto split = Split::make(std::move(shares), std::make_shared<Cursor>(cursor));
  EXPECT_TRUE(split) << split.error().message;
  return std::move(*split);
}

TEST(Split, SharesAreExactAtAnyNumberOfPicks) {
  const Split split = split_of({{90, {endpoint(1)}}, {9, {endpoint(2)}}, {1, {endpoint(3)}}}, 12345);
  std::map<uint32_t, int> seen;
  for (int count = 1; count <= 10'000; ++count) {
    ++seen[split.pick().destination];
    EXPECT_NEAR(seen[0], count * 0.9, 2.01);
    EXPECT_NEAR(seen[1], count * 0.09, 2.01);
    EXPECT_NEAR(seen[2], count * 0.01, 2.01);
  }
}

TEST(Split, EndpointsShareByWeight) {
  const Split split = split_of({{1, {endpoint(1, 3), endpoint(2, 1)}}, {1, {endpoint(3), endpoint(4)}}});
  std::map<std::pair<uint32_t, uint32_t>, int> seen;
  for (int count = 0; count < 8000; ++count) {
    const Split::Pick pick = split.pick();
    ASSERT_TRUE(pick.endpoint);
    ++seen[{pick.destination, *pick.endpoint}];
  }
  EXPECT_NEAR((seen[{0, 0}]), 3000, 4);
  EXPECT_NEAR((seen[{0, 1}]), 1000, 4);
  EXPECT_NEAR((seen[{1, 0}]), 2000, 4);
}

TEST(Split, ADestinationWithoutEndpointsKeepsItsShare) {
  const Split split = split_of({{1, {}}, {1, {endpoint(1)}}, {2, {}}});
  std::map<uint32_t, int> seen;
  for (int count = 0; count < 400; ++count) {
    const Split::Pick pick = split.pick();
    ++seen[pick.destination];
    EXPECT_EQ(pick.endpoint.has_value(), pick.destination == 1);
  }
  EXPECT_NEAR(seen[0], 100, 2);
  EXPECT_NEAR(seen[2], 200, 2);
}

TEST(Split, EveryPointPicksSomething) {
  const Split split = split_of({{1, {endpoint(1)}}, {1'000'000'000, {endpoint(2), endpoint(3)}}});
  for (const uint32_t point : {0U, 1U, 4U, 5U, 0x7fffffffU, 0xffffffffU})
    EXPECT_TRUE(split.pick_at(point).endpoint) << point;
  EXPECT_EQ(split.pick_at(0).destination, 0U) << "a weight above 0 is never nothing";
  EXPECT_NEAR(split.share(0), 1e-9, 1e-12);
}

TEST(Split, WhatMakesNoSplit) {
  const auto cursor = std::make_shared<Cursor>(0);
  EXPECT_FALSE(Split::make({}, cursor));
  EXPECT_FALSE(Split::make({{0, {endpoint(1)}}}, cursor));
  const auto many = Split::make(std::vector<Share>(33, Share{1, {endpoint(1)}}), cursor);
  ASSERT_FALSE(many);
  EXPECT_EQ(many.error().message, "a split takes 32 destinations, this one has 33");
}

}  // namespace
}  // namespace weir::proxy
