#include "base/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/hash.h"

namespace weir {
namespace {

constexpr std::array<uint8_t, 12> kV4Prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

IpAddress IpAddress::from_v4(uint32_t network_order) {
  Bytes bytes;
  std::copy(kV4Prefix.begin(), kV4Prefix.end(), bytes.begin());
  std::memcpy(bytes.data() + 12, &network_order, 4);
  return IpAddress(bytes);
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string copy(text);  // inet_pton wants a terminated string
  if (copy.size() != std::strlen(copy.c_str())) return std::nullopt;
  in_addr v4{};
  if (inet_pton(AF_INET, copy.c_str(), &v4) == 1) return from_v4(v4.s_addr);
  Bytes bytes;
  if (inet_pton(AF_INET6, copy.c_str(), bytes.data()) == 1) return IpAddress(bytes);
  return std::nullopt;
}

bool IpAddress::is_v4() const {
  return std::equal(kV4Prefix.begin(), kV4Prefix.end(), bytes_.begin());
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[12] == 127;
  return std::all_of(bytes_.begin(), bytes_.end() - 1, [](uint8_t b) { return b == 0; }) && bytes_[15] == 1;
}

bool IpAddress::is_unspecified() const {
  const auto from = is_v4() ? bytes_.begin() + 12 : bytes_.begin();
  return std::all_of(from, bytes_.end(), [](uint8_t b) { return b == 0; });
}

bool IpAddress::is_multicast() const {
  return is_v4() ? (bytes_[12] & 0xf0) == 0xe0 : bytes_[0] == 0xff;
}

bool IpAddress::is_link_local() const {
  if (is_v4()) return bytes_[12] == 169 && bytes_[13] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

uint32_t IpAddress::v4() const {
  uint32_t network_order = 0;
  std::memcpy(&network_order, bytes_.data() + 12, 4);
  return network_order;
}

std::string IpAddress::to_string() const {
  char text[INET6_ADDRSTRLEN];
  if (is_v4()) {
    inet_ntop(AF_INET, bytes_.data() + 12, text, sizeof text);
  } else {
    inet_ntop(AF_INET6, bytes_.data(), text, sizeof text);
  }
  return text;
}

std::string to_string(const IpAddress& address, uint16_t port) {
  const std::string text = address.to_string();
  return (address.is_v4() ? text : "[" + text + "]") + ":" + std::to_string(port);
}

std::optional<Cidr> Cidr::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned offset = address->is_v4() ? 96 : 0;
  if (slash == std::string_view::npos) return Cidr{*address, 128};
  const std::string_view digits = text.substr(slash + 1);
  unsigned length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc{} || end != digits.data() + digits.size() || length + offset > 128) return std::nullopt;
  return Cidr{*address, static_cast<uint8_t>(length + offset)};
}

bool Cidr::contains(const IpAddress& other) const {
  const auto& mine = address.bytes();
  const auto& theirs = other.bytes();
  const size_t whole = prefix / 8;
  if (!std::equal(mine.begin(), mine.begin() + whole, theirs.begin())) return false;
  const unsigned rest = prefix % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<uint8_t>(0xff << (8 - rest));
  return (mine[whole] & mask) == (theirs[whole] & mask);
}

std::string Cidr::to_string() const {
  const unsigned offset = address.is_v4() ? 96 : 0;
  return address.to_string() + "/" + std::to_string(prefix - offset);
}

}  // namespace weir

size_t std::hash<weir::IpAddress>::operator()(const weir::IpAddress& address) const noexcept {
  const auto& bytes = address.bytes();
  return weir::hash64({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}
