#include "http/field.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace weir::http {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
constexpr std::uint64_t kHigh = 0x8080808080808080ULL;

constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[c] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[c] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> kToken = make_token_table();

constexpr bool is_value_byte(unsigned char c) {
  return (c >= 0x20 && c != 0x7f) || c == '\t';
}

std::uint64_t load(const char* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// True if some byte of the word is below 0x20 or is 0x7f (tab included: the caller looks closer).
bool has_control(std::uint64_t word) {
  const std::uint64_t below = (word - kOnes * 0x20) & ~word & kHigh;
  const std::uint64_t is_del = word ^ (kOnes * 0x7f);
  return (below | ((is_del - kOnes) & ~is_del & kHigh)) != 0;
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) { return kToken[c]; });
}

bool is_field_value(std::string_view text) {
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= 8; at += 8, left -= 8) {
    if (has_control(load(at)) && !std::all_of(at, at + 8, is_value_byte)) return false;
  }
  return std::all_of(at, at + left, is_value_byte);
}

bool is_visible_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

void copy_lower(char* to, const char* from, std::size_t size) {
  for (; size >= 8; to += 8, from += 8, size -= 8) {
    std::uint64_t word = load(from);
    const std::uint64_t seven = word & ~kHigh;
    // The top bit of each byte: set from 'A' on, cleared again beyond 'Z', never for a byte above 0x7f.
    const std::uint64_t upper = ((seven + kOnes * (0x80 - 'A')) ^ (seven + kOnes * (0x7f - 'Z'))) & ~word & kHigh;
    word |= upper >> 2;
    std::memcpy(to, &word, sizeof word);
  }
  for (; size != 0; --size) *to++ = lower(*from++);
}

bool equals_ignore_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<std::uint64_t> parse_canonical_decimal(std::string_view text) {
  if (text.empty() || text.size() > 20 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    if (__builtin_mul_overflow(value, 10U, &value)) return std::nullopt;
    if (__builtin_add_overflow(value, static_cast<unsigned>(c - '0'), &value)) return std::nullopt;
  }
  return value;
}

}  // namespace weir::http
