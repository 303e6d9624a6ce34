#include "config/json_tree.h"

#include <gtest/gtest.h>

namespace weir::config {
namespace {

using yaml::Node;

/// One line that shows the whole tree: strings in quotes.
std::string shown(const Node& node) {
  switch (node.type) {
    case Node::Type::kNull:
      return "null";
    case Node::Type::kScalar:
      return node.quoted ? "'" + node.text + "'" : node.text;
    case Node::Type::kSequence:
    case Node::Type::kMap:
      break;
  }
  std::string text;
  for (const Node* item : node.items) text += (text.empty() ? "" : " ") + shown(*item);
  return node.is_map() ? "{" + text + "}" : "[" + text + "]";
}

std::string read(std::string_view text) {
  std::string all;
  const auto problem = json::parse(text, [&](const Node& root) { all = shown(root); });
  return problem ? "! " + problem->message : all;
}

TEST(JsonTree, IsTheTreeThatYamlMakes) {
  EXPECT_EQ(read(R"({"a": [1, -2, 3.50, true, false, null, "no", "1.10", {}], "b": {"c": []}})"),
            "{'a' [1 -2 3.50 true false null 'no' '1.10' {}] 'b' {'c' []}}");
  EXPECT_EQ(read("7"), "7");
  EXPECT_EQ(read("18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(read(R"("a\u00e4\n")"), "'a\xc3\xa4\n'");
}

TEST(JsonTree, WhatIsNoJsonIsRefusedWithItsPlace) {
  EXPECT_EQ(read(""), "! not readable as JSON, at byte 1");
  EXPECT_EQ(read("{\"a\": }"), "! not readable as JSON, at byte 7");
  EXPECT_EQ(read("{\"a\": 1} x"), "! not readable as JSON, at byte 10");
  EXPECT_EQ(read("{a: 1}"), "! not readable as JSON, at byte 2");
  EXPECT_EQ(read("\"\xff\""), "! not readable as JSON, at byte 2");
  EXPECT_EQ(read("[1"), "! not readable as JSON, at byte 3");
  EXPECT_EQ(read("1e999"), "! not readable as JSON, at byte 5");
}

TEST(JsonTree, HasTheLimitsOfYaml) {
  EXPECT_EQ(read(std::string(yaml::kMaxDepth, '[') + std::string(yaml::kMaxDepth, ']')).substr(0, 2), "[[");
  EXPECT_EQ(read(std::string(yaml::kMaxDepth + 1, '[')), "! values are nested more than 64 deep");
  EXPECT_EQ(read(std::string(1'000'000, '[')), "! values are nested more than 64 deep");
  EXPECT_EQ(read(std::string(yaml::kMaxFileBytes + 1, ' ')), "! the document has 16777217 bytes, the limit is 16 MiB");
}

}  // namespace
}  // namespace weir::config
