#include "datapath/map_diff.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <random>

#include "datapath/maps_view.h"
#include "pick/pick.h"
#include "support.h"

namespace weir::datapath {
namespace {

using Services = std::vector<std::shared_ptr<routing::ServicePlan>>;

std::shared_ptr<routing::ServicePlan> two_versions(uint64_t v1, uint64_t v2) {
  std::vector<routing::PlanDestination> parts;
  if (v1 > 0) parts.push_back(destination_of("v1", v1, {endpoint_at("10.0.0.1"), endpoint_at("10.0.0.2")}));
  if (v2 > 0) parts.push_back(destination_of("v2", v2, {endpoint_at("10.0.0.3")}));
  return service_of("reviews", "10.96.0.1", parts);
}

TEST(MapDiff, FirstWriteInOrder) {
  FakeMaps maps;
  const auto changes = maps.want({two_versions(90, 10)});
  ASSERT_TRUE(changes);
  EXPECT_EQ(to_lines(*changes), (std::vector<std::string>{
                                    "counter 1 for 10.0.0.1:80",
                                    "counter 2 for 10.0.0.2:80",
                                    "counter 3 for 10.0.0.3:80",
                                    "endpoint 1 = 10.0.0.1:80 of split 1",
                                    "endpoint 2 = 10.0.0.2:80 of split 1",
                                    "endpoint 3 = 10.0.0.3:80 of split 1",
                                    "split 1 = reviews v1=90.00% of 2 v2=10.00% of 1",
                                    "frontend 10.96.0.1:80/tcp = split 1",
                                }));
  EXPECT_EQ(changes->operations(), to_lines(*changes).size());
}

TEST(MapDiff, ASecondApplyIsZeroOperations) {
  FakeMaps maps;
  EXPECT_EQ(maps.apply({two_versions(90, 10)}), 8U);
  EXPECT_EQ(maps.apply({two_versions(90, 10)}, 2), 0U) << "another generation alone is no reason to write";
}

TEST(MapDiff, AWeightChangeIsOneElement) {
  FakeMaps maps;
  maps.apply({two_versions(90, 10)});
  maps.cursors[1] = 12345;
  const auto changes = maps.want({two_versions(50, 50)}, 2);
  EXPECT_EQ(to_lines(*changes), (std::vector<std::string>{"split 1 = reviews v1=50.00% of 2 v2=50.00% of 1"}));
  maps.write(*changes, 0);
  EXPECT_EQ(maps.cursors[1], 12345U);
  const auto& split = maps.state.splits.begin()->second.value;
  EXPECT_EQ(split.generation, 2U);
  EXPECT_EQ(split.start, 12345U) << "the new weights hold from the next pick on";
}

TEST(MapDiff, StampsNeverRepeat) {
  FakeMaps maps;
  uint64_t before = 0;
  for (uint64_t i = 1; i < 50; ++i) {
    maps.apply({two_versions(i, 50)}, i);
    const uint64_t stamp = maps.state.splits.begin()->second.value.stamp;
    EXPECT_GT(stamp, before);
    before = stamp;
  }
}

TEST(MapDiff, ToZeroAndBackKeepsCounters) {
  FakeMaps maps;
  maps.apply({two_versions(90, 10)});
  maps.counters[3].picked = 5;
  maps.apply({two_versions(100, 0)}, 2);
  EXPECT_EQ(maps.text(), "reviews v1=100.00% (10.0.0.1:80 10.0.0.2:80)\n");
  maps.apply({two_versions(90, 10)}, 3);
  const auto& split = maps.state.splits.begin()->second.value;
  EXPECT_EQ(maps.endpoints[split.destinations[1].first].counter, 3U);
  EXPECT_EQ(maps.counters[3].picked, 5U);
}

TEST(MapDiff, ChangedEndpointsGoToAFreshRange) {
  FakeMaps maps;
  maps.apply({two_versions(90, 10)});
  auto plan = two_versions(90, 10);
  plan->splits[0].destinations[0].endpoints.push_back(endpoint_at("10.0.0.9"));
  maps.apply({plan}, 2);
  const auto& split = maps.state.splits.begin()->second.value;
  EXPECT_EQ(split.destinations[0].first, 4U) << "a reader of the old element still finds the old range";
  EXPECT_EQ(maps.endpoints[1].split, 1U);
  EXPECT_EQ(split.destinations[1].first, 3U) << "what did not change stays";
  EXPECT_EQ(maps.endpoints[4].counter, 1U) << "and so do the counters";
  EXPECT_EQ(maps.state.ranges.resting(), 2U);
}

TEST(MapDiff, FreedPlacesRest) {
  FakeMaps maps;
  maps.apply({two_versions(90, 10)});
  EXPECT_EQ(maps.apply({}), 2U) << "one frontend, one split";
  EXPECT_EQ(maps.state.ranges.resting(), 3U);
  EXPECT_EQ(maps.state.split_ids.resting(), 1U);
  maps.apply({two_versions(90, 10)});
  EXPECT_EQ(maps.state.splits.begin()->second.id, 2U);
  maps.apply({service_of("other", "10.96.0.2", {destination_of("", 1, {})})}, 3, 2 * RangeAllocator::kRestNs);
  EXPECT_EQ(maps.state.splits.begin()->second.id, 1U);
}

TEST(MapDiff, DeletionsComeLastFrontendsBeforeSplits) {
  FakeMaps maps;
  maps.apply({two_versions(90, 10)});
  const auto changes = maps.want({service_of("other", "10.96.0.2", {destination_of("", 1, {})})});
  EXPECT_EQ(to_lines(*changes), (std::vector<std::string>{
                                    "split 2 = other svc.default=100.00% of 0",
                                    "frontend 10.96.0.2:80/tcp = split 2",
                                    "delete frontend 10.96.0.1:80/tcp",
                                    "delete split 1",
                                }));
}

TEST(MapDiff, NodesAndSplitsHaveAnOrderOfTheirOwn) {
  FakeMaps one, two;
  two.state.phase = 43;
  one.apply({two_versions(1, 1), service_of("b", "10.96.0.2", {destination_of("", 1, {})})});
  two.apply({two_versions(1, 1)});
  const uint64_t phase = one.state.splits.at(split_key("reviews")).value.phase;
  EXPECT_NE(phase, two.state.splits.at(split_key("reviews")).value.phase);
  EXPECT_NE(phase, one.state.splits.at(split_key("b")).value.phase);
  one.state.phase = 44;
  EXPECT_EQ(one.apply({two_versions(1, 1), service_of("b", "10.96.0.2", {destination_of("", 1, {})})}), 0U)
      << "kept when the node gets another name";
}

TEST(MapDiff, OtherEndpointsDoNotRestartTheOrder) {
  FakeMaps maps;
  maps.apply({two_versions(90, 10)});
  const uint64_t start = maps.state.splits.begin()->second.value.start;
  maps.cursors[1] += 77;
  auto plan = two_versions(9, 1);  // the same weights
  plan->splits[0].destinations[1].endpoints.push_back(endpoint_at("10.0.0.9"));
  EXPECT_GT(maps.apply({plan}, 2), 0U);
  EXPECT_EQ(maps.state.splits.begin()->second.value.start, start);
}

TEST(MapDiff, AReusedIdStartsWhereItsCursorStands) {
  FakeMaps maps;
  maps.cursors[1] = 900;
  maps.apply({two_versions(90, 10)});
  EXPECT_EQ(maps.state.splits.begin()->second.value.start, 900U);
}

TEST(MapDiff, FullMapsAreToldAndNothingIsTaken) {
  const auto expect = [](FakeMaps maps, const Services& services, const std::string& message) {
    const uint32_t ranges = maps.state.ranges.available(), ids = maps.state.split_ids.available();
    const size_t counters = maps.state.counters.known();
    const auto changes = maps.want(services);
    ASSERT_FALSE(changes);
    EXPECT_EQ(changes.error().code, ENOSPC);
    EXPECT_EQ(changes.error().message, message);
    EXPECT_EQ(maps.state.ranges.available(), ranges);
    EXPECT_EQ(maps.state.split_ids.available(), ids);
    EXPECT_EQ(maps.state.counters.known(), counters);
  };
  const Services both{two_versions(1, 1),
                      service_of("b", "10.96.0.2", {destination_of("", 1, {endpoint_at("10.0.0.7")})})};
  expect(FakeMaps(4), both, "endpoints: the map is full: 4 entries needed at least, it has 3");
  expect(FakeMaps(64, 2), both, "splits: the map is full: 2 entries needed at least, it has 1");
  expect(FakeMaps(64, 16, 64, 1), both, "frontends: the map is full: 2 entries needed, it has 1");
}

TEST(MapDiff, NoRoomForCountersIsNoError) {
  FakeMaps maps(64, 16, 2);
  EXPECT_NE(maps.apply({two_versions(1, 1)}), SIZE_MAX);
  EXPECT_EQ(maps.endpoints[1].counter, 1U);
  EXPECT_EQ(maps.endpoints[2].counter, 0U);
  EXPECT_EQ(maps.apply({two_versions(1, 1)}), 0U);
}

TEST(MapDiff, UndoGivesEverythingBack) {
  FakeMaps maps;
  const auto changes = maps.want({two_versions(1, 1)});
  undo(maps.state, *changes);
  EXPECT_EQ(maps.state.ranges.used(), 0U);
  EXPECT_EQ(maps.state.split_ids.used(), 0U);
  EXPECT_EQ(maps.state.counters.known(), 0U);
  EXPECT_EQ(maps.want({two_versions(1, 1)})->operations(), changes->operations());
}

TEST(MapDiff, TheFirstOfTwoClaimsHolds) {
  FakeMaps maps;
  auto second = service_of("second", "10.96.0.1", {destination_of("", 1, {})});
  auto twin = service_of("reviews", "10.96.0.3", {destination_of("", 1, {})});
  const auto changes = maps.want({two_versions(1, 1), second, twin});
  EXPECT_EQ(changes->warnings,
            (std::vector<std::string>{
                "service second claims 10.96.0.1:80/tcp, which service reviews has; that one holds",
                "split reviews of service reviews has the name of one of service reviews, which holds"}));
  EXPECT_EQ(changes->frontends.size(), 2U);
  EXPECT_EQ(changes->frontends[0].split, 1U);
}

TEST(MapDiff, OnlyWhatIsListedGoes) {
  FakeMaps maps;
  const auto stays = service_of("stays", "10.96.0.5", {destination_of("", 1, {endpoint_at("10.0.0.5")})});
  maps.apply({two_versions(1, 1), stays});
  Wanted wanted;
  wanted.gone_frontends.push_back(frontend_key_of(two_versions(1, 1)->frontends[0]));
  wanted.gone_splits = {split_key("reviews"), split_key("never there")};
  const auto changes = diff(maps.state, wanted, 2, 0);
  ASSERT_TRUE(changes);
  EXPECT_EQ(to_lines(*changes), (std::vector<std::string>{"delete frontend 10.96.0.1:80/tcp", "delete split 1"}));
  maps.write(*changes, 0);
  EXPECT_EQ(maps.text(), "stays svc.default=100.00% (10.0.0.5:80)\n");
}

TEST(MapDiff, AnUnsoundSplitIsWrittenAnewAndItsRangesAreNobodys) {
  FakeMaps maps;
  maps.apply({two_versions(90, 10)});
  maps.state.splits.begin()->second.sound = false;
  EXPECT_GT(maps.apply({two_versions(90, 10)}, 2), 0U);
  EXPECT_TRUE(maps.state.splits.begin()->second.sound);
  EXPECT_EQ(maps.state.ranges.resting(), 0U);
}

/// Every frontend's split picks only endpoints that its service has.
void expect_consistent(const FakeMaps& maps, const Services& services) {
  for (const auto& service : services) {
    const auto frontend = maps.state.frontends.find(frontend_key_of(service->frontends[0]));
    ASSERT_NE(frontend, maps.state.frontends.end());
    const auto split = maps.state.splits.find(split_key(service->splits[0].name));
    ASSERT_NE(split, maps.state.splits.end());
    ASSERT_EQ(frontend->second.split, split->second.id);
    size_t wanted = 0, there = 0;
    for (const auto& destination : service->splits[0].destinations) wanted += destination.endpoints.size();
    for (uint32_t i = 0; i < split->second.value.destination_count; ++i) {
      const auto& part = split->second.value.destinations[i];
      there += part.count;
      for (uint32_t k = 0; k < part.count; ++k) ASSERT_EQ(maps.endpoints[part.first + k].split, split->second.id);
    }
    ASSERT_EQ(there, wanted);
  }
}

TEST(MapDiff, RandomPlansOneAfterTheOther) {
  std::mt19937 random(11);
  FakeMaps maps(400, 40, 400, 40);
  uint64_t now = 0;
  for (uint64_t round = 1; round < 2000; ++round, now += RangeAllocator::kRestNs / 4) {
    Services services;
    for (int i = 0; i < 8; ++i) {
      if (random() % 3 == 0) continue;
      std::vector<routing::PlanDestination> parts;
      for (unsigned k = 0; k <= random() % 3; ++k) {
        std::vector<routing::PlanEndpoint> endpoints;
        for (unsigned e = 0; e < random() % 4; ++e)
          endpoints.push_back(
              endpoint_at("10.0." + std::to_string(i) + "." + std::to_string(1 + e), 80, 1 + random() % 2));
        parts.push_back(destination_of("v" + std::to_string(k), 1 + random() % 9, endpoints));
      }
      services.push_back(service_of("s" + std::to_string(i), "10.96.0." + std::to_string(1 + i), parts));
    }
    ASSERT_NE(maps.apply(services, round, now), SIZE_MAX);
    expect_consistent(maps, services);
    ASSERT_EQ(maps.apply(services, round, now), 0U);
    // A restart finds what was left.
    if (round % 50 == 0) {
      std::vector<std::pair<abi::frontend_key, abi::frontend>> frontends(maps.state.frontends.begin(),
                                                                         maps.state.frontends.end());
      std::vector<std::pair<uint32_t, abi::split>> splits;
      for (const auto& [key, split] : maps.state.splits) splits.emplace_back(split.id, split.value);
      maps.state.rebuild(frontends, splits);
      ASSERT_EQ(maps.apply(services, round, now), 0U);
    }
  }
}

}  // namespace
}  // namespace weir::datapath
