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
  debounce.event(kStart);
  EXPECT_FALSE(debounce.due(kStart + milliseconds(49)));
  EXPECT_TRUE(debounce.due(kStart + milliseconds(50)));
}

TEST(Debounce, EachEventBeginsTheQuietAnew) {
  Debounce debounce(milliseconds(50), milliseconds(1000));
  debounce.event(kStart);
  debounce.event(kStart + milliseconds(40));
  EXPECT_FALSE(debounce.due(kStart + milliseconds(60)));
  EXPECT_TRUE(debounce.due(kStart + milliseconds(90)));
}

TEST(Debounce, NeverLaterThanTheMost) {
  Debounce debounce(milliseconds(50), milliseconds(1000));
  for (int i = 0; i <= 99; ++i) debounce.event(kStart + milliseconds(i * 10));
  EXPECT_EQ(debounce.deadline(), kStart + milliseconds(1000));
}

TEST(Debounce, TakeTellsTheBurstAndForgetsIt) {
  Debounce debounce(milliseconds(50), milliseconds(1000));
  debounce.event(kStart);
  debounce.event(kStart + milliseconds(7));
  const auto burst = debounce.take();
  ASSERT_TRUE(burst);
  EXPECT_EQ(burst->first, kStart);
  EXPECT_EQ(burst->last, kStart + milliseconds(7));
  EXPECT_FALSE(debounce.due(kStart + milliseconds(2000)));
}

TEST(Debounce, QuietLongerThanMostWins) {
  Debounce debounce(milliseconds(5000), milliseconds(1000));
  debounce.event(kStart);
  EXPECT_EQ(debounce.deadline(), kStart + milliseconds(5000));
}

TEST(Debounce, NoQuietIsDueAtOnce) {
  Debounce debounce(milliseconds(0), milliseconds(1000));
  debounce.event(kStart);
  EXPECT_TRUE(debounce.due(kStart));
}

}  // namespace
}  // namespace weir::agent
