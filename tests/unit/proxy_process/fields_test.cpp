#include "proxy_process/fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::proxy_process {
namespace {

using ::testing::HasSubstr;

nlohmann::json sample() {
  return {{"number", 7},     {"text", "abc"},  {"flag", true},    {"object", {{"x", 1}}}, {"array", {1, 2}},
          {"null", nullptr}, {"negative", -1}, {"fraction", 0.5}, {"address", "10.0.0.1"}};
}

TEST(Fields, GiveWhatIsThere) {
  const auto json = sample();
  Fields fields(json);
  EXPECT_EQ(fields.number("number"), 7U);
  EXPECT_EQ(fields.number("number", 7), 7U);
  EXPECT_EQ(fields.text("text", 3), "abc");
  EXPECT_TRUE(fields.flag("flag"));
  EXPECT_EQ(fields.object("object").size(), 1U);
  EXPECT_EQ(fields.array("array", 2).size(), 2U);
  EXPECT_EQ(fields.address("address"), *IpAddress::parse("10.0.0.1"));
  EXPECT_EQ(fields.number_or("absent", 9), 9U);
  EXPECT_EQ(fields.text_or("absent", "x", 1), "x");
  EXPECT_TRUE(fields.flag_or("absent", true));
  EXPECT_TRUE(fields.finish());
}

TEST(Fields, EachFaultIsNamed) {
  const auto json = sample();
  const auto fault = [&json](const auto& use) {
    Fields fields(json);
    use(fields);
    const auto result = fields.finish();
    return result ? "" : result.error().message;
  };
  EXPECT_THAT(fault([](Fields& f) { f.number("absent"); }), HasSubstr("\"absent\" is missing"));
  EXPECT_THAT(fault([](Fields& f) { f.number("negative"); }), HasSubstr("whole number"));
  EXPECT_THAT(fault([](Fields& f) { f.number("fraction"); }), HasSubstr("whole number"));
  EXPECT_THAT(fault([](Fields& f) { f.number("text"); }), HasSubstr("whole number"));
  EXPECT_THAT(fault([](Fields& f) { f.number("null"); }), HasSubstr("whole number"));
  EXPECT_THAT(fault([](Fields& f) { f.number("number", 6); }), HasSubstr("more than 6"));
  EXPECT_THAT(fault([](Fields& f) { f.number_or("text", 1); }), HasSubstr("whole number"));
  EXPECT_THAT(fault([](Fields& f) { f.text("text", 2); }), HasSubstr("longer than 2"));
  EXPECT_THAT(fault([](Fields& f) { f.text("number", 9); }), HasSubstr("not a text"));
  EXPECT_THAT(fault([](Fields& f) { f.flag("number"); }), HasSubstr("not true or false"));
  EXPECT_THAT(fault([](Fields& f) { f.object("array"); }), HasSubstr("not an object"));
  EXPECT_THAT(fault([](Fields& f) { f.array("object", 9); }), HasSubstr("not a list"));
  EXPECT_THAT(fault([](Fields& f) { f.array("array", 1); }), HasSubstr("too many"));
  EXPECT_THAT(fault([](Fields& f) { f.address("text"); }), HasSubstr("not an address"));
}

TEST(Fields, TheFirstFaultIsKept) {
  const auto json = sample();
  Fields fields(json);
  fields.number("one");
  fields.number("two");
  fields.fault("three", "is odd");
  EXPECT_EQ(fields.finish().error().message, "\"one\" is missing");
}

TEST(Fields, OfWhatIsNoObjectAreAllMissing) {
  for (const auto& json : {nlohmann::json(nullptr), nlohmann::json(7), nlohmann::json::array({1})}) {
    Fields fields(json);
    EXPECT_EQ(fields.number_or("x", 3), 3U);
    EXPECT_EQ(fields.finish().error().message, "not an object");
  }
}

}  // namespace
}  // namespace weir::proxy_process
