#include "socket_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/ip_address.h"

namespace weir::tools {
namespace {

SocketAddress make(const IpAddress& ip, uint16_t port, bool mapped) {
  SocketAddress address;
  if (ip.is_v4() && !mapped) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    v4->sin_addr.s_addr = ip.v4();
    address.length = sizeof(sockaddr_in);
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    std::memcpy(&v6->sin6_addr, ip.bytes().data(), ip.bytes().size());
    address.length = sizeof(sockaddr_in6);
  }
  return address;
}

}  // namespace

std::string SocketAddress::to_string() const {
  if (family() == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&storage);
    return weir::to_string(IpAddress::from_v4(v4->sin_addr.s_addr), ntohs(v4->sin_port));
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&storage);
  IpAddress::Bytes bytes;
  std::memcpy(bytes.data(), &v6->sin6_addr, bytes.size());
  return weir::to_string(IpAddress(bytes), ntohs(v6->sin6_port));
}

Result<SocketAddress> parse_socket_address(std::string_view text, bool mapped) {
  const Error wrong{std::string(text) + ": not ADDRESS:PORT or [ADDRESS]:PORT"};
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong;
  std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  const auto ip = IpAddress::parse(host);
  if (!ip || error != std::errc{} || end != port_text.data() + port_text.size()) return wrong;
  return make(*ip, port, mapped);
}

Result<SocketAddress> peer_of(int fd) {
  SocketAddress peer;
  peer.length = sizeof(peer.storage);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer.storage), &peer.length) != 0) return errno_error("getpeername");
  return peer;
}

Result<FileDescriptor> listen_on(const SocketAddress& address) {
  FileDescriptor fd(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return errno_error("socket");
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  // Accepted sockets inherit it: answers must not wait for the client's delayed acknowledgement.
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (bind(fd.get(), address.get(), address.length) != 0) return errno_error("bind " + address.to_string());
  if (listen(fd.get(), 4096) != 0) return errno_error("listen " + address.to_string());
  return fd;
}

}  // namespace weir::tools
