#include "datapath/service_delta.h"

#include <gtest/gtest.h>

#include <random>

#include "support.h"

namespace weir::datapath {
namespace {

std::shared_ptr<const routing::ServicePlan> numbered(int number) {
  return service_of("s" + std::to_string(number), "10.96.0." + std::to_string(number),
                    {destination_of("", 1, {endpoint_at("10.0.0.1")})});
}

TEST(ServiceDelta, TheSameIsNothing) {
  const Services services{numbered(1), numbered(2)};
  const auto delta = compare_services(services, services);
  EXPECT_TRUE(delta.added.empty());
  EXPECT_TRUE(delta.removed.empty());
}

TEST(ServiceDelta, OneOfMany) {
  Services before;
  for (int i = 1; i < 200; ++i) before.push_back(numbered(i));
  Services after = before;
  after[77] = numbered(78);
  const auto delta = compare_services(before, after);
  EXPECT_EQ(delta.added, (Services{after[77]}));
  EXPECT_EQ(delta.removed, (Services{before[77]}));
  EXPECT_EQ(delta.prefix, 77U);
  EXPECT_EQ(delta.suffix, 121U);
}

TEST(ServiceDelta, RandomEditsAreFollowed) {
  std::mt19937 random(3);
  Services applied;
  for (int round = 0; round < 3000; ++round) {
    Services after = applied;
    for (unsigned i = 0; i < random() % 4; ++i) {
      const size_t at = after.empty() ? 0 : random() % after.size();
      const auto place = after.begin() + static_cast<ptrdiff_t>(at);
      switch (random() % 3) {
        case 0:
          after.insert(place, numbered(1 + static_cast<int>(random() % 250)));
          break;
        case 1:
          if (!after.empty()) after.erase(place);
          break;
        default:
          if (!after.empty()) *place = numbered(5);
          break;
      }
    }
    const auto delta = compare_services(applied, after);
    replace_services(applied, after, delta);
    ASSERT_EQ(applied, after);
  }
}

TEST(ServiceDelta, WantOnlyTheDifference) {
  FakeMaps maps;
  const Services before{numbered(1), numbered(2)};
  auto all = want_all(before);
  ASSERT_TRUE(all);
  maps.write(*diff(maps.state, all->wanted, 1, 0), 0);
  const Services after{before[0], numbered(3)};
  bool fits = false;
  const auto wanted = want_delta(compare_services(before, after), maps.state, &fits);
  ASSERT_TRUE(wanted);
  EXPECT_TRUE(fits);
  const auto changes = diff(maps.state, wanted->wanted, 2, 0);
  EXPECT_EQ(changes->frontends.size(), 1U);
  EXPECT_EQ(changes->gone_frontends.size(), 1U);
  EXPECT_EQ(changes->gone_splits.size(), 1U);
}

TEST(ServiceDelta, AChangedServiceKeepsWhatItHas) {
  FakeMaps maps;
  const Services before{numbered(1)};
  maps.write(*diff(maps.state, want_all(before)->wanted, 1, 0), 0);
  const Services after{numbered(1)};  // another address, the same content
  bool fits = false;
  const auto wanted = want_delta(compare_services(before, after), maps.state, &fits);
  EXPECT_TRUE(fits);
  EXPECT_EQ(diff(maps.state, wanted->wanted, 2, 0)->operations(), 0U);
}

TEST(ServiceDelta, AClaimOfWhatAnotherHoldsDoesNotFit) {
  FakeMaps maps;
  const Services before{numbered(1)};
  maps.write(*diff(maps.state, want_all(before)->wanted, 1, 0), 0);
  const Services after{before[0], service_of("thief", "10.96.0.1", {destination_of("", 1, {})})};
  bool fits = true;
  ASSERT_TRUE(want_delta(compare_services(before, after), maps.state, &fits));
  EXPECT_FALSE(fits);
  const Services twin{before[0], service_of("s1", "10.96.0.9", {destination_of("", 1, {})})};
  ASSERT_TRUE(want_delta(compare_services(before, twin), maps.state, &fits));
  EXPECT_FALSE(fits);
}

TEST(ServiceDelta, MarkersOfSourcesGoWithTheService) {
  FakeMaps maps;
  auto service = service_of("s", "10.96.0.1", {destination_of("", 1, {})});
  service->frontends[0].source = 4;
  const Services before{service};
  maps.write(*diff(maps.state, want_all(before)->wanted, 1, 0), 0);
  EXPECT_EQ(maps.state.frontends.size(), 2U);
  bool fits = false;
  const auto wanted = want_delta(compare_services(before, {}), maps.state, &fits);
  maps.write(*diff(maps.state, wanted->wanted, 2, 0), 0);
  EXPECT_TRUE(maps.state.frontends.empty());
  EXPECT_TRUE(maps.state.splits.empty());
}

TEST(ServiceDelta, AServiceForOutsideLeavesTheMeshsEntryAlone) {
  FakeMaps maps;
  auto mesh = service_of("mesh", "10.96.0.1", {destination_of("", 1, {})});
  auto outside = service_of("outside", "10.96.0.1", {destination_of("", 1, {})});
  outside->frontends[0].source = routing::kOutside;
  const Services before{mesh, outside};
  maps.write(*diff(maps.state, want_all(before)->wanted, 1, 0), 0);
  EXPECT_EQ(maps.state.frontends.size(), 2U);
  bool fits = false;
  const auto wanted = want_delta(compare_services(before, {mesh}), maps.state, &fits);
  maps.write(*diff(maps.state, wanted->wanted, 2, 0), 0);
  ASSERT_EQ(maps.state.frontends.size(), 1U);
  EXPECT_EQ(maps.state.frontends.begin()->first.source, 0U);
}

TEST(ServiceDelta, ABadPlanIsAnError) {
  const Services bad{service_of("s", "10.96.0.1", {})};
  EXPECT_EQ(want_all(bad).error().message, "service s:80: split s has no destination");
}

}  // namespace
}  // namespace weir::datapath
