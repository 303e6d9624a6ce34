#pragma once
// One address form for v4 and v6: 16 bytes in network order, v4 as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2).

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir {

class IpAddress {
 public:
  using Bytes = std::array<uint8_t, 16>;

  /// The unspecified address "::".
  constexpr IpAddress() = default;
  explicit constexpr IpAddress(const Bytes& bytes) : bytes_(bytes) {}
  /// `network_order`: as in sockaddr_in.sin_addr.s_addr.
  static IpAddress from_v4(uint32_t network_order);
  /// Dotted quad or RFC 4291 text; no zone, no port, no brackets, no leading zeros in a quad. Nothing else.
  static std::optional<IpAddress> parse(std::string_view text);

  [[nodiscard]] bool is_v4() const;
  [[nodiscard]] bool is_loopback() const;     // 127.0.0.0/8, ::1
  [[nodiscard]] bool is_unspecified() const;  // 0.0.0.0, ::
  [[nodiscard]] bool is_multicast() const;
  [[nodiscard]] bool is_link_local() const;  // 169.254.0.0/16, fe80::/10
  /// In network order; meaningful only for is_v4().
  [[nodiscard]] uint32_t v4() const;
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }
  /// "10.0.0.1" or RFC 5952 text.
  [[nodiscard]] std::string to_string() const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  Bytes bytes_{};
};

/// "10.0.0.1:80", "[fd00::1]:80".
std::string to_string(const IpAddress& address, uint16_t port);

/// An address prefix. A bare address is a prefix of full length. Host bits need not be zero (Istio accepts them).
struct Cidr {
  IpAddress address;
  /// In bits of the 16-byte form: 96..128 for v4, 0..128 for v6.
  uint8_t prefix = 128;

  static std::optional<Cidr> parse(std::string_view text);
  [[nodiscard]] bool contains(const IpAddress& other) const;
  [[nodiscard]] std::string to_string() const;
  auto operator<=>(const Cidr&) const = default;
};

}  // namespace weir

template <>
struct std::hash<weir::IpAddress> {
  size_t operator()(const weir::IpAddress& address) const noexcept;
};
