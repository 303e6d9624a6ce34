#include "cli/output.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
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

/// Words and signs that YAML readers take for something else than a text.
Json random_value(std::mt19937& random, int depth) {
  static const std::vector<std::string> kTexts = {"",
                                                  "yes",
                                                  "No",
                                                  "on",
                                                  "OFF",
                                                  "true",
                                                  "null",
                                                  "~",
                                                  "1",
                                                  "-1",
                                                  "0x1f",
                                                  "0o7",
                                                  "1_000",
                                                  "1.5",
                                                  "1e3",
                                                  ".inf",
                                                  "-.INF",
                                                  ".nan",
                                                  "12:30:45",
                                                  "2024-01-01",
                                                  "2024-01-01T00:00:00Z",
                                                  "- a",
                                                  "-",
                                                  "a: b",
                                                  "a:",
                                                  ": a",
                                                  "#x",
                                                  "a #b",
                                                  "'a'",
                                                  "\"a\"",
                                                  "a\nb",
                                                  "a\tb",
                                                  " a",
                                                  "a ",
                                                  "\\",
                                                  "&a",
                                                  "*a",
                                                  "!a",
                                                  "|",
                                                  ">",
                                                  "%a",
                                                  "@a",
                                                  "`a",
                                                  "{a}",
                                                  "[a]",
                                                  "a, b",
                                                  "?",
                                                  "? a",
                                                  "<<",
                                                  "=",
                                                  "ä",
                                                  "\u2028",
                                                  "---",
                                                  "...",
                                                  "a\u0001b",
                                                  "y",
                                                  "N",
                                                  "10.96.0.1",
                                                  "web.default.svc.cluster.local",
                                                  "a'b",
                                                  "+1",
                                                  "1.",
                                                  ".5",
                                                  "0b1",
                                                  "1__2",
                                                  "é: x"};
  const auto below = [&](unsigned limit) { return static_cast<unsigned>(random() % limit); };
  switch (depth > 3 ? below(3) : below(5)) {
    case 0:
      return kTexts[below(static_cast<unsigned>(kTexts.size()))];
    case 1:
      return static_cast<int64_t>(random()) - 2000000000;
    case 2:
      return below(3) == 0 ? Json(nullptr) : Json(below(2) == 0);
    case 3: {
      Json list = Json::array();
      for (unsigned i = below(4); i > 0; --i) list.push_back(random_value(random, depth + 1));
      return list;
    }
    default: {
      Json object = Json::object();
      for (unsigned i = below(4); i > 0; --i)
        object[kTexts[below(static_cast<unsigned>(kTexts.size()))]] = random_value(random, depth + 1);
      return object;
    }
  }
}

// Another program's reader has to find what was written.
TEST(ToYaml, ComesBackAsItWas) {
  if (std::system("python3 -c 'import yaml' 2> /dev/null") != 0) GTEST_SKIP() << "needs python3-yaml";
  const std::string folder = testing::TempDir() + "to_yaml." + std::to_string(getpid());
  std::mt19937 random(7);
  Json all = Json::array();
  {
    std::ofstream yaml(folder + ".yaml"), json(folder + ".json");
    for (int i = 0; i < 3000; ++i) {
      all.push_back(random_value(random, 0));
      yaml << "---\n" << to_yaml(all.back());
    }
    json << all.dump();
  }
  const std::string command =
      "python3 -c \"import json, sys, yaml; a = json.load(open('" + folder +
      ".json')); b = "
      "list(yaml.safe_load_all(open('" +
      folder +
      ".yaml'))); bad = [(x, y) for x, y in zip(a, b) "
      "if x != y or type(x) != type(y)]; print(bad[:3]); sys.exit(bool(bad) or len(a) != len(b))\"";
  EXPECT_EQ(std::system(command.c_str()), 0);
  std::remove((folder + ".yaml").c_str());
  std::remove((folder + ".json").c_str());
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
