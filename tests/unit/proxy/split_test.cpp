#include "proxy/split.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "base/hash.h"

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
    const pick::Turn turn = split.pick();
    const auto index = split.endpoint_of(turn);
    ASSERT_TRUE(index);
    ++seen[{turn.destination, *index}];
  }
  EXPECT_NEAR((seen[{0, 0}]), 3000, 4);
  EXPECT_NEAR((seen[{0, 1}]), 1000, 4);
  EXPECT_NEAR((seen[{1, 0}]), 2000, 4);
}

TEST(Split, ADestinationWithoutEndpointsKeepsItsShare) {
  const Split split = split_of({{1, {}}, {1, {endpoint(1)}}, {2, {}}});
  std::map<uint32_t, int> seen;
  for (int count = 0; count < 400; ++count) {
    const pick::Turn turn = split.pick();
    ++seen[turn.destination];
    EXPECT_EQ(split.endpoint_of(turn).has_value(), turn.destination == 1);
  }
  EXPECT_NEAR(seen[0], 100, 2);
  EXPECT_NEAR(seen[2], 200, 2);
}

TEST(Split, ATinyShareIsNotNothing) {
  const Split split = split_of({{1, {endpoint(1)}}, {1'000'000'000, {endpoint(2), endpoint(3)}}});
  EXPECT_EQ(split.pick(uint64_t{0}).destination, 0U);
  EXPECT_EQ(split.pick(UINT64_MAX).destination, 1U);
  EXPECT_NEAR(split.share(0), 1e-9, 1e-12);
}

TEST(Split, AStickyKeyStaysWhereItIs) {
  std::mt19937_64 random(1);
  for (int number = 0; number < 1000; ++number) {
    const uint64_t hash = random();
    uint32_t before = 0;
    for (const uint64_t weight : {0, 1, 5, 10, 50, 90, 100}) {
      std::vector<Share> shares;
      if (weight < 100) shares.push_back({100 - weight, {endpoint(1)}});
      if (weight > 0) shares.push_back({weight, {endpoint(2)}});
      const Split here = split_of(shares, 1), elsewhere = split_of(shares, 999);
      uint32_t version = here.pick(hash).destination;
      EXPECT_EQ(elsewhere.pick(hash).destination, version) << "the same on every node";
      EXPECT_EQ(here.pick(hash).destination, version) << "and every time";
      if (weight == 100) version = 1;
      EXPECT_GE(version, before) << "no way back while the weight is raised";
      before = version;
    }
    EXPECT_EQ(before, 1U);
  }
}

TEST(Split, StickyKeysShareByWeight) {
  const Split split = split_of({{90, {endpoint(1)}}, {9, {endpoint(2)}}, {1, {endpoint(3)}}});
  std::map<uint32_t, int> seen;
  for (int number = 0; number < 100'000; ++number)
    ++seen[split.pick(hash64("user-" + std::to_string(number))).destination];
  EXPECT_NEAR(seen[0], 90'000, 600);
  EXPECT_NEAR(seen[1], 9'000, 600);
  EXPECT_NEAR(seen[2], 1'000, 200);
}

TEST(Split, ADestinationOfASingleKeyTakesItsEndpointsInTurns) {
  const Split split = split_of({{1, {endpoint(1), endpoint(2), endpoint(3)}}});
  std::map<uint32_t, int> seen;
  for (int count = 0; count < 300; ++count) ++seen[*split.endpoint_of(split.pick(uint64_t{42}))];
  for (uint32_t index = 0; index < 3; ++index) EXPECT_EQ(seen[index], 100);
}

TEST(Split, WhatMakesNoSplit) {
  const auto cursor = std::make_shared<Cursor>(0);
  EXPECT_FALSE(Split::make({}, cursor));
  EXPECT_FALSE(Split::make({{0, {endpoint(1)}}}, cursor));
  const auto many = Split::make(std::vector<Share>(21, Share{1, {endpoint(1)}}), cursor);
  ASSERT_FALSE(many);
  EXPECT_EQ(many.error().message, "a split takes 20 destinations, this one has 21");
}

}  // namespace
}  // namespace weir::proxy
