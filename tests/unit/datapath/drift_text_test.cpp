#include "datapath/drift_text.h"

#include <gtest/gtest.h>

#include "support.h"

namespace weir::datapath {
namespace {

TEST(DriftText, TellsHowItWasAndHowItIs) {
  FakeMaps maps;
  const auto service = service_of("s", "10.96.0.1", {destination_of("v1", 1, {endpoint_at("10.0.0.1")})});
  maps.apply({service});
  const auto key = maps.state.frontends.begin()->first;
  maps.state.frontends.begin()->second.split = 7;
  auto changes = maps.want({service});
  ASSERT_TRUE(changes);
  EXPECT_EQ(describe_before(maps.state, *changes),
            (std::vector<std::string>{"frontend " + to_text(key) + ": was split 7"}));
  maps.write(*changes, 0);
  EXPECT_EQ(describe_after(maps.state, *changes), (std::vector<std::string>{", is split 1"}));
}

TEST(DriftText, WhatGoesIsToldToo) {
  FakeMaps maps;
  maps.apply({service_of("s", "10.96.0.1", {destination_of("v1", 1, {endpoint_at("10.0.0.1")})})});
  auto changes = maps.want({});
  ASSERT_TRUE(changes);
  EXPECT_EQ(
      describe_before(maps.state, *changes),
      (std::vector<std::string>{"frontend 10.96.0.1:80/tcp: was split 1", "split 1: was s v1=100.00% (10.0.0.1:80)"}));
  EXPECT_EQ(describe_after(maps.state, *changes), (std::vector<std::string>{", is gone", ", is gone"}));
}

}  // namespace
}  // namespace weir::datapath
