#include "net/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <cstring>

namespace weir::net {

RawAddress to_raw(const SocketAddress& address) {
  RawAddress raw;
  if (address.address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    v4.sin_addr.s_addr = address.address.v4();
    std::memcpy(&raw.storage, &v4, sizeof v4);
    raw.length = sizeof v4;
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(address.port);
    std::memcpy(&v6.sin6_addr, address.address.bytes().data(), sizeof v6.sin6_addr);
    std::memcpy(&raw.storage, &v6, sizeof v6);
    raw.length = sizeof v6;
  }
  return raw;
}

SocketAddress from_raw(const RawAddress& raw) {
  if (raw.storage.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &raw.storage, sizeof v4);
    return {IpAddress::from_v4(v4.sin_addr.s_addr), ntohs(v4.sin_port)};
  }
  if (raw.storage.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &raw.storage, sizeof v6);
    IpAddress::Bytes bytes;
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return {IpAddress(bytes), ntohs(v6.sin6_port)};
  }
  return {};
}

Result<SocketAddress> local_address(int fd) {
  RawAddress raw;
  raw.length = sizeof raw.storage;
  if (::getsockname(fd, raw.get(), &raw.length) != 0) return errno_error("getsockname");
  return from_raw(raw);
}

Result<SocketAddress> peer_address(int fd) {
  RawAddress raw;
  raw.length = sizeof raw.storage;
  if (::getpeername(fd, raw.get(), &raw.length) != 0) return errno_error("getpeername");
  return from_raw(raw);
}

Result<FileDescriptor> tcp_socket(const SocketAddress& address) {
  const int family = address.address.is_v4() ? AF_INET : AF_INET6;
  FileDescriptor fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!fd) return errno_error("socket");
  set_no_delay(fd.get());
  return fd;
}

Result<FileDescriptor> listen_tcp(const SocketAddress& address, int backlog, bool reuse_port) {
  auto fd = tcp_socket(address);
  if (!fd) return fd;
  const int on = 1;
  if (::setsockopt(fd->get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) return errno_error("SO_REUSEADDR");
  if (reuse_port && ::setsockopt(fd->get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
    return errno_error("SO_REUSEPORT");
  }
  const RawAddress raw = to_raw(address);
  if (::bind(fd->get(), raw.get(), raw.length) != 0) return errno_error("bind " + address.to_string());
  if (::listen(fd->get(), backlog) != 0) return errno_error("listen on " + address.to_string());
  return fd;
}

void set_reset_on_close(int fd) {
  const linger reset{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

void set_no_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void set_keepalive(int fd, const Keepalive& keepalive) {
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  const std::pair<int, int> options[] = {
      {TCP_KEEPCNT, keepalive.probes}, {TCP_KEEPIDLE, keepalive.time_s}, {TCP_KEEPINTVL, keepalive.interval_s}};
  for (const auto& [name, value] : options) {
    if (value > 0) ::setsockopt(fd, IPPROTO_TCP, name, &value, sizeof value);
  }
}

}  // namespace weir::net
