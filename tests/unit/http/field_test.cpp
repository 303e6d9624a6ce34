#include "http/field.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::http {
namespace {

constexpr std::string_view kTchar = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

TEST(Field, TokenIsExactlyTchar) {
  EXPECT_FALSE(is_token(""));
  for (int c = 0; c < 256; ++c) {
    const char byte = static_cast<char>(c);
    EXPECT_EQ(is_token(std::string("a") + byte), kTchar.find(byte) != std::string_view::npos) << c;
  }
}

// At each offset: the check looks at eight bytes at a time.
TEST(Field, ValueRefusesEveryControlCharacterAtEveryOffset) {
  for (int c = 0; c < 256; ++c) {
    const bool good = c == '\t' || (c >= 0x20 && c != 0x7f);
    for (std::size_t at = 0; at < 19; ++at) {
      std::string text(19, 'v');
      text[at] = static_cast<char>(c);
      EXPECT_EQ(is_field_value(text), good) << c << " at " << at;
    }
  }
  EXPECT_TRUE(is_field_value(""));
}

TEST(Field, VisibleAscii) {
  for (int c = 0; c < 256; ++c) {
    EXPECT_EQ(is_visible_ascii(std::string(9, 'a') + static_cast<char>(c)), c > 0x20 && c < 0x7f) << c;
  }
}

TEST(Field, CopyLowerAgreesWithLowerForEveryByteAndLength) {
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  for (std::size_t from = 0; from < 20; ++from) {
    const std::string_view text = std::string_view(all).substr(from, 200 + from);
    std::string fast(text.size(), '?');
    copy_lower(fast.data(), text.data(), text.size());
    std::string slow(text);
    for (char& c : slow) c = lower(c);
    EXPECT_EQ(fast, slow);
  }
}

TEST(Field, EqualsIgnoreCase) {
  EXPECT_TRUE(equals_ignore_case("Keep-Alive", "keep-alive"));
  EXPECT_FALSE(equals_ignore_case("Keep-Alive", "keep-alive "));
  EXPECT_FALSE(equals_ignore_case("[", "{"));
  EXPECT_FALSE(equals_ignore_case("\xc1", "\xe1"));
}

TEST(Field, TrimTakesOnlySpaceAndTab) {
  EXPECT_EQ(trim(" \t a b \t"), "a b");
  EXPECT_EQ(trim(" \t "), "");
  EXPECT_EQ(trim("\xa0 a\n"), "\xa0 a\n");
}

TEST(Field, CanonicalDecimal) {
  EXPECT_EQ(parse_canonical_decimal("0"), 0U);
  EXPECT_EQ(parse_canonical_decimal("5"), 5U);
  EXPECT_EQ(parse_canonical_decimal("18446744073709551615"), UINT64_MAX);
  for (const char* bad : {"", "00", "05", "+5", "-0", "0x5", "5_0", " 5", "5 ", "5,5", "5.", "18446744073709551616",
                          "99999999999999999999", "1000000000000000000000000000000", "\xd9\xa5"}) {
    EXPECT_FALSE(parse_canonical_decimal(bad)) << bad;
  }
}

TEST(Field, ElementsOfAList) {
  const auto elements = [](std::string_view list) {
    std::vector<std::string> found;
    for_each_element(list, [&](std::string_view element) { found.emplace_back(element); });
    return found;
  };
  EXPECT_EQ(elements("a, b\t,c"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(elements(",a,"), (std::vector<std::string>{"", "a", ""}));
  EXPECT_EQ(elements(""), (std::vector<std::string>{""}));
}

}  // namespace
}  // namespace weir::http
