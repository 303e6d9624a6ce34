#pragma once
// TCP sockets: addresses between sockaddr and IpAddress, and the few socket calls that the loops and the proxy need.

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "base/file_descriptor.h"
#include "base/ip_address.h"
#include "base/result.h"

namespace weir::net {

/// An address and a port. A v4 address makes a v4 socket.
struct SocketAddress {
  IpAddress address;
  uint16_t port = 0;

  auto operator<=>(const SocketAddress&) const = default;
  [[nodiscard]] std::string to_string() const { return weir::to_string(address, port); }
};

/// The kernel's form of an address. `length` is what goes beside it in bind() and connect().
struct RawAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};
RawAddress to_raw(const SocketAddress& address);
/// AF_INET or AF_INET6; anything else gives "::", port 0.
SocketAddress from_raw(const RawAddress& raw);

Result<SocketAddress> local_address(int fd);
Result<SocketAddress> peer_address(int fd);

/// A non-blocking, close-on-exec TCP socket of the address's family, with TCP_NODELAY.
Result<FileDescriptor> tcp_socket(const SocketAddress& address);
/// Bound (SO_REUSEADDR) and listening; port 0 lets the kernel choose. `reuse_port`: SO_REUSEPORT, a socket a loop.
Result<FileDescriptor> listen_tcp(const SocketAddress& address, int backlog = 4096, bool reuse_port = false);

/// Closing `fd` after this sends RST and drops what is unsent.
void set_reset_on_close(int fd);
void set_no_delay(int fd);
/// Probes of the kernel on a silent connection (tcp(7)); in whole seconds, 0: the kernel's own.
struct Keepalive {
  int probes = 0, time_s = 0, interval_s = 0;
};
void set_keepalive(int fd, const Keepalive& keepalive);

}  // namespace weir::net
