#include "pick/thresholds.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace weir::pick {
namespace {

std::vector<double> widths(const std::vector<uint32_t>& lasts) {
  std::vector<double> result;
  double before = -1;
  for (const uint32_t last : lasts) {
    result.push_back(last - before);
    before = last;
  }
  return result;
}

TEST(Thresholds, Table) {
  struct Case {
    std::vector<uint64_t> weights;
    std::vector<uint32_t> lasts;
  };
  const std::vector<Case> cases{
      {{1}, {0xffffffff}},
      {{UINT64_MAX}, {0xffffffff}},
      {{1, 1}, {0x7fffffff, 0xffffffff}},
      {{90, 10}, {3865470565, 0xffffffff}},
      {{1, 2, 1}, {0x3fffffff, 0xbfffffff, 0xffffffff}},
      {{UINT64_MAX, UINT64_MAX}, {0x7fffffff, 0xffffffff}},
      {{1, UINT64_MAX}, {0, 0xffffffff}},
      {{UINT64_MAX, 1}, {0xfffffffe, 0xffffffff}},
      {{UINT64_MAX, 1, 1}, {0xfffffffd, 0xfffffffe, 0xffffffff}},
      {{1, 1, UINT64_MAX}, {0, 1, 0xffffffff}},
  };
  for (const auto& [weights, lasts] : cases) EXPECT_EQ(thresholds(weights), lasts);
}

TEST(Thresholds, EveryIntervalIsThereAndOfItsShare) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::vector<uint64_t> weights(1 + random() % 32);
    const unsigned bits = static_cast<unsigned>(random() % 64);
    for (auto& weight : weights) weight = 1 + random() % (1ULL << bits);
    const auto lasts = thresholds(weights);
    ASSERT_EQ(lasts.back(), 0xffffffffU);
    long double sum = 0;
    for (const uint64_t weight : weights) sum += weight;
    const auto got = widths(lasts);
    for (size_t i = 0; i < weights.size(); ++i) {
      ASSERT_GE(got[i], 1);
      const auto ideal = static_cast<double>(weights[i] / sum * 4294967296.0L);
      ASSERT_LE(std::abs(got[i] - ideal), 1.0 + static_cast<double>(weights.size())) << "weight " << weights[i];
    }
  }
}

TEST(Thresholds, RaisingAWeightNeverShrinksItsInterval) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 5000; ++round) {
    std::vector<uint64_t> weights(2 + random() % 6);
    for (auto& weight : weights) weight = 1 + random() % 1000;
    const size_t raised = random() % weights.size();
    const double before = widths(thresholds(weights))[raised];
    weights[raised] += 1 + random() % 100;
    ASSERT_GE(widths(thresholds(weights))[raised], before);
  }
}

TEST(Thresholds, RampingOneOfTwoMovesOneBoundaryOneWay) {
  uint32_t before = 0xffffffff;
  for (uint64_t canary = 1; canary < 100; ++canary) {
    const uint32_t boundary = thresholds(std::vector<uint64_t>{100 - canary, canary})[0];
    ASSERT_LT(boundary, before);
    before = boundary;
  }
}

TEST(Thresholds, AMillion) {
  const std::vector<uint64_t> weights(1 << 20, 3);
  const auto lasts = thresholds(weights);
  EXPECT_EQ(lasts.front(), 4095U);
  EXPECT_EQ(lasts.back(), 0xffffffffU);
}

}  // namespace
}  // namespace weir::pick
