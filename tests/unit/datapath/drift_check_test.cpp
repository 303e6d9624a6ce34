#include "datapath/drift_check.h"

#include <bpf/bpf.h>

#include <cstring>
#include <thread>

#include "lifecycle.h"

namespace weir::datapath::test {
namespace {

class DriftCheckTest : public LifecycleTest {
 protected:
  [[nodiscard]] bool finds_nothing(const DriftCheck& check) const {
    Result<bool> found = Error{"not run", 0};
    std::thread([&] { found = check.finds_nothing(); }).join();
    EXPECT_TRUE(found) << found.error().message;
    return found && *found;
  }
};

TEST_F(DriftCheckTest, FindsNothingWhereNothingIs) {
  auto datapath = start(plan(90, 10));
  EXPECT_TRUE(finds_nothing(datapath.drift_check()));
  ASSERT_TRUE(datapath.apply(plan(1, 1, 2)));
  EXPECT_TRUE(finds_nothing(datapath.drift_check()));
  EXPECT_EQ(ask_often(kVip, 80, 4).size(), 2U);
  EXPECT_TRUE(finds_nothing(datapath.drift_check())) << "cursors and counters that move are no drift";
}

TEST_F(DriftCheckTest, FindsWhatSomebodyChanged) {
  auto datapath = start(plan(1, 0));
  ASSERT_NO_FATAL_FAILURE(spoil_the_split());
  EXPECT_FALSE(finds_nothing(datapath.drift_check()));
  EXPECT_EQ(datapath.reconcile(Datapath::Look::kAllButServices)->drift.size(), 0U);
  EXPECT_FALSE(finds_nothing(datapath.drift_check())) << "it only looks, and the short look leaves services alone";
  EXPECT_EQ(datapath.reconcile()->drift.size(), 1U);
  EXPECT_TRUE(finds_nothing(datapath.drift_check()));
}

TEST_F(DriftCheckTest, FindsEditedEndpointsLostFrontendsAndStrangers) {
  auto datapath = start(plan(1, 0));
  const auto endpoints = pinned("maps/endpoints"), frontends = pinned("maps/frontends");
  const uint32_t first = 1;
  abi::endpoint scribble{};
  std::memset(&scribble, 0xff, sizeof(scribble));
  ASSERT_EQ(bpf_map_update_elem(endpoints.get(), &first, &scribble, BPF_ANY), 0);
  EXPECT_FALSE(finds_nothing(datapath.drift_check()));
  ASSERT_TRUE(datapath.reconcile());
  abi::frontend_key key{};
  ASSERT_EQ(bpf_map_get_next_key(frontends.get(), nullptr, &key), 0);
  ASSERT_EQ(bpf_map_delete_elem(frontends.get(), &key), 0);
  EXPECT_FALSE(finds_nothing(datapath.drift_check()));
  ASSERT_TRUE(datapath.reconcile());
  key.port = 5;
  const abi::frontend stranger{.check = 1, .split = 77, .flags = 0, .proxy_port = 0};
  ASSERT_EQ(bpf_map_update_elem(frontends.get(), &key, &stranger, BPF_ANY), 0);
  EXPECT_FALSE(finds_nothing(datapath.drift_check()));
}

TEST_F(DriftCheckTest, WhatWasAppliedMeanwhileLooksLikeDriftOfAnotherGeneration) {
  auto datapath = start(plan(1, 0));
  const auto check = datapath.drift_check();
  ASSERT_TRUE(datapath.apply(plan(0, 1, 2)));
  EXPECT_FALSE(finds_nothing(check));
  EXPECT_NE(check.generation, datapath.generation());
}

TEST_F(DriftCheckTest, MapsThatAreGoneAreAnError) {
  auto datapath = start(plan(1, 0));
  auto check = datapath.drift_check();
  check.maps_dir += "-not";
  const auto found = check.finds_nothing();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ENOENT);
}

}  // namespace
}  // namespace weir::datapath::test
