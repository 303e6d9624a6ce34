#include "agent/views/outside_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

State serving() {
  State state;
  state.outside.wanted = state.outside.attached = true;
  state.outside.frontends = 3;
  state.outside.devices = {
      {.name = "eth0", .ifindex = 2, .tc = "tcx", .xdp = "native", .why = "", .foreign = {}, .problem = ""},
      {.name = "br0",
       .ifindex = 3,
       .tc = "tcx",
       .xdp = "",
       .why = "bridge: not a physical device",
       .foreign = {{.id = 7, .name = "cil_from_netdev"}},
       .problem = ""}};
  return state;
}

TEST(OutsideView, NamesDevicesAndHowTheyAreServed) {
  const Json json = outside_view(serving());
  EXPECT_EQ(json["devices"][0]["xdp"], "native");
  EXPECT_EQ(json["devices"][1]["why_no_xdp"], "bridge: not a physical device");
  EXPECT_EQ(json["devices"][1]["foreign"][0]["name"], "cil_from_netdev");
  EXPECT_EQ(json["frontends"], 3);
  EXPECT_THAT(outside_problems(serving()), IsEmpty());
}

TEST(OutsideView, WhatHinders) {
  State state = serving();
  state.outside.devices[1].problem = "no such device";
  EXPECT_THAT(outside_problems(state), ElementsAre("interface br0: no such device"));
  state.outside.trouble = "reserved ports: taken";
  EXPECT_THAT(outside_problems(state), ElementsAre("what comes from outside is not all split: reserved ports: taken"));
}

TEST(OutsideView, WithoutInterfacesNothingIsWrong) {
  const State state;
  const Json json = outside_view(state);
  EXPECT_EQ(json["wanted"], false);
  EXPECT_EQ(json["unserved"], 0);
  EXPECT_THAT(outside_problems(state), IsEmpty());
}

TEST(OutsideView, PacketsByName) {
  datapath::MapsView maps;
  maps.packets = {{"local", "carried: to an endpoint of this node", 4}};
  EXPECT_EQ(packets_json(maps).dump(), R"([{"name":"local","count":4,"help":"carried: to an endpoint of this node"}])");
}

}  // namespace
}  // namespace weir::agent
