#include "base/ip_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(IpAddress, ReadsAndPrintsBothFamilies) {
  const char* const same[] = {"10.0.0.1", "0.0.0.0", "255.255.255.255", "::1", "::", "fd00::1", "2001:db8::1:0:0:1"};
  for (const char* text : same) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
  }
}

TEST(IpAddress, RefusesEverythingElse) {
  const std::string bad[] = {
      "",      "10.0.0",       "10.0.0.256", "10.0.0.1 ", " 10.0.0.1", "010.0.0.1",  "10.0.0.1:80",
      "[::1]", "fe80::1%eth0", "1:2:3",      ":::",       "a.b.c.d",   "10.0.0.1/8", std::string("10.0.0.1\0", 9)};
  for (const std::string& text : bad) EXPECT_FALSE(IpAddress::parse(text)) << text;
}

// A dual-stack socket dials ::ffff:10.0.0.1; it must find the service that is written as 10.0.0.1.
TEST(IpAddress, MappedV4IsV4) {
  EXPECT_EQ(IpAddress::parse("::ffff:10.0.0.1"), IpAddress::parse("10.0.0.1"));
  EXPECT_TRUE(IpAddress::parse("::ffff:10.0.0.1")->is_v4());
  EXPECT_FALSE(IpAddress::parse("::1")->is_v4());
  EXPECT_EQ(IpAddress::parse("10.0.0.1")->v4(), htonl(0x0a000001));
}

TEST(IpAddress, KnowsSpecialRanges) {
  EXPECT_TRUE(IpAddress::parse("127.9.9.9")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("::1")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("::2")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("0.0.0.0")->is_unspecified());
  EXPECT_TRUE(IpAddress().is_unspecified());
  EXPECT_TRUE(IpAddress::parse("224.0.0.1")->is_multicast());
  EXPECT_TRUE(IpAddress::parse("ff02::1")->is_multicast());
  EXPECT_TRUE(IpAddress::parse("169.254.169.254")->is_link_local());
  EXPECT_TRUE(IpAddress::parse("fe80::1")->is_link_local());
  EXPECT_FALSE(IpAddress::parse("10.0.0.1")->is_link_local());
}

TEST(Cidr, Contains) {
  const auto inside = [](const char* cidr, const char* address) {
    return Cidr::parse(cidr)->contains(*IpAddress::parse(address));
  };
  EXPECT_TRUE(inside("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(inside("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(inside("10.1.2.3/23", "10.1.3.255"));  // host bits set, as Istio accepts
  EXPECT_FALSE(inside("10.1.2.3/23", "10.1.4.0"));
  EXPECT_TRUE(inside("0.0.0.0/0", "1.2.3.4"));
  EXPECT_FALSE(inside("0.0.0.0/0", "fd00::1"));
  EXPECT_TRUE(inside("::/0", "1.2.3.4"));
  EXPECT_TRUE(inside("fd00::/9", "fd7f::1"));
  EXPECT_FALSE(inside("fd00::/9", "fd80::1"));
  EXPECT_TRUE(inside("10.0.0.1", "10.0.0.1"));
  EXPECT_FALSE(inside("10.0.0.1", "10.0.0.2"));
}

TEST(Cidr, RefusesNonsense) {
  for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "fd00::/129", "x/8"}) {
    EXPECT_FALSE(Cidr::parse(text)) << text;
  }
  EXPECT_EQ(Cidr::parse("10.0.0.0/8")->to_string(), "10.0.0.0/8");
  EXPECT_EQ(Cidr::parse("fd00::/8")->to_string(), "fd00::/8");
}

TEST(IpAddress, PrintsWithPort) {
  EXPECT_EQ(to_string(*IpAddress::parse("10.0.0.1"), 80), "10.0.0.1:80");
  EXPECT_EQ(to_string(*IpAddress::parse("fd00::1"), 80), "[fd00::1]:80");
}

}  // namespace
}  // namespace weir
