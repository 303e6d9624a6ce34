#pragma once
// The small words of RFC 9110 section 5.6: tokens, field values, comma lists. Pure; any thread.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::http {

/// RFC 9110 section 5.6.2: one or more tchar.
bool is_token(std::string_view text);

/// A value that may stand in a field line: visible characters, obs-text, space and tab; no other control character.
/// The one check that every value passes when it is written.
bool is_field_value(std::string_view text);

/// Only '!' to '~': what may stand in a request target (before the rules on its form).
bool is_visible_ascii(std::string_view text);

inline char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}
/// Copies `size` bytes with A-Z made lower case. The ranges do not overlap.
void copy_lower(char* to, const char* from, std::size_t size);
bool equals_ignore_case(std::string_view a, std::string_view b);

/// Without spaces and tabs at both ends.
std::string_view trim(std::string_view text);

/// A decimal number without sign, leading zero or blank; nothing above 2^64-1.
std::optional<std::uint64_t> parse_canonical_decimal(std::string_view text);

/// Calls `visit(element)` for each element of a comma list, trimmed, empty ones too (", a" has an empty one).
/// Quoted strings are not looked into: the lists read here have none.
template <class Visit>
void for_each_element(std::string_view list, Visit&& visit) {
  for (;;) {
    const std::size_t comma = list.find(',');
    visit(trim(list.substr(0, comma)));
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace weir::http
