#include "agent/source/debounce.h"

#include <gtest/gtest.h>

namespace weir::agent {
namespace {

using std::chrono::milliseconds;
using Clock = Debounce::Clock;
const Clock::time_point kStart{std::chrono::seconds(100)};

TEST(Debounce, NothingWaitsAtFirst) {
  Debounce debounce(milliseconds(50), milliseconds(1000));
  EXPECT_FALSE(debounce.deadline());
  EXPECT_FALSE(debounce.due(kStart));
  EXPECT_FALSE(debounce.take());
}

TEST(Debounce, DueAfterQuiet) {
  Debounce debounce(milliseconds(50), milliseconds(1000));
  debounce.event(kStart, true);
  EXPECT_FALSE(debounce.due(kStart + milliseconds(49)));
  EXPECT_TRUE(debounce.due(kStart + milliseconds(50)));
}

TEST(Debounce, ASingleChangeIsNotHeldBack) {
  Debounce debounce(milliseconds(50), milliseconds(1000));
  debounce.event(kStart, false);
  EXPECT_FALSE(debounce.due(kStart + Debounce::kGlance - std::chrono::microseconds(1))) << "a second may follow";
  EXPECT_TRUE(debounce.due(kStart + Debounce::kGlance));
  debounce.take();
  debounce.event(kStart + milliseconds(3), false);
  EXPECT_TRUE(debounce.due(kStart + milliseconds(3) + Debounce::kGlance)) << "nor is the next one";
}

TEST(Debounce, ASecondChangeMakesABurst) {
  Debounce debounce(milliseconds(50), milliseconds(1000));
  debounce.event(kStart, false);
  debounce.event(kStart + milliseconds(1), true);
  EXPECT_FALSE(debounce.due(kStart + milliseconds(50)));
  EXPECT_TRUE(debounce.due(kStart + milliseconds(51)));
}

TEST(Debounce, AShorterQuietHoldsForASingleChange) {
  Debounce debounce(std::chrono::microseconds(10), milliseconds(1000));
  debounce.event(kStart, false);
  EXPECT_EQ(debounce.deadline(), kStart + std::chrono::microseconds(10));
}

TEST(Debounce, EachEventBeginsTheQuietAnew) {
  Debounce debounce(milliseconds(50), milliseconds(1000));
  debounce.event(kStart, true);
  debounce.event(kStart + milliseconds(40), true);
  EXPECT_FALSE(debounce.due(kStart + milliseconds(60)));
  EXPECT_TRUE(debounce.due(kStart + milliseconds(90)));
}

TEST(Debounce, NeverLaterThanTheMost) {
  Debounce debounce(milliseconds(50), milliseconds(1000));
  for (int i = 0; i <= 99; ++i) debounce.event(kStart + milliseconds(i * 10), true);
  EXPECT_EQ(debounce.deadline(), kStart + milliseconds(1000));
}

TEST(Debounce, TakeTellsTheBurstAndForgetsIt) {
  Debounce debounce(milliseconds(50), milliseconds(1000));
  debounce.event(kStart, true);
  debounce.event(kStart + milliseconds(7), true);
  const auto burst = debounce.take();
  ASSERT_TRUE(burst);
  EXPECT_EQ(burst->first, kStart);
  EXPECT_EQ(burst->last, kStart + milliseconds(7));
  EXPECT_FALSE(debounce.due(kStart + milliseconds(2000)));
}

TEST(Debounce, QuietLongerThanMostWins) {
  Debounce debounce(milliseconds(5000), milliseconds(1000));
  debounce.event(kStart, true);
  EXPECT_EQ(debounce.deadline(), kStart + milliseconds(5000));
}

TEST(Debounce, NoQuietIsDueAtOnce) {
  Debounce debounce(milliseconds(0), milliseconds(1000));
  debounce.event(kStart, true);
  EXPECT_TRUE(debounce.due(kStart));
}

}  // namespace
}  // namespace weir::agent
