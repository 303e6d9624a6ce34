#include <arpa/inet.h>
#include <gtest/gtest.h>

#include "datapath/maps_view.h"
#include "support.h"

namespace weir::datapath {
namespace {

TEST(MapText, View) {
  MapsView view;
  view.abi = 1;
  view.generation = 9;
  view.node = "n1";
  view.frontends = {{*IpAddress::parse("10.96.0.1"), 80, 6, 0, 3, 0, false},
                    {*IpAddress::parse("fd00::1"), 80, 6, 5, 3, 61000, true}};
  view.proxy.enabled = true;
  view.proxy.v4 = IpAddress::parse("10.0.0.9");
  view.proxy.v4_workers = 2;
  view.proxy.ports = {{61000, *IpAddress::parse("fd00::1"), 80, 0}, {61001, *IpAddress::parse("10.9.9.9"), 80, 5}};
  SplitView split;
  split.id = 3;
  split.name = "reviews";
  split.generation = 8;
  split.fallback = true;
  split.counts = {.picked = 10, .opened = 9, .closed = 7};
  split.destinations.push_back({.key = 2,
                                .label = "v1",
                                .share = 0.9,
                                .endpoints = {{*IpAddress::parse("10.0.0.1"), 9080, 0.9, {}}},
                                .counts = {.picked = 9, .opened = 0, .closed = 0}});
  view.splits.push_back(split);
  view.verdicts = {{"lookups", "connect calls looked at", 12}};
  view.sources = {{77, 5}};
  view.usage = {{.name = "splits", .type = "hash", .used = 1, .capacity = 64}};
  view.problems = {"split 4 has endpoints out of bounds"};
  EXPECT_EQ(to_text(view),
            "abi 1 generation 9 node n1\n"
            "frontend 10.96.0.1:80 protocol 6 split 3\n"
            "frontend [fd00::1]:80 protocol 6 source 5 split 3 proxy port 61000 refuse without proxy\n"
            "split 3 reviews fallback generation 8 picked 10 open 2\n"
            "  v1 90.00% picked 9 open 0\n"
            "    10.0.0.1:9080 90.00% picked 0 open 0\n"
            "proxy port 61000 [fd00::1]:80\n"
            "proxy port 61001 10.9.9.9:80 unused\n"
            "proxy enabled v4 10.0.0.9 v6 none workers 2+0\n"
            "verdict lookups 12\n"
            "source 5 netns 77\n"
            "map splits hash 1/64\n"
            "problem split 4 has endpoints out of bounds\n");
}

TEST(MapText, OpenIsNeverNegative) {
  EXPECT_EQ((Counts{.picked = 0, .opened = 1, .closed = 2}).open(), 0U) << "read while a socket was closing";
  Counts sum{.picked = 1, .opened = 2, .closed = 1};
  sum += {.picked = 3, .opened = 3, .closed = 1};
  EXPECT_EQ(sum.picked, 4U);
  EXPECT_EQ(sum.open(), 3U);
}

TEST(MapText, SplitsThatMakeNoSense) {
  FakeMaps maps;
  abi::split split{};
  std::memcpy(split.name, "odd", 3);
  split.mode = 7;
  split.flags = abi::SPLIT_FALLBACK;
  split.destination_count = 2;
  split.destinations[0] = {.last = 0x7fffffff, .first = 5, .count = 1, .key = 0, .flags = 0, .label = "v1"};
  split.destinations[1] = {.last = 0xffffffff, .first = 63, .count = 9, .key = 0, .flags = 0, .label = "v2"};
  EXPECT_EQ(to_text(split, maps.endpoints),
            "odd fallback mode 7 v1=50.00% ([::]:0 never written) v2=50.00% ([::]:0 never written out of bounds)");
  split.destination_count = 99;
  EXPECT_EQ(to_text(split, maps.endpoints), "odd fallback mode 7 with 99 destinations");
}

TEST(MapText, Frontends) {
  EXPECT_EQ(to_text(abi::frontend{.check = 0, .split = 3, .flags = 0, .proxy_port = 0}), "split 3");
  EXPECT_EQ(to_text(abi::frontend{.check = 0, .split = 3, .flags = 0, .proxy_port = htons(61000)}),
            "proxy port 61000, without it split 3");
  EXPECT_EQ(to_text(abi::frontend{.check = 0, .split = 0, .flags = 0, .proxy_port = htons(61000)}),
            "proxy port 61000, without it refused");
  EXPECT_EQ(to_text(abi::frontend{
                .check = 0, .split = 3, .flags = abi::FRONTEND_REFUSE_WITHOUT_PROXY, .proxy_port = htons(61000)}),
            "proxy port 61000, without it refused");
  EXPECT_EQ(to_text(abi::frontend{.check = 0, .split = 0, .flags = abi::FRONTEND_HAS_SOURCES, .proxy_port = 0}),
            "left alone, sources first");
}

}  // namespace
}  // namespace weir::datapath
