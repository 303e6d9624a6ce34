#include "net/socket.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

namespace weir::net {
namespace {

TEST(Socket, AddressesSurviveTheKernelsForm) {
  for (const char* text : {"127.0.0.1", "255.255.255.255", "::1", "fd00::1:2"}) {
    const SocketAddress address{*IpAddress::parse(text), 8080};
    EXPECT_EQ(from_raw(to_raw(address)), address) << text;
  }
}

TEST(Socket, OtherFamiliesAreUnspecified) {
  RawAddress raw;
  raw.storage.ss_family = AF_UNIX;
  EXPECT_EQ(from_raw(raw), SocketAddress{});
}

TEST(Socket, ListenKnowsItsAddress) {
  auto fd = listen_tcp({*IpAddress::parse("127.0.0.1"), 0});
  ASSERT_TRUE(fd);
  const auto address = local_address(fd->get());
  ASSERT_TRUE(address);
  EXPECT_EQ(address->address.to_string(), "127.0.0.1");
  EXPECT_NE(address->port, 0);
}

TEST(Socket, ListenOnATakenPortSaysWhere) {
  auto first = listen_tcp({*IpAddress::parse("127.0.0.1"), 0});
  ASSERT_TRUE(first);
  const auto address = local_address(first->get());
  auto second = listen_tcp(*address);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EADDRINUSE);
  EXPECT_NE(second.error().message.find(address->to_string()), std::string::npos) << second.error().message;
}

TEST(Socket, ListenOnAForeignAddressFails) {
  auto fd = listen_tcp({*IpAddress::parse("192.0.2.1"), 0});
  ASSERT_FALSE(fd);
  EXPECT_EQ(fd.error().code, EADDRNOTAVAIL);
}

TEST(Socket, NamesOfAClosedDescriptorAreErrors) {
  EXPECT_FALSE(local_address(-1));
  EXPECT_FALSE(peer_address(-1));
}

TEST(Socket, KeepaliveIsSetWhereItIsAskedFor) {
  auto fd = tcp_socket({*IpAddress::parse("127.0.0.1"), 0});
  ASSERT_TRUE(fd);
  const auto option = [&](int level, int name) {
    int value = -1;
    socklen_t length = sizeof value;
    EXPECT_EQ(::getsockopt(fd->get(), level, name, &value, &length), 0);
    return value;
  };
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 0);
  const int interval = option(IPPROTO_TCP, TCP_KEEPINTVL);
  set_keepalive(fd->get(), {.probes = 3, .time_s = 60});
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPCNT), 3);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 60);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPINTVL), interval) << "the kernel's own";
}

}  // namespace
}  // namespace weir::net
