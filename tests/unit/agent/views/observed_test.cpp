#include "agent/views/observed.h"

#include <gtest/gtest.h>

#include "routing/build/table_builder.h"
#include "samples.h"

namespace weir::agent {
namespace {

using datapath::DestinationView;
using datapath::MapsView;

MapsView maps_with(const routing::Plan& plan, std::vector<uint64_t> picked) {
  MapsView maps;
  const auto& split = plan.services.at(0)->splits.at(0);
  datapath::SplitView view;
  view.key = datapath::split_key(split.name);
  for (size_t i = 0; i < split.destinations.size(); ++i) {
    const auto& destination = split.destinations[i];
    DestinationView part;
    part.key = datapath::destination_key(destination.host, destination.port, destination.subset);
    part.counts.picked = picked.at(i);
    view.destinations.push_back(part);
  }
  maps.splits = {view};
  return maps;
}

class ObservedTest : public ::testing::Test {
 protected:
  static std::shared_ptr<const routing::Plan> plan(int v1, int v2) {
    return routing::build_table(sample_store(split_rule(v1, v2)))->plan;
  }
  uint64_t since(const MapsView& maps, size_t i) const {
    const auto& destination = maps.splits[0].destinations[i];
    return observed_.since(maps.splits[0].key, destination.key, destination.counts.picked);
  }
  Observed observed_;
};

TEST_F(ObservedTest, CountsFromTheStart) {
  const auto maps = maps_with(*plan(90, 10), {9, 1});
  EXPECT_EQ(since(maps, 0), 9U);
  EXPECT_EQ(since(maps, 1), 1U);
}

TEST_F(ObservedTest, WhatWasCountedBeforeTheAgentDoesNotCount) {
  observed_.begin(maps_with(*plan(90, 10), {900, 100}));
  const auto maps = maps_with(*plan(90, 10), {909, 101});
  EXPECT_EQ(since(maps, 0), 9U);
  EXPECT_EQ(since(maps, 1), 1U);
}

TEST_F(ObservedTest, ChangedWeightsBeginAnew) {
  const auto before = plan(90, 10), after = plan(50, 50);
  observed_.restart_changed(before.get(), *after, maps_with(*after, {900, 100}));
  EXPECT_EQ(since(maps_with(*after, {905, 105}), 0), 5U);
}

TEST_F(ObservedTest, SameWeightsGoOn) {
  const auto before = plan(90, 10), after = plan(90, 10);
  observed_.restart_changed(before.get(), *after, maps_with(*after, {900, 100}));
  EXPECT_EQ(since(maps_with(*after, {905, 105}), 0), 905U);
}

TEST_F(ObservedTest, CounterThatWasMadeAnew) {
  observed_.begin(maps_with(*plan(90, 10), {900, 100}));
  EXPECT_EQ(since(maps_with(*plan(90, 10), {5, 1}), 0), 5U);
}

TEST(ChangedSplits, OnlyThoseThatDiffer) {
  const auto a = routing::build_table(sample_store(split_rule(90, 10)))->plan;
  const auto b = routing::build_table(sample_store(split_rule(80, 20)))->plan;
  EXPECT_TRUE(changed_splits(a.get(), *a).empty());
  EXPECT_EQ(changed_splits(a.get(), *b).size(), 1U);
  EXPECT_EQ(changed_splits(nullptr, *b).size(), 1U);
  EXPECT_TRUE(changed_splits(a.get(), routing::Plan{}).empty());
}

TEST_F(ObservedTest, LaterEndsWithTheObject) {
  Observed observed;
  observed.restart_later(plan(90, 10), plan(50, 50), "/nonexistent");
}

}  // namespace
}  // namespace weir::agent
