#include "config/yaml_tree.h"

#include <gtest/gtest.h>

#include <thread>

#include "config/codes.h"

namespace weir::config::yaml {
namespace {

/// "{a: 1, b: [x, null]}", quoted scalars in quotes.
std::string show(const Node& node) {
  std::string text;
  switch (node.type) {
    case Node::Type::kNull:
      return "null";
    case Node::Type::kScalar:
      return node.quoted ? "'" + node.text + "'" : node.text;
    case Node::Type::kSequence:
      for (const Node* item : node.items) text += (text.empty() ? "" : ", ") + show(*item);
      return "[" + text + "]";
    case Node::Type::kMap:
      for (size_t i = 0; i < node.items.size(); i += 2) {
        text += (text.empty() ? "" : ", ") + node.items[i]->text + ": " + show(*node.items[i + 1]);
      }
      return "{" + text + "}";
  }
  return text;
}

/// Each document as text, each problem as "!line:column code message".
std::vector<std::string> parse_all(std::string_view text) {
  std::vector<std::string> all;
  parse(
      text, [&](const Node& root, std::string_view) { all.push_back(show(root)); },
      [&](const Problem& problem) {
        all.push_back("!" + std::to_string(problem.at.line) + ":" + std::to_string(problem.at.column) + " " +
                      problem.code + " " + problem.message);
      });
  return all;
}

std::string parse_one(std::string_view text) {
  const auto all = parse_all(text);
  return all.size() == 1 ? all.front() : std::to_string(all.size()) + " results";
}

TEST(Parse, KeepsTheTextOfScalars) {
  EXPECT_EQ(
      parse_one("a: 1.10\nb: no\nc: 0o17\nd: 1_000\ne: 2001-01-01\nf: 'q'\ng: \"x\\ty\"\nh: ~\ni:\nj: |\n  text\n"),
      "{a: 1.10, b: no, c: 0o17, d: 1_000, e: 2001-01-01, f: 'q', g: 'x\ty', h: null, i: null, j: 'text\n'}");
  EXPECT_EQ(parse_one("a: !!str 5"), "{a: '5'}");
  EXPECT_EQ(parse_one("a: 1\nlast:"), "{a: 1, last: null}");
  EXPECT_EQ(parse_one("{a: [1, {b: c}], d: }"), "{a: [1, {b: c}], d: null}");
}

TEST(Parse, KnowsPlaces) {
  std::vector<Position> places;
  parse(
      "a: 1\n---\nb:\n  - c: d\n",
      [&](const Node& root, std::string_view) {
        places.push_back(root.items[0]->at);
        if (root.items[1]->is_sequence()) places.push_back(find(*root.items[1]->items[0], "c")->at);
      },
      [](const Problem&) { FAIL(); });
  EXPECT_EQ(places, (std::vector<Position>{{1, 1}, {3, 1}, {4, 8}}));
}

TEST(Parse, ReadsSeveralDocumentsAndLeavesOutEmptyOnes) {
  EXPECT_EQ(parse_all("---\n---\na\n...\n---\n# x\n---\nb\n"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(parse_all(""), std::vector<std::string>{});
  EXPECT_EQ(parse_all("a: 1\r\n---\r\nb: 2\r\n"), (std::vector<std::string>{"{a: 1}", "{b: 2}"}));
}

TEST(Parse, OneBadDocumentDoesNotHideTheOthers) {
  const auto all = parse_all("a: 1\n---\nb: [\n---\nc: 3\n");
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0], "{a: 1}");
  EXPECT_TRUE(all[1].starts_with("!4:1 WEIR0001")) << all[1];
  EXPECT_EQ(all[2], "{c: 3}");
}

TEST(Parse, AliasesAndMergeKeys) {
  EXPECT_EQ(parse_one("a: &x [1]\nb: *x"), "{a: [1], b: [1]}");
  EXPECT_EQ(parse_one("a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3"), "{a: {p: 1, q: 2}, b: {q: 3, p: 1}}");
  EXPECT_EQ(parse_one("- &x {p: 1}\n- &y {p: 2, q: 2}\n- <<: [*x, *y]"), "[{p: 1}, {p: 2, q: 2}, {p: 1, q: 2}]");
  EXPECT_TRUE(parse_one("a: {<<: 5}").starts_with("!1:9 WEIR0001"));
}

TEST(Parse, AnAddressThatEndsInAColonIsAString) {
  EXPECT_EQ(parse_one("a: [1.2.3.4, 001:db8::]"), "{a: [1.2.3.4, 001:db8::]}");
  EXPECT_EQ(parse_one("a: [{b: }]"), "{a: [{b: null}]}");
}

struct Bad {
  std::string text, starts;
};

TEST(Parse, RefusesWithAPlace) {
  std::string wide = "x: &a [1]\ny: [";
  for (int i = 0; i < 101; ++i) wide += "*a,";
  const std::vector<Bad> table = {
      {"a: 1\na: 2", "!2:1 WEIR0001 key \"a\" is given twice"},
      {"{a: 1, b: 2, a: 3}", "!1:14 WEIR0001"},
      {"&a [*a]", "!1:5 WEIR0001 an alias refers to the value that it is part of"},
      {"a: &x {b: *x}", "!1:11 WEIR0001 an alias"},
      {"a: *nowhere", "!1:4 WEIR0001"},
      {"[a]: b", "!1:1 WEIR0001 a key must be a string"},
      {"? {a: b}\n: c", "!1:3 WEIR0001 a key must be a string"},
      {"~: b", "!1:1 WEIR0001 a key must be a string"},
      {"a:\n\tb: 1", "!2:"},
      {"a: [", "!1:1 WEIR0001"},
      {"a: \"x", "!1:"},
      {"a: b: c", "!1:5 WEIR0001"},
      {"a: 1\nwei", "!2:1 WEIR0001 \"wei\" is neither a key with a colon nor a value"},
      {"a: 1\nwei\n", "!2:1 WEIR0001 \"wei\""},
      {"a:\n- b: 1\n  wei\n", "!3:3 WEIR0001 \"wei\""},
      {"a: 1\n b: 2", "!2:"},
      {"]", "!1:1"},
      {"- a\n, b", "2 results"},
      {", b", "!1:1"},
      {"a: @b", "!1:4"},
      {"%YAML 9.9\n---\na", "!"},
      {wide + "]", "!2:305 WEIR0002 more than 100 aliases"},
      {std::string(65, '[') + std::string(65, ']'), "!1:65 WEIR0002 values are nested more than 64 deep"},
  };
  for (const Bad& bad : table) {
    const std::string got = parse_one(bad.text);
    EXPECT_TRUE(got.starts_with(bad.starts)) << bad.text << "\n" << got;
  }
}

TEST(Parse, DepthIsAlsoCountedThroughAliases) {
  std::string text = "- &a0 [x]\n";
  for (int i = 1; i < 70; ++i) text += "- &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  EXPECT_TRUE(parse_one(text).find("WEIR0002 values are nested") != std::string::npos);
  EXPECT_EQ(parse_one(std::string(64, '[') + std::string(64, ']')).front(), '[');
}

TEST(Parse, AliasBombIsRefusedQuickly) {
  std::string text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 10; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += "*a" + std::to_string(i - 1) + ",";
    text += "]\n";
  }
  EXPECT_NE(parse_one(text).find("WEIR0002 aliases expand"), std::string::npos);
}

// Run on a small stack: the depth of nesting must not be the depth of recursion.
TEST(Parse, DeepNestingNeedsNoStack) {
  std::vector<std::string> texts = {std::string(100'000, '['), std::string(10'000, '[') + std::string(10'000, ']')};
  for (const char* unit : {"- ", "? ", "{a: ", "a: [", "[{a: "}) {
    std::string text;
    for (int i = 0; i < 20'000; ++i) text += unit;
    texts.push_back(text);
  }
  std::string block;
  for (int i = 0; i < 1'000; ++i) block += std::string(static_cast<size_t>(i), ' ') + "a:\n";
  texts.push_back(block);

  static const std::vector<std::string>* shared = nullptr;
  shared = &texts;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 256 * 1024);
  pthread_t thread{};
  ASSERT_EQ(pthread_create(
                &thread, &attributes,
                [](void*) -> void* {
                  for (const std::string& text : *shared) {
                    EXPECT_NE(parse_one(text).find("WEIR000"), std::string::npos) << text.substr(0, 20);
                  }
                  return nullptr;
                },
                nullptr),
            0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

TEST(Parse, LargeMapsAreCheckedForDuplicatesToo) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "k" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(parse_one(text).front(), '{');
  EXPECT_TRUE(parse_one(text + "k7: 2\n").starts_with("!20001:1 WEIR0001 key \"k7\" is given twice, first in line 8"));
}

TEST(Find, LooksOnlyIntoMaps) {
  parse(
      "[a, b]", [](const Node& root, std::string_view) { EXPECT_EQ(find(root, "a"), nullptr); },
      [](const Problem&) { FAIL(); });
}

}  // namespace
}  // namespace weir::config::yaml
