#include "proxy/stats.h"

#include <gtest/gtest.h>

namespace weir::proxy {
namespace {

using std::chrono::microseconds;

size_t bucket_of(microseconds duration) {
  Histogram histogram;
  histogram.add(duration);
  for (size_t bucket = 0; bucket < Histogram::kBuckets; ++bucket) {
    if (histogram.count(bucket) != 0) return bucket;
  }
  ADD_FAILURE() << "in no bucket";
  return 0;
}

TEST(Histogram, BucketsAreTightAndRising) {
  for (size_t bucket = 1; bucket < Histogram::kBuckets; ++bucket) {
    ASSERT_GT(Histogram::upper(bucket), Histogram::upper(bucket - 1)) << bucket;
  }
  for (int64_t us = 0; us < 3'000'000; us = us < 100 ? us + 1 : us * 21 / 20) {
    const size_t bucket = bucket_of(microseconds(us));
    EXPECT_LE(us, Histogram::upper(bucket).count()) << us;
    if (bucket > 0) {
      EXPECT_GT(us, Histogram::upper(bucket - 1).count()) << us;
    }
    if (us >= 16) {
      EXPECT_LE(Histogram::upper(bucket).count(), us * 5 / 4) << us;
    }
  }
}

TEST(Histogram, EndsTakeWhatIsBeyond) {
  EXPECT_EQ(bucket_of(microseconds(-5)), 0U);
  EXPECT_EQ(bucket_of(std::chrono::hours(24 * 365)), Histogram::kBuckets - 1);
  EXPECT_GE(Histogram::upper(Histogram::kBuckets - 1), std::chrono::minutes(20));
}

TEST(StatsRegistry, OneNameOneSetOfCounters) {
  StatsRegistry registry(2);
  const auto first = registry.traffic("route", "a");
  EXPECT_EQ(registry.traffic("route", "a"), first);
  EXPECT_NE(registry.traffic("route", "b"), first);
  EXPECT_NE(registry.traffic("other", "a"), first);
  first->of_loop(0).requests.add(3);
  first->of_loop(1).requests.add(4);
  EXPECT_EQ(first->sum([](const TrafficStats& stats) -> const Counter& { return stats.requests; }), 7U);
}

TEST(StatsRegistry, SweepForgetsWhatNobodyHolds) {
  StatsRegistry registry(1);
  const auto held = registry.traffic("route", "a");
  registry.traffic("route", "b")->of_loop(0).requests.add();
  const auto endpoint = registry.endpoint("a", "10.0.0.1:80");
  registry.endpoint("a", "10.0.0.2:80");
  registry.sweep();
  ASSERT_EQ(registry.all_traffic().size(), 1U);
  EXPECT_EQ(registry.all_traffic()[0].destination, "a");
  ASSERT_EQ(registry.all_endpoints().size(), 1U);
  EXPECT_EQ(registry.all_endpoints()[0].address, "10.0.0.1:80");
}

}  // namespace
}  // namespace weir::proxy
