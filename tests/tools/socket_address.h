#pragma once
// "10.0.0.1:80" and "[fd00::1]:80" as the kernel wants them.

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace weir::tools {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] int family() const { return storage.ss_family; }
  /// v4-mapped addresses read as v4, so that both forms of one address are equal in text.
  [[nodiscard]] std::string to_string() const;
};

/// `mapped`: a v4 address becomes ::ffff:a.b.c.d in an AF_INET6 sockaddr.
Result<SocketAddress> parse_socket_address(std::string_view text, bool mapped = false);

/// The peer as getpeername() tells it.
Result<SocketAddress> peer_of(int fd);

/// A listening TCP socket, non-blocking.
Result<FileDescriptor> listen_on(const SocketAddress& address);

}  // namespace weir::tools
