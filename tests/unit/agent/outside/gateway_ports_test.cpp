// Which ports are left to others.

#include "agent/outside/gateway_ports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "net/socket.h"

namespace weir::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string text_of(const std::vector<net::SocketAddress>& sockets) {
  std::string text;
  for (const auto& socket : sockets) text += (text.empty() ? "" : " ") + socket.to_string();
  return text;
}

std::vector<net::SocketAddress> at(const char* address, uint16_t port) {
  return {{*IpAddress::parse(address), port}};
}

TEST(GatewayPortsTest, SocketsThatListenAreFound) {
  EXPECT_EQ(text_of(parse_listening_sockets("  sl  local_address rem_address   st tx_queue\n"
                                            "   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:0\n"
                                            "   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:0\n"
                                            "   2: 0A00000A:01BB 0B00000A:C001 01 00000000:00000000 00:0\n")),
            "0.0.0.0:80 127.0.0.1:8080");
  EXPECT_EQ(text_of(parse_listening_sockets("   0: 00000000000000000000000000000000:1F90 "
                                            "00000000000000000000000000000000:0000 0A 0:0\n"
                                            "   1: 00000000000000000000000001000000:0051 "
                                            "00000000000000000000000000000000:0000 0A 0:0\n")),
            "[::]:8080 [::1]:81");
}

TEST(GatewayPortsTest, WhatIsNoSuchTableHasNone) {
  for (const char* text : {"", "\n", "x", "  0:", "  0: ", "  0: 0A", "  0: : 0 0A", "  0: 00000000:XYZW 0 0A 0",
                           "  0: 0000:0050 0 0A", "  0: 00000000 0 0A 0", "  0: 00000000:12345 0 0A 0"})
    EXPECT_THAT(parse_listening_sockets(text), IsEmpty()) << text;
}

TEST(GatewayPortsTest, ThisMachinesTableIsRead) {
  const auto socket = net::listen_tcp({*IpAddress::parse("127.0.0.1"), 0});
  ASSERT_TRUE(socket) << socket.error().message;
  EXPECT_THAT(listening_sockets(), testing::Contains(*net::local_address(socket->get())));
}

const routing::PlanGatewayPort kHttp{.port = 80, .listener = 8080, .gateway = 0, .http = true, .servers = {"ns/gw"}};

TEST(GatewayPortsTest, APortWhereAnotherListensIsLeftToIt) {
  routing::PlanGatewayPort other = kHttp;
  other.port = 81;
  const auto opening = choose_gateway_ports({kHttp, other}, at("0.0.0.0", 80), std::nullopt);
  EXPECT_THAT(opening.open, ElementsAre(datapath::GatewayPort{81, 8080}));
  EXPECT_THAT(opening.warnings, ElementsAre(HasSubstr("port 80 of Gateway ns/gw is closed")));
}

TEST(GatewayPortsTest, WhoListensElsewhereIsNotInTheWay) {
  const std::vector<IpAddress> places = {*IpAddress::parse("10.0.0.1")};
  EXPECT_THAT(choose_gateway_ports({kHttp}, at("10.0.0.2", 80), places).warnings, IsEmpty());
  EXPECT_THAT(choose_gateway_ports({kHttp}, at("127.0.0.1", 80), std::nullopt).warnings, IsEmpty());
  for (const char* address : {"10.0.0.1", "0.0.0.0", "::"})
    EXPECT_THAT(choose_gateway_ports({kHttp}, at(address, 80), places).open, IsEmpty()) << address;
  EXPECT_THAT(choose_gateway_ports({kHttp}, at("10.0.0.2", 80), std::nullopt).open, IsEmpty());
}

}  // namespace
}  // namespace weir::agent
