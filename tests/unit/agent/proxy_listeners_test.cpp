#include "agent/proxy_listeners.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "agent/proxy_link.h"
#include "net/socket.h"

namespace weir::agent {
namespace {

TEST(ProxyListeners, ListenOnLoopbackForBothFamilies) {
  const auto fd = make_proxy_listener();
  ASSERT_TRUE(fd) << fd.error().message;
  EXPECT_TRUE(check_listener(fd->get()));
  const auto address = net::local_address(fd->get());
  ASSERT_TRUE(address);
  EXPECT_TRUE(address->address.is_loopback());
  int family = 0, only_v6 = 1;
  socklen_t size = sizeof family;
  ASSERT_EQ(::getsockopt(fd->get(), SOL_SOCKET, SO_DOMAIN, &family, &size), 0);
  if (family != AF_INET6) GTEST_SKIP() << "no v6 here";
  size = sizeof only_v6;
  ASSERT_EQ(::getsockopt(fd->get(), IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, &size), 0);
  EXPECT_EQ(only_v6, 0);
}

TEST(ProxyListeners, ThoseThatAreThereStay) {
  std::vector<FileDescriptor> listeners;
  ASSERT_TRUE(fill_proxy_listeners(listeners, 2));
  const auto before = borrowed(listeners);
  ASSERT_TRUE(fill_proxy_listeners(listeners, 3));
  ASSERT_EQ(listeners.size(), 3U);
  EXPECT_EQ(borrowed(listeners)[0], before[0]);
  EXPECT_EQ(borrowed(listeners)[1], before[1]);
  ASSERT_TRUE(fill_proxy_listeners(listeners, 1));
  EXPECT_EQ(listeners.size(), 3U) << "somebody may be in the queue of the others";
}

}  // namespace
}  // namespace weir::agent
