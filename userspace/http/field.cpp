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

std::uint64_t load(const char* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// The top bit of each byte that is below `bound` (<= 0x80); bytes above the first one found may be wrong.
std::uint64_t below(std::uint64_t word, std::uint64_t bound) {
  return (word - kOnes * bound) & ~word & kHigh;
}
std::uint64_t equal(std::uint64_t word, std::uint64_t byte) {
  return below(word ^ (kOnes * byte), 1);
}

/// Control characters but tab, byte by byte.
std::uint64_t bad_value_bytes_slowly(std::uint64_t word) {
  std::uint64_t bad = 0;
  for (int i = 0; i < 8; ++i) {
    const auto c = static_cast<unsigned char>(word >> (8 * i));
    bad |= static_cast<std::uint64_t>((c < 0x20 && c != '\t') || c == 0x7f);
  }
  return bad;
}

inline std::uint64_t bad_value_bytes(std::uint64_t word) {
  const std::uint64_t control = below(word, 0x20) | equal(word, 0x7f);
  return control == 0 ? 0 : bad_value_bytes_slowly(word);
}

inline std::uint64_t bad_visible_bytes(std::uint64_t word) {
  return below(word, 0x21) | equal(word, 0x7f) | (word & kHigh);
}

/// Runs `bad` over the text in words; the last one overlaps the one before, or is padded with a byte that is always
/// good.
template <class Bad>
bool all_words_good(std::string_view text, Bad bad) {
  const char* at = text.data();
  const char* end = at + text.size();
  if (text.size() < 8) {
    std::uint64_t word = kOnes * 'x';
    for (; at != end; ++at) word = word << 8 | static_cast<unsigned char>(*at);
    return bad(word) == 0;
  }
  for (; end - at > 8; at += 8) {
    if (bad(load(at)) != 0) return false;
  }
  return bad(load(end - 8)) == 0;
}

}  // namespace

bool is_token(std::string_view text) {
  bool good = !text.empty();
  for (const char c : text) good &= kToken[static_cast<unsigned char>(c)];
  return good;
}

bool is_field_value(std::string_view text) {
  return all_words_good(text, [](std::uint64_t word) { return bad_value_bytes(word); });
}

bool is_visible_ascii(std::string_view text) {
  return all_words_good(text, [](std::uint64_t word) { return bad_visible_bytes(word); });
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
