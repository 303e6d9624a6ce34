#pragma once
// Writes into memory of fixed size and remembers what went wrong: the checks are made once, at the end.

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "http/field.h"
#include "http/serializer.h"

namespace weir::http {

class Cursor {
 public:
  explicit Cursor(std::span<char> out) : begin_(out.data()), at_(out.data()), end_(out.data() + out.size()) {}

  /// Text of our own.
  void put(std::string_view text) {
    if (text.size() > static_cast<std::size_t>(end_ - at_)) return fail(WriteError::kNoSpace);
    if (text.empty()) return;
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  /// Text that comes from outside.
  void put_value(std::string_view text) {
    if (!is_field_value(text)) fail(WriteError::kBadValue);
    put(text);
  }
  void put_number(std::uint64_t number) {
    std::array<char, 20> digits;
    const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    put({digits.data(), static_cast<std::size_t>(result.ptr - digits.data())});
  }
  /// A field that comes from outside. The name of a known one is a token by having been found.
  void put_field(const Header& header) { put_field(header.name, header.value, header.id != HeaderId::kOther); }
  void put_field(std::string_view name, std::string_view value, bool known = false) {
    if (!known && !is_token(name)) fail(WriteError::kBadValue);
    put(name);
    put(": ");
    put_value(value);
    put("\r\n");
  }
  /// The first error is kept.
  void fail(WriteError error) {
    if (error_ == WriteError::kNone) error_ = error;
  }
  [[nodiscard]] Written written() const {
    if (error_ != WriteError::kNone) return {0, error_};
    return {static_cast<std::size_t>(at_ - begin_), WriteError::kNone};
  }

 private:
  char* begin_;
  char* at_;
  char* end_;
  WriteError error_ = WriteError::kNone;
};

}  // namespace weir::http
