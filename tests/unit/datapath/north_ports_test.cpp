// Which ports a node may keep for itself.

#include <gtest/gtest.h>

#include <cerrno>

#include "datapath/north.h"

namespace weir::datapath {
namespace {

constexpr const char* kUsual = "32768\t60999\n";

TEST(NorthPorts, OutsideOfWhatTheNodeGivesOut) {
  EXPECT_TRUE(check_ports(20000, 10000, kUsual, "\n"));
  EXPECT_TRUE(check_ports(32768 - 8, 8, kUsual, ""));
  EXPECT_TRUE(check_ports(61000, 65536 - 61000, kUsual, ""));
  EXPECT_TRUE(check_ports(1024, 8, "1032 65535", ""));
}

TEST(NorthPorts, OverlapIsRefusedUnlessReserved) {
  const auto refused = check_ports(32000, 1000, kUsual, "");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EADDRINUSE);
  EXPECT_EQ(refused.error().message,
            "reserved ports: 32000-32999 and net.ipv4.ip_local_port_range (32768-60999) both have port 32768; choose "
            "others or put them into net.ipv4.ip_local_reserved_ports");
  EXPECT_TRUE(check_ports(32000, 1000, kUsual, "8080,32768-32999\n"));
  EXPECT_TRUE(check_ports(40000, 8, kUsual, "40000-40003,40004,40005-40007"));
  EXPECT_FALSE(check_ports(40000, 8, kUsual, "40000-40003,40005-40007")) << "one is not";
  EXPECT_FALSE(check_ports(40000, 8, kUsual, "40000-40006"));
  EXPECT_FALSE(check_ports(60992, 8, kUsual, "")) << "the last ones";
}

TEST(NorthPorts, WhatIsNoRangeIsRefused) {
  for (const auto& [first, count] :
       {std::pair<uint16_t, uint16_t>{20000, 0}, {20000, 7}, {1023, 100}, {0, 100}, {65530, 8}, {65535, 65535}}) {
    const auto refused = check_ports(first, count, kUsual, "");
    ASSERT_FALSE(refused) << first << " " << count;
    EXPECT_EQ(refused.error().code, EINVAL);
  }
}

// A kernel without these files, or a text that nobody foresaw, must not stop the agent; nor does it reserve anything.
TEST(NorthPorts, UnreadableTexts) {
  for (const char* text : {"", "\n", "x y", "32768", "99999 100000", "32768 x"})
    EXPECT_TRUE(check_ports(40000, 8, text, "")) << text;
  for (const char* text : {"x", "40000-", "-40007", "40000-40007x", ",,", "99999-100000"})
    EXPECT_FALSE(check_ports(40000, 8, kUsual, text)) << text;
}

}  // namespace
}  // namespace weir::datapath
