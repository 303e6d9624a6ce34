#include "proxy/client_hello.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace weir::proxy {
namespace {

constexpr unsigned kHandshake = 22, kClientHello = 1, kServerName = 0, kHostName = 0;

/// Reads from the front; says so when there is not enough.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] size_t left() const { return bytes_.size(); }
  std::optional<unsigned> number(size_t size) {
    if (bytes_.size() < size) return std::nullopt;
    unsigned value = 0;
    for (size_t i = 0; i < size; ++i) value = value << 8 | static_cast<uint8_t>(bytes_[i]);
    bytes_.remove_prefix(size);
    return value;
  }
  std::optional<std::string_view> take(size_t size) {
    if (bytes_.size() < size) return std::nullopt;
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  /// What a length of `size` bytes in front of it says.
  std::optional<std::string_view> vector(size_t size) {
    const auto length = number(size);
    return length ? take(*length) : std::nullopt;
  }

 private:
  std::string_view bytes_;
};

/// The handshake message out of its records: nothing if they are none; shorter than it says while more is to come.
std::optional<std::string> join_records(std::string_view bytes) {
  std::string message;
  Reader reader(bytes);
  while (reader.left() > 0) {
    const auto type = reader.number(1);
    if (*type != kHandshake) return message.empty() ? std::nullopt : std::optional(message);
    const auto version = reader.number(2);
    if (version && *version >> 8 != 3) return std::nullopt;
    const auto length = reader.number(2);
    if (!length) return message;
    message += reader.take(std::min<size_t>(*length, reader.left())).value_or(std::string_view());
  }
  return message;
}

std::optional<std::string> name_in(std::string_view extension) {
  Reader reader(extension);
  const auto list = reader.vector(2);
  if (!list) return std::nullopt;
  Reader names(*list);
  while (names.left() > 0) {
    const auto type = names.number(1);
    const auto name = names.vector(2);
    if (!name) return std::nullopt;
    if (*type == kHostName) return std::string(*name);
  }
  return std::string();
}

/// The name in the body of a whole ClientHello; nothing if it is malformed.
std::optional<std::string> server_name(std::string_view body) {
  Reader reader(body);
  if (!reader.take(2 + 32) || !reader.vector(1) || !reader.vector(2) || !reader.vector(1)) return std::nullopt;
  if (reader.left() == 0) return std::string();  // TLS 1.0 without extensions
  const auto extensions = reader.vector(2);
  if (!extensions) return std::nullopt;
  Reader each(*extensions);
  while (each.left() > 0) {
    const auto type = each.number(2);
    const auto extension = each.vector(2);
    if (!type || !extension) return std::nullopt;
    if (*type == kServerName) return name_in(*extension);
  }
  return std::string();
}

}  // namespace

ClientHello read_client_hello(std::string_view bytes) {
  const auto message = join_records(bytes);
  if (!message) return {ClientHello::State::kBad, {}};
  Reader reader(*message);
  const auto type = reader.number(1);
  if (type && *type != kClientHello) return {ClientHello::State::kBad, {}};
  const auto length = reader.number(3);
  if (length && *length > kMaxClientHello) return {ClientHello::State::kBad, {}};
  const auto body = length ? reader.take(*length) : std::nullopt;
  if (!body) return {bytes.size() > 2 * kMaxClientHello ? ClientHello::State::kBad : ClientHello::State::kMore, {}};
  const auto name = server_name(*body);
  if (!name) return {ClientHello::State::kBad, {}};
  return {ClientHello::State::kDone, *name};
}

}  // namespace weir::proxy
