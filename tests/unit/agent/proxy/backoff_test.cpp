#include "agent/proxy/backoff.h"

#include <gtest/gtest.h>

namespace weir::agent {
namespace {

using namespace std::chrono_literals;
using Clock = Backoff::Clock;

TEST(Backoff, DoublesUpToTheMost) {
  Backoff backoff(100ms, 10s, 30s);
  const auto now = Clock::time_point(1h);
  Clock::duration wait = 100ms;
  for (int i = 0; i < 7; ++i, wait *= 2) EXPECT_EQ(backoff.down(now), wait);
  EXPECT_EQ(backoff.down(now), 10s);
  EXPECT_EQ(backoff.down(now), 10s);
}

TEST(Backoff, BeginsAnewAfterAGoodTime) {
  Backoff backoff(100ms, 10s, 30s);
  auto now = Clock::time_point(1h);
  for (int i = 0; i < 5; ++i) backoff.down(now);
  backoff.up(now);
  EXPECT_EQ(backoff.down(now + 30s), 100ms);
}

TEST(Backoff, DoesNotBeginAnewAfterAShortOne) {
  Backoff backoff(100ms, 10s, 30s);
  auto now = Clock::time_point(1h);
  EXPECT_EQ(backoff.down(now), 100ms);
  backoff.up(now);
  EXPECT_EQ(backoff.down(now + 29s), 200ms) << "a crash loop with a second of work in between is one";
}

}  // namespace
}  // namespace weir::agent
