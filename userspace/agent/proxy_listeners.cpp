#include "agent/proxy_listeners.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "net/socket.h"

namespace weir::agent {
namespace {

constexpr int kBacklog = 4096;

Result<FileDescriptor> listen_on_both(const in6_addr& address) {
  FileDescriptor fd(::socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!fd) return errno_error("socket");
  const int off = 0;
  if (::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0) return errno_error("IPV6_V6ONLY");
  sockaddr_in6 place{};
  place.sin6_family = AF_INET6;
  place.sin6_addr = address;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&place), sizeof place) != 0) return errno_error("bind");
  if (::listen(fd.get(), kBacklog) != 0) return errno_error("listen");
  return fd;
}

}  // namespace

Result<FileDescriptor> make_proxy_listener() {
  if (auto fd = listen_on_both(in6addr_loopback)) return fd;
  auto v4 = net::listen_tcp({*IpAddress::parse("127.0.0.1"), 0}, kBacklog);
  if (!v4) return std::move(v4).error().context("listening socket of the proxy");
  return v4;
}

Result<void> fill_proxy_listeners(std::vector<FileDescriptor>& listeners, size_t count) {
  while (listeners.size() < count) {
    auto listener = make_proxy_listener();
    if (!listener) return std::move(listener).error();
    listeners.push_back(std::move(*listener));
  }
  return {};
}

std::vector<int> borrowed(const std::vector<FileDescriptor>& fds) {
  std::vector<int> list;
  for (const auto& fd : fds) list.push_back(fd.get());
  return list;
}

}  // namespace weir::agent
