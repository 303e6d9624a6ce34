#include "agent/outside/gateway_ports.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>
#include <string>

namespace weir::agent {
namespace {

/// The part of a table in /proc/net that listening sockets are in: the kernel lists them first. What follows, every
/// other socket of the node, may be hundreds of thousands of lines, and seconds.
std::string read_listening(const char* path) {
  std::ifstream file(path);
  std::string text, line;
  std::getline(file, line);  // names of the columns
  while (std::getline(file, line) && line.find(" 0A ") != std::string::npos) text += line + "\n";
  return text;
}

template <class Number>
std::optional<Number> hexadecimal(std::string_view text) {
  Number number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

/// "0100007F", or four such words for IPv6: each a 32-bit word as this machine has it in memory.
std::optional<IpAddress> address_of(std::string_view text) {
  IpAddress::Bytes bytes{};
  const size_t words = text.size() / 8;
  if (text.size() % 8 != 0 || (words != 1 && words != 4)) return std::nullopt;
  for (size_t i = 0; i < words; ++i) {
    const auto word = hexadecimal<uint32_t>(text.substr(i * 8, 8));
    if (!word) return std::nullopt;
    std::memcpy(bytes.data() + (words == 1 ? 12 : i * 4), &*word, sizeof(*word));
  }
  if (words == 1) bytes[10] = bytes[11] = 0xff;
  return IpAddress(bytes);
}

/// "  0: 0100007F:1F90 00000000:0000 0A ...": the local address of a socket that listens.
std::optional<net::SocketAddress> socket_of(std::string_view line) {
  const size_t start = line.find(": ");
  if (start == std::string_view::npos) return std::nullopt;
  line.remove_prefix(start + 2);
  const size_t first = line.find(' ');
  const size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos || line.substr(second + 1, 2) != "0A") return std::nullopt;
  const std::string_view local = line.substr(0, first);
  const size_t colon = local.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto address = address_of(local.substr(0, colon));
  const auto port = hexadecimal<uint16_t>(local.substr(colon + 1));
  if (!address || !port) return std::nullopt;
  return net::SocketAddress{*address, *port};
}

}  // namespace

std::vector<net::SocketAddress> parse_listening_sockets(std::string_view text) {
  std::vector<net::SocketAddress> sockets;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (const auto socket = socket_of(text.substr(0, end))) sockets.push_back(*socket);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return sockets;
}

std::vector<net::SocketAddress> listening_sockets() {
  auto sockets = parse_listening_sockets(read_listening("/proc/thread-self/net/tcp"));
  const auto v6 = parse_listening_sockets(read_listening("/proc/thread-self/net/tcp6"));
  sockets.insert(sockets.end(), v6.begin(), v6.end());
  return sockets;
}

GatewayOpening choose_gateway_ports(const std::vector<routing::PlanGatewayPort>& ports,
                                    const std::vector<net::SocketAddress>& listeners,
                                    const std::optional<std::vector<IpAddress>>& places) {
  GatewayOpening opening;
  const auto is_in_the_way = [&](const net::SocketAddress& listener) {
    if (listener.address.is_unspecified()) return true;
    return places ? std::ranges::find(*places, listener.address) != places->end() : !listener.address.is_loopback();
  };
  for (const auto& port : ports) {
    const auto other = std::ranges::find_if(
        listeners, [&](const auto& listener) { return listener.port == port.port && is_in_the_way(listener); });
    if (other == listeners.end())
      opening.open.push_back({port.port, port.listener});
    else
      opening.warnings.push_back(fmt::format("port {} of Gateway {} is closed: another program listens at {}",
                                             port.port, fmt::join(port.servers, ", "), other->to_string()));
  }
  return opening;
}

}  // namespace weir::agent
