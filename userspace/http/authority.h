#pragma once
// Host and the authority of an absolute target (RFC 9110 section 4.2.3, RFC 3986 section 3.2). Pure; any thread.

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::http {

struct Authority {
  /// As written, without port and trailing dot; IPv6 in brackets.
  std::string_view host;
  std::uint16_t port = 0;  ///< 0: none.
  bool trailing_dot = false;
};

/// Refuses what readers take differently: userinfo, a path, a comma, percent-encoding, empty labels, a host above 255
/// bytes, a port outside 1 … 65535, a malformed IPv6 literal, a zone. An empty port ("a:") is none, as the RFC has it.
std::optional<Authority> parse_authority(std::string_view text);

}  // namespace weir::http
