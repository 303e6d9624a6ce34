#include "config/scalars.h"

#include <gtest/gtest.h>

namespace weir::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(ParseInteger, TakesWhatProtoJsonTakes) {
  EXPECT_EQ(parse_integer("0"), 0);
  EXPECT_EQ(parse_integer("50"), 50);
  EXPECT_EQ(parse_integer("-1"), -1);
  EXPECT_EQ(parse_integer("50.0"), 50);
  EXPECT_EQ(parse_integer("5e1"), 50);
  EXPECT_EQ(parse_integer("9223372036854775807"), INT64_MAX);
}

TEST(ParseInteger, RefusesEverythingElse) {
  for (const char* text : {"",
                           "-",
                           "+5",
                           "50.5",
                           "0x1f",
                           "0o17",
                           "017",
                           "00",
                           "1_000",
                           "5 ",
                           " 5",
                           "five",
                           "1e400",
                           "nan",
                           "inf",
                           "-inf",
                           "9223372036854775808",
                           "1e19",
                           "--1",
                           "5-",
                           ".",
                           "1,000",
                           "½",
                           "true",
                           "~"}) {
    EXPECT_EQ(parse_integer(text), std::nullopt) << text;
  }
}

TEST(ParseNumber, TakesFiniteDecimals) {
  EXPECT_EQ(parse_number("0.1"), 0.1);
  EXPECT_EQ(parse_number("-2.5"), -2.5);
  EXPECT_EQ(parse_number(".5"), 0.5);
  EXPECT_EQ(parse_number("1e2"), 100);
  for (const char* text : {"", "-", "nan", "inf", "0x10", "1e999", "1 ", "10%", "1_0"}) {
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  }
}

TEST(ParseBool, NorwayIsNoBoolean) {
  EXPECT_EQ(parse_bool("true"), true);
  EXPECT_EQ(parse_bool("TRUE"), true);
  EXPECT_EQ(parse_bool("False"), false);
  for (const char* text : {"no", "NO", "yes", "on", "off", "y", "n", "1", "0", "tRUE", ""}) {
    EXPECT_EQ(parse_bool(text), std::nullopt) << text;
  }
}

TEST(ParseDuration, TakesProtoJsonAndGo) {
  EXPECT_EQ(parse_duration("5s"), seconds(5));
  EXPECT_EQ(parse_duration("0.5s"), milliseconds(500));
  EXPECT_EQ(parse_duration(".5s"), milliseconds(500));
  EXPECT_EQ(parse_duration("100ms"), milliseconds(100));
  EXPECT_EQ(parse_duration("1h15m30.918273645s"), hours(1) + minutes(15) + seconds(30) + nanoseconds(918273645));
  EXPECT_EQ(parse_duration("1us"), nanoseconds(1000));
  EXPECT_EQ(parse_duration("1\xc2\xb5s"), nanoseconds(1000));
  EXPECT_EQ(parse_duration("3ns"), nanoseconds(3));
  EXPECT_EQ(parse_duration("-1s"), seconds(-1));
  EXPECT_EQ(parse_duration("0"), seconds(0));
  EXPECT_EQ(parse_duration("0s"), seconds(0));
}

TEST(ParseDuration, RefusesEverythingElse) {
  for (const char* text :
       {"", "5", "s", "5 s", "5S", "5sec", "5s ", " 5s", "1d", "1h-5m", ".s", "-", "1e3s", "99999999999h", "1.2.3s",
        "5s5", "0x5s", "five seconds", "11111111111111111111111111111111s"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(ParseDuration, ReadsBackWhatToTextWrites) {
  for (const int64_t value :
       {int64_t{1}, int64_t{1'000'000}, int64_t{90'000'000'000}, int64_t{3'661'001'001'001}, int64_t{-5'000'000}}) {
    EXPECT_EQ(parse_duration(to_text(Duration{value})), Duration{value});
  }
  EXPECT_EQ(to_text(Duration{0}), "0s");
  EXPECT_EQ(to_text(minutes(90)), "1h30m");
}

TEST(ParseTimestamp, TakesRfc3339) {
  EXPECT_EQ(parse_timestamp("2024-01-01T00:00:00Z"), 1704067200);
  EXPECT_EQ(parse_timestamp("2024-01-01T01:00:00+01:00"), 1704067200);
  EXPECT_EQ(parse_timestamp("2023-12-31T19:30:00-04:30"), 1704067200);
  EXPECT_EQ(parse_timestamp("2024-01-01T00:00:00.999Z"), 1704067200);
  EXPECT_EQ(parse_timestamp("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(parse_timestamp("2024-02-29T00:00:00Z"), 1709164800);
}

TEST(ParseTimestamp, RefusesEverythingElse) {
  for (const char* text :
       {"", "2024-01-01", "2024-01-01T00:00:00", "2024-1-1T00:00:00Z", "2024-13-01T00:00:00Z", "2023-02-29T00:00:00Z",
        "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00+1:00",
        "2024-01-01T00:00:00Zx", "yesterday", "-024-01-01T00:00:00Z"}) {
    EXPECT_EQ(parse_timestamp(text), std::nullopt) << text;
  }
}

TEST(DecodeBase64, TakesBothAlphabetsWithAndWithoutPadding) {
  EXPECT_EQ(decode_base64(""), "");
  EXPECT_EQ(decode_base64("aGVsbG8="), "hello");
  EXPECT_EQ(decode_base64("aGVsbG8"), "hello");
  EXPECT_EQ(decode_base64("_-8="), "\xff\xef");
  EXPECT_EQ(decode_base64("/+8="), "\xff\xef");
  for (const char* text : {"a", "aGVsb", "a b=", "a*==", "aG=s"}) EXPECT_EQ(decode_base64(text), std::nullopt) << text;
}

}  // namespace
}  // namespace weir::config
