#include "agent/proxy/listeners.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "net/socket.h"

namespace weir::agent {
namespace {

constexpr int kBacklog = 4096;

int family_of(int fd) {
  int family = 0;
  socklen_t size = sizeof family;
  return ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 ? family : 0;
}

std::vector<int> of_family(const std::vector<FileDescriptor>& listeners, int family) {
  std::vector<int> list;
  for (const auto& fd : listeners)
    if (family_of(fd.get()) == family) list.push_back(fd.get());
  return list;
}

Result<void> fill(std::vector<FileDescriptor>& listeners, size_t workers, int family, const char* loopback) {
  for (size_t have = of_family(listeners, family).size(); have < workers; ++have) {
    auto listener = net::listen_tcp({*IpAddress::parse(loopback), 0}, kBacklog);
    if (!listener) return std::move(listener).error().context("listening socket of the proxy");
    listeners.push_back(std::move(*listener));
  }
  return {};
}

}  // namespace

Result<void> fill_proxy_listeners(std::vector<FileDescriptor>& listeners, size_t workers) {
  WEIR_TRY(fill(listeners, workers, AF_INET, "127.0.0.1"));
  const auto v6 = fill(listeners, workers, AF_INET6, "::1");
  // No v6 at all, or switched off.
  if (!v6 && v6.error().code != EADDRNOTAVAIL && v6.error().code != EAFNOSUPPORT) return v6;
  return {};
}

std::vector<int> sockets_for_kernel(const std::vector<FileDescriptor>& listeners, size_t workers) {
  std::vector<int> list;
  for (const int family : {AF_INET, AF_INET6}) {
    auto some = of_family(listeners, family);
    some.resize(std::min(some.size(), workers));
    list.insert(list.end(), some.begin(), some.end());
  }
  return list;
}

std::vector<int> sockets_for_proxy(const std::vector<FileDescriptor>& listeners, size_t workers) {
  auto list = sockets_for_kernel(listeners, workers);
  for (const auto& fd : listeners)
    if (std::ranges::find(list, fd.get()) == list.end()) list.push_back(fd.get());
  return list;
}

}  // namespace weir::agent
