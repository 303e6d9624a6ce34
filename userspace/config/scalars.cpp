#include "config/scalars.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace weir::config {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Digits at the start of `text`, taken off it.
std::string_view take_digits(std::string_view& text) {
  size_t length = 0;
  while (length < text.size() && is_digit(text[length])) ++length;
  const std::string_view digits = text.substr(0, length);
  text.remove_prefix(length);
  return digits;
}

struct Unit {
  std::string_view name;
  int64_t nanoseconds;
};
// Longest first, so that "ms" is not read as minutes.
constexpr std::array<Unit, 8> kUnits = {{{"\xc2\xb5s", 1'000},  // U+00B5
                                         {"\xce\xbcs", 1'000},  // U+03BC
                                         {"ns", 1},
                                         {"us", 1'000},
                                         {"ms", 1'000'000},
                                         {"s", 1'000'000'000},
                                         {"m", 60'000'000'000},
                                         {"h", 3'600'000'000'000}}};

/// One "1.5h" of a duration, taken off `text`; in nanoseconds.
std::optional<double> take_term(std::string_view& text) {
  const std::string_view whole = take_digits(text);
  std::string_view fraction;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = take_digits(text);
  }
  if (whole.empty() && fraction.empty()) return std::nullopt;
  if (whole.size() + fraction.size() > 30) return std::nullopt;
  const std::string number =
      std::string(whole.empty() ? "0" : whole) + "." + std::string(fraction.empty() ? "0" : fraction);
  double value = 0;
  std::from_chars(number.data(), number.data() + number.size(), value);
  for (const Unit& unit : kUnits) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return value * static_cast<double>(unit.nanoseconds);
  }
  return std::nullopt;
}

/// `length` digits at the start of `text`, taken off it, with `after` behind them (0: nothing).
std::optional<int> take_fixed(std::string_view& text, size_t length, char after) {
  int value = 0;
  if (text.size() < length) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + length, value);
  if (error != std::errc{} || end != text.data() + length || !is_digit(text[0])) return std::nullopt;
  text.remove_prefix(length);
  if (after == 0) return value;
  if (text.empty() || std::toupper(static_cast<unsigned char>(text[0])) != after) return std::nullopt;
  text.remove_prefix(1);
  return value;
}

/// "Z" or "+01:00", in seconds.
std::optional<int64_t> take_zone(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const int64_t sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hours = take_fixed(text, 2, ':');
  const auto minutes = hours ? take_fixed(text, 2, 0) : std::nullopt;
  if (!minutes || !text.empty() || *hours > 23 || *minutes > 59) return std::nullopt;
  return sign * (*hours * 3600 + *minutes * 60);
}

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (is_digit(c)) return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  return c == '/' || c == '_' ? 63 : -1;
}

}  // namespace

std::optional<int64_t> parse_integer(std::string_view text) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || !is_digit(digits[0])) return std::nullopt;
  if (digits.size() > 1 && digits[0] == '0' && is_digit(digits[1])) return std::nullopt;  // octal to some readers
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size()) return value;
  const auto number = parse_number(text);
  if (!number || std::trunc(*number) != *number || std::abs(*number) > 9e15) return std::nullopt;
  return static_cast<int64_t>(*number);
}

std::optional<double> parse_number(std::string_view text) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || (!is_digit(digits[0]) && digits[0] != '.')) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<bool> parse_bool(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

std::optional<Duration> parse_duration(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return Duration{0};
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    const auto term = take_term(text);
    if (!term) return std::nullopt;
    total += *term;
  }
  if (total > 9.2e18) return std::nullopt;
  return Duration{static_cast<int64_t>(std::llround(negative ? -total : total))};
}

std::optional<int64_t> parse_timestamp(std::string_view text) {
  const auto year = take_fixed(text, 4, '-');
  const auto month = year ? take_fixed(text, 2, '-') : std::nullopt;
  const auto day = month ? take_fixed(text, 2, 'T') : std::nullopt;
  const auto hour = day ? take_fixed(text, 2, ':') : std::nullopt;
  const auto minute = hour ? take_fixed(text, 2, ':') : std::nullopt;
  const auto second = minute ? take_fixed(text, 2, 0) : std::nullopt;
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (take_digits(text).empty()) return std::nullopt;
  }
  const auto zone = take_zone(text);
  const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!zone || !date.ok()) return std::nullopt;
  const int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  return days * 86400 + *hour * 3600 + *minute * 60 + *second - *zone;
}

std::optional<std::string> decode_base64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int digit = base64_digit(c);
    if (digit < 0) return std::nullopt;
    bits = (bits << 6) | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xff);
  }
  return bytes;
}

std::string to_text(Duration duration) {
  int64_t rest = duration.count();
  if (rest == 0) return "0s";
  std::string text = rest < 0 ? "-" : "";
  if (rest < 0) rest = -rest;
  constexpr std::array<Unit, 6> kShown = {{{"h", 3'600'000'000'000},
                                           {"m", 60'000'000'000},
                                           {"s", 1'000'000'000},
                                           {"ms", 1'000'000},
                                           {"us", 1'000},
                                           {"ns", 1}}};
  for (const Unit& unit : kShown) {
    if (rest < unit.nanoseconds) continue;
    text += std::to_string(rest / unit.nanoseconds) + std::string(unit.name);
    rest %= unit.nanoseconds;
  }
  return text;
}

}  // namespace weir::config
