#include "agent/gateway_ports.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>

namespace weir::agent {
namespace {

std::string read_file(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// "  0: 0100007F:1F90 00000000:0000 0A ...": the local port of a listening socket that is not on loopback.
std::optional<uint16_t> port_of(std::string_view line) {
  const size_t colon = line.find(": ");
  if (colon == std::string_view::npos) return std::nullopt;
  line.remove_prefix(colon + 2);
  const size_t space = line.find(' '), second = line.find(' ', space + 1);
  if (space == std::string_view::npos || second == std::string_view::npos) return std::nullopt;
  const std::string_view local = line.substr(0, space);
  if (line.substr(second + 1, 2) != "0A" || local.size() < 5) return std::nullopt;
  const std::string_view address = local.substr(0, local.size() - 5);
  const bool loopback =
      address == "00000000000000000000000001000000" || (address.size() == 8 && address.ends_with("7F"));
  const std::string_view digits = local.substr(local.size() - 4);
  uint16_t port = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), port, 16);
  if (loopback || read.ec != std::errc()) return std::nullopt;
  return port;
}

}  // namespace

std::set<uint16_t> parse_listening_ports(std::string_view text) {
  std::set<uint16_t> ports;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (const auto port = port_of(text.substr(0, end))) ports.insert(*port);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return ports;
}

std::set<uint16_t> listening_ports() {
  std::set<uint16_t> ports = parse_listening_ports(read_file("/proc/thread-self/net/tcp"));
  ports.merge(parse_listening_ports(read_file("/proc/thread-self/net/tcp6")));
  return ports;
}

GatewayOpening choose_gateway_ports(const std::vector<routing::PlanGatewayPort>& ports,
                                    const std::set<uint16_t>& taken) {
  GatewayOpening opening;
  for (const auto& port : ports) {
    if (taken.contains(port.port))
      opening.warnings.push_back(fmt::format("port {} of Gateway {} is closed: another program listens there",
                                             port.port, fmt::join(port.servers, ", ")));
    else
      opening.open.push_back({port.port, port.listener});
  }
  return opening;
}

}  // namespace weir::agent
