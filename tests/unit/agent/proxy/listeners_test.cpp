#include "agent/proxy/listeners.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <set>

#include "agent/proxy/link.h"
#include "net/socket.h"

namespace weir::agent {
namespace {

int family_of(int fd) {
  int family = 0;
  socklen_t size = sizeof family;
  EXPECT_EQ(::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size), 0);
  return family;
}

bool has_v6() {
  return net::listen_tcp({*IpAddress::parse("::1"), 0}).has_value();
}

TEST(ProxyListeners, ListenOnLoopbackAWorkerAndFamily) {
  std::vector<FileDescriptor> listeners;
  ASSERT_TRUE(fill_proxy_listeners(listeners, 2));
  EXPECT_EQ(listeners.size(), has_v6() ? 4U : 2U);
  for (const auto& fd : listeners) {
    EXPECT_TRUE(check_listener(fd.get()));
    EXPECT_TRUE(net::local_address(fd.get())->address.is_loopback());
  }
}

TEST(ProxyListeners, ThoseThatAreThereStay) {
  std::vector<FileDescriptor> listeners;
  ASSERT_TRUE(fill_proxy_listeners(listeners, 1));
  const int first = listeners[0].get();
  ASSERT_TRUE(fill_proxy_listeners(listeners, 3));
  const size_t all = listeners.size();
  EXPECT_EQ(sockets_for_kernel(listeners, 3)[0], first);
  ASSERT_TRUE(fill_proxy_listeners(listeners, 1));
  EXPECT_EQ(listeners.size(), all);
  EXPECT_EQ(sockets_for_kernel(listeners, 1).size(), has_v6() ? 2U : 1U);
  EXPECT_EQ(sockets_for_kernel(listeners, 1)[0], first);
}

TEST(ProxyListeners, EveryWorkerHasOneOfEachFamilyAndNoneIsForgotten) {
  if (!has_v6()) GTEST_SKIP() << "no v6 here";
  std::vector<FileDescriptor> listeners;
  ASSERT_TRUE(fill_proxy_listeners(listeners, 1));
  ASSERT_TRUE(fill_proxy_listeners(listeners, 4));
  for (const size_t workers : {1U, 2U, 3U, 4U}) {
    const auto sockets = sockets_for_proxy(listeners, workers);
    EXPECT_EQ(sockets.size(), listeners.size());
    std::vector<std::set<int>> families(workers);
    for (size_t i = 0; i < sockets.size(); ++i) families[i % workers].insert(family_of(sockets[i]));
    for (const auto& of_worker : families) EXPECT_EQ(of_worker, (std::set<int>{AF_INET, AF_INET6}));
  }
}

}  // namespace
}  // namespace weir::agent
