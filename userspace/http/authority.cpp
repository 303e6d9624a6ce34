#include "http/authority.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "http/field.h"

namespace weir::http {
namespace {

constexpr std::size_t kMaxHost = 255;

/// unreserved and sub-delims of RFC 3986 without ',': a list of hosts is not a host.
constexpr std::array<bool, 256> make_host_table() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[c] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[c] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (const char c : std::string_view("-._~!$&'()*+;=")) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> kHostByte = make_host_table();

bool is_ipv6_literal(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN + 1> zero_terminated{};
  if (text.empty() || text.size() >= zero_terminated.size()) return false;
  std::memcpy(zero_terminated.data(), text.data(), text.size());
  in6_addr address{};
  return text.find('\0') == std::string_view::npos && inet_pton(AF_INET6, zero_terminated.data(), &address) == 1;
}

bool is_reg_name(std::string_view text) {
  return !text.empty() && text.front() != '.' && text.find("..") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return kHostByte[c]; });
}

}  // namespace

std::optional<Authority> parse_authority(std::string_view text) {
  Authority result;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || !is_ipv6_literal(text.substr(1, close - 1))) return std::nullopt;
    result.host = text.substr(0, close + 1);
    rest = text.substr(close + 1);
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    result.host = text.substr(0, colon);
    rest = text.substr(colon);
    if (result.host.size() > kMaxHost || !is_reg_name(result.host)) return std::nullopt;
    if (result.host.ends_with('.')) {
      result.host.remove_suffix(1);
      result.trailing_dot = true;
    }
  }
  if (rest.empty() || rest == ":") return result;
  if (rest.front() != ':') return std::nullopt;
  const auto port = parse_canonical_decimal(rest.substr(1));
  if (!port || *port == 0 || *port > 65535) return std::nullopt;
  result.port = static_cast<std::uint16_t>(*port);
  return result;
}

}  // namespace weir::http
