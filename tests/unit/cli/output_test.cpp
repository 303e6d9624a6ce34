#include "cli/output.h"

#include <gtest/gtest.h>

#include <sstream>

namespace weir::cli {
namespace {

TEST(TableText, AlignsAndFills) {
  Table table({{"NAME"}, {"COUNT", true}, {"WHY"}});
  table.add({"a", "5", "x y"});
  table.add({"longer", "12345", ""});
  EXPECT_EQ(table.to_text(true), "NAME    COUNT  WHY\na           5  x y\nlonger  12345  -\n");
  EXPECT_EQ(table.to_text(false), "a           5  x y\nlonger  12345  -\n");
}

TEST(TableText, NoTrailingBlanks) {
  Table table({{"A"}, {"B"}});
  table.add({"x", "y"});
  table.add({"x", "yyyy"});
  EXPECT_EQ(table.to_text(true), "A  B\nx  y\nx  yyyy\n");
}

TEST(TableText, Utf8CountsByCharacter) {
  EXPECT_EQ(width("äöü"), 3U);
  Table table({{"A"}, {"B"}});
  table.add({"ä", "1"});
  table.add({"xx", "2"});
  EXPECT_EQ(table.to_text(false), "ä   1\nxx  2\n");
}

TEST(ToYaml, Table) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {R"({"a": 1, "b": "x"})", "a: 1\nb: x\n"},
      {R"({"a": {"b": [1, 2]}})", "a:\n  b:\n  - 1\n  - 2\n"},
      {R"([{"a": 1, "b": 2}, {"a": 3}])", "- a: 1\n  b: 2\n- a: 3\n"},
      {R"([[1], []])", "- - 1\n- []\n"},
      {R"({"a": [], "b": {}, "c": null, "d": true})", "a: []\nb: {}\nc: null\nd: true\n"},
      {R"({"a": ""})", "a: \"\"\n"},
      {R"({"a": "no", "b": "1.10", "c": "x: y", "d": "- x", "e": "a\nb"})",
       "a: \"no\"\nb: \"1.10\"\nc: \"x: y\"\nd: \"- x\"\ne: \"a\\nb\"\n"},
      {R"("x")", "x\n"},
      {R"([])", "[]\n"},
  };
  for (const auto& [json, yaml] : cases) EXPECT_EQ(to_yaml(Json::parse(json)), yaml) << json;
}

TEST(Percent, Table) {
  EXPECT_EQ(percent(0.9), "90%");
  EXPECT_EQ(percent(1), "100%");
  EXPECT_EQ(percent(0), "0%");
  EXPECT_EQ(percent(1.0 / 3), "33.33%");
  EXPECT_EQ(percent(0.005), "0.5%");
  EXPECT_EQ(percent(nullptr), "-");
}

TEST(Age, Table) {
  EXPECT_EQ(age(0), "0s");
  EXPECT_EQ(age(-5), "0s");
  EXPECT_EQ(age(59.9), "59s");
  EXPECT_EQ(age(61), "1m1s");
  EXPECT_EQ(age(3661), "1h1m");
  EXPECT_EQ(age(90061), "1d1h");
}

TEST(Color, OnlyOnATerminalOrOnDemand) {
  std::istringstream in;
  std::ostringstream out, err;
  Context context{in, out, err, false, {}};
  EXPECT_EQ(tinted(context, Tint::kBad, "x"), "x");
  context.options.color = "always";
  EXPECT_EQ(tinted(context, Tint::kBad, "x"), "\x1b[31mx\x1b[0m");
  context.out_is_terminal = true;
  context.options.color = "never";
  EXPECT_EQ(tinted(context, Tint::kBad, "x"), "x");
  context.options.color = "auto";
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(use_color(context));
  ::unsetenv("NO_COLOR");
  ::setenv("TERM", "dumb", 1);
  EXPECT_FALSE(use_color(context));
  ::setenv("TERM", "xterm", 1);
  EXPECT_TRUE(use_color(context));
}

}  // namespace
}  // namespace weir::cli
