#include "agent/node/log.h"

#include <gtest/gtest.h>

namespace weir::agent {
namespace {

using std::chrono::seconds;
const Throttle::Clock::time_point kStart{seconds(100)};

TEST(Throttle, FirstOfAKindGoesThrough) {
  Throttle throttle(seconds(10));
  EXPECT_EQ(throttle.admit("a", kStart), 0U);
  EXPECT_EQ(throttle.admit("b", kStart), 0U);
}

TEST(Throttle, RepetitionsAreCountedAndTold) {
  Throttle throttle(seconds(10));
  throttle.admit("a", kStart);
  EXPECT_FALSE(throttle.admit("a", kStart + seconds(1)));
  EXPECT_FALSE(throttle.admit("a", kStart + seconds(9)));
  EXPECT_EQ(throttle.admit("a", kStart + seconds(10)), 2U);
  EXPECT_EQ(throttle.admit("a", kStart + seconds(30)), 0U);
}

TEST(Throttle, EndlessKindsDoNotGrowItWithoutEnd) {
  Throttle throttle(seconds(10));
  for (int i = 0; i < 5000; ++i) EXPECT_TRUE(throttle.admit("kind " + std::to_string(i), kStart));
}

TEST(Printable, ControlBytesAreEscaped) {
  EXPECT_EQ(printable("plain äöü"), "plain äöü");
  EXPECT_EQ(printable("a\nforged line"), "a\\x0aforged line");
  EXPECT_EQ(printable(std::string_view("\x1b[31m\0", 6)), "\\x1b[31m\\x00");
  EXPECT_EQ(printable("\x7f"), "\\x7f");
}

}  // namespace
}  // namespace weir::agent
