#include "agent/node/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <thread>

namespace weir::agent {
namespace {

using ::testing::HasSubstr;

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

TEST(NodeAddress, TheRoutesAddressIsPreferred) {
  EXPECT_EQ(choose_node_address(ip("10.0.0.5"), {{ip("10.0.0.1"), false}}, true), ip("10.0.0.5"));
}

TEST(NodeAddress, ElseAGlobalOneAndAlwaysTheSame) {
  const std::vector<InterfaceAddress> all = {
      {ip("127.0.0.1"), true}, {ip("169.254.1.1"), false}, {ip("10.0.0.9"), false}, {ip("10.0.0.3"), false},
      {ip("10.96.0.1"), true}, {ip("fe80::1"), false},     {ip("fd00::2"), false},  {ip("::1"), true}};
  EXPECT_EQ(choose_node_address({}, all, true), ip("10.0.0.3"));
  EXPECT_EQ(choose_node_address({}, {all.rbegin(), all.rend()}, true), ip("10.0.0.3"));
  EXPECT_EQ(choose_node_address({}, all, false), ip("fd00::2"));
}

TEST(NodeAddress, ElseLoopback) {
  const std::vector<InterfaceAddress> all = {
      {ip("127.0.0.1"), true}, {ip("10.96.0.1"), true}, {ip("fe80::1"), false}, {ip("::1"), true}};
  EXPECT_EQ(choose_node_address({}, all, true), ip("127.0.0.1")) << "what is on lo is a service's as often";
  EXPECT_EQ(choose_node_address({}, all, false), ip("::1"));
  EXPECT_EQ(choose_node_address({}, {}, true), std::nullopt);
}

TEST(NodeAddress, LoopbackOnlyIsSeen) {
  EXPECT_TRUE(is_loopback_only({}));
  EXPECT_TRUE(is_loopback_only({ip("127.0.0.1"), ip("::1")}));
  EXPECT_FALSE(is_loopback_only({ip("10.0.0.1"), ip("::1")}));
}

TEST(NodeAddress, AsAnOption) {
  const auto both = read_node_addresses({"10.0.0.1", "fd00::1"});
  ASSERT_TRUE(both);
  EXPECT_EQ(both->v4, ip("10.0.0.1"));
  EXPECT_EQ(both->v6, ip("fd00::1"));
  EXPECT_TRUE(read_node_addresses({}));
  EXPECT_TRUE(read_node_addresses({"127.0.0.1"}));
  for (const char* bad : {"", "x", "0.0.0.0", "::", "224.0.0.1", "169.254.0.1", "fe80::1", "10.0.0.1:80", "node-1"})
    EXPECT_FALSE(read_node_addresses({bad})) << bad;
  EXPECT_THAT(read_node_addresses({"10.0.0.1", "10.0.0.2"}).error().message, HasSubstr("one family"));
}

TEST(NodeAddress, OfAnEmptyNamespaceIsNone) {
  std::thread([] {
    if (::unshare(CLONE_NEWNET) != 0) return;  // no right
    EXPECT_EQ(find_node_addresses(), NodeAddresses{}) << "lo is down";
  }).join();
}

}  // namespace
}  // namespace weir::agent
