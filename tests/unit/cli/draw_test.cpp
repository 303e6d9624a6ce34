#include "cli/draw.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace weir::cli {
namespace {

TEST(Draw, IsExact) {
  const std::vector<std::vector<uint64_t>> splits = {{90, 10}, {99, 1}, {75, 25},    {33, 33, 34},
                                                     {1, 1},   {1},     {1, 999'999}};
  for (const auto& weights : splits) {
    std::vector<DrawTarget> targets;
    for (const auto weight : weights) targets.push_back({weight});
    const double sum = static_cast<double>(std::accumulate(weights.begin(), weights.end(), uint64_t{0}));
    for (const uint64_t count : {10U, 100U, 10'000U}) {
      const auto drawn = draw(targets, count, 12345);
      ASSERT_TRUE(drawn);
      for (size_t i = 0; i < weights.size(); ++i)
        EXPECT_LE(std::abs(static_cast<double>(drawn->picked[i]) - static_cast<double>(count * weights[i]) / sum), 2.0);
    }
  }
}

TEST(Draw, SamePhaseSameDraw) {
  const std::vector<DrawTarget> targets = {{1}, {2}};
  EXPECT_EQ(draw(targets, 17, 5)->picked, draw(targets, 17, 5)->picked);
}

TEST(Draw, Errors) {
  EXPECT_FALSE(draw({}, 1, 0));
  EXPECT_FALSE(draw(std::vector<DrawTarget>(33, {1}), 1, 0));
}

}  // namespace
}  // namespace weir::cli
