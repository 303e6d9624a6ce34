// Which ports are left to others.

#include "agent/gateway_ports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "net/socket.h"

namespace weir::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(GatewayPortsTest, ListenersThatOutsidersReachAreFound) {
  EXPECT_THAT(parse_listening_ports("  sl  local_address rem_address   st tx_queue\n"
                                    "   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:0\n"
                                    "   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:0\n"
                                    "   2: 0A00000A:01BB 0B00000A:C001 01 00000000:00000000 00:0\n"),
              ElementsAre(80));
  EXPECT_THAT(parse_listening_ports("   0: 00000000000000000000000000000000:1F90 "
                                    "00000000000000000000000000000000:0000 0A 0:0\n"
                                    "   1: 00000000000000000000000001000000:0051 "
                                    "00000000000000000000000000000000:0000 0A 0:0\n"),
              ElementsAre(8080));
}

TEST(GatewayPortsTest, WhatIsNoSuchTableHasNone) {
  for (const char* text : {"", "\n", "x", "  0:", "  0: ", "  0: 0A", "  0: : 0 0A", "  0: 00000000:XYZW 0 0A 0"})
    EXPECT_THAT(parse_listening_ports(text), IsEmpty()) << text;
}

TEST(GatewayPortsTest, ThisMachinesTableIsRead) {
  const auto socket = net::listen_tcp({*IpAddress::parse("0.0.0.0"), 0});
  ASSERT_TRUE(socket) << socket.error().message;
  EXPECT_TRUE(listening_ports().contains(net::local_address(socket->get())->port));
}

TEST(GatewayPortsTest, APortWhereAnotherListensIsLeftToIt) {
  const routing::PlanGatewayPort http{.port = 80, .listener = 8080, .gateway = 0, .http = true, .servers = {"ns/gw"}};
  routing::PlanGatewayPort other = http;
  other.port = 81;
  const auto opening = choose_gateway_ports({http, other}, {80});
  EXPECT_THAT(opening.open, ElementsAre(datapath::GatewayPort{81, 8080}));
  EXPECT_THAT(opening.warnings, ElementsAre(HasSubstr("port 80 of Gateway ns/gw is closed")));
}

}  // namespace
}  // namespace weir::agent
