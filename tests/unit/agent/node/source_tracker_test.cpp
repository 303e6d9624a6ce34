#include "agent/node/source_tracker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "routing/build/table_builder.h"
#include "samples.h"

namespace weir::agent {
namespace {

using namespace std::chrono_literals;

TEST(LocalPods, ArePodsWhoseAddressIsInANamespace) {
  const auto table = routing::build_table(sample_store());
  NetnsScan scan;
  scan.cookie_of[*IpAddress::parse("10.1.0.2")] = 7;
  scan.cookie_of[*IpAddress::parse("10.9.9.9")] = 8;
  const auto pods = local_pods(*table, scan);
  ASSERT_EQ(pods.size(), 1U);
  EXPECT_EQ(pods[0], (LocalPod{"default", "reviews-2", *IpAddress::parse("10.1.0.2"), 7}));
}

TEST(SourceTracker, LooksWhenItBecomesActiveAndTellsOnce) {
  std::promise<bool> told;
  std::atomic<int> times{0};
  SourceTracker tracker(1h, [&](Result<NetnsScan> scan) {
    if (times++ == 0) told.set_value(scan.has_value());
  });
  tracker.set_active(true);
  auto future = told.get_future();
  ASSERT_EQ(future.wait_for(10s), std::future_status::ready);
  EXPECT_TRUE(future.get());
}

TEST(SourceTracker, RestsWhileNobodyAsks) {
  std::atomic<int> times{0};
  {
    SourceTracker tracker(1ms, [&](Result<NetnsScan>) { ++times; });
    tracker.hurry();
  }
  EXPECT_EQ(times, 0);
}

}  // namespace
}  // namespace weir::agent
