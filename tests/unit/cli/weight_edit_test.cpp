#include "cli/weight_edit.h"

#include <gtest/gtest.h>

namespace weir::cli {
namespace {

struct Case {
  const char* name;
  const char* before;
  std::vector<WeightEdit> edits;
  const char* after;
};

WeightEdit number(uint32_t line, uint32_t column, uint32_t value) {
  return {{}, {line, column}, value};
}
WeightEdit entry(uint32_t line, uint32_t column, uint32_t value) {
  return {{line, column}, {}, value};
}

TEST(EditWeights, Table) {
  const std::vector<Case> cases = {
      {"number", "weight: 90\n", {number(1, 9, 5)}, "weight: 5\n"},
      {"longer number", "weight: 5 # c\n", {number(1, 9, 100)}, "weight: 100 # c\n"},
      {"no line end", "weight: 90", {number(1, 9, 5)}, "weight: 5"},
      {"quoted", "weight: \"90\"\n", {number(1, 9, 5)}, "weight: \"5\"\n"},
      {"single quoted", "weight: '90'\n", {number(1, 9, 5)}, "weight: '5'\n"},
      {"flow",
       "- {destination: {host: a}, weight: 90}\n",
       {number(1, 36, 5)},
       "- {destination: {host: a}, weight: 5}\n"},
      {"flow, weight first",
       "- {weight: 90, destination: {host: a}}\n",
       {number(1, 12, 5)},
       "- {weight: 5, destination: {host: a}}\n"},
      {"json", "[{\"weight\": 90}]", {number(1, 13, 5)}, "[{\"weight\": 5}]"},
      {"windows line ends", "weight: 90\r\nx: 1\r\n", {number(1, 9, 5)}, "weight: 5\r\nx: 1\r\n"},
      {"two on one line",
       "[{weight: 90}, {weight: 10}]",
       {number(1, 11, 5), number(1, 25, 95)},
       "[{weight: 5}, {weight: 95}]"},
      {"hexadecimal", "weight: 0x5a\n", {number(1, 9, 5)}, "weight: 5\n"},
      {"added to a block",
       "- destination:\n    host: a\n- destination:\n    host: b\n",
       {entry(1, 3, 7)},
       "- destination:\n    host: a\n  weight: 7\n- destination:\n    host: b\n"},
      {"added to the last block",
       "route:\n- destination:\n    host: a\n",
       {entry(2, 3, 7)},
       "route:\n- destination:\n    host: a\n  weight: 7\n"},
      {"added at the end of a text without line end",
       "- destination: {host: a}",
       {entry(1, 3, 7)},
       "- destination: {host: a}\n  weight: 7"},
      {"added before a comment of the next",
       "- destination: {host: a}  # one\n# next\n- destination: {host: b}\n",
       {entry(1, 3, 7)},
       "- destination: {host: a}  # one\n  weight: 7\n# next\n- destination: {host: b}\n"},
      {"added after a blank line inside",
       "- destination:\n\n    host: a\n- x\n",
       {entry(1, 3, 7)},
       "- destination:\n\n    host: a\n  weight: 7\n- x\n"},
      {"added with windows line ends",
       "- destination: {host: a}\r\n- x\r\n",
       {entry(1, 3, 7)},
       "- destination: {host: a}\r\n  weight: 7\r\n- x\r\n"},
      {"added to flow", "- {destination: {host: a}}\n", {entry(1, 3, 7)}, "- {weight: 7, destination: {host: a}}\n"},
      {"added to json", "[{\"destination\": {}}]", {entry(1, 2, 7)}, "[{\"weight\": 7, \"destination\": {}}]"},
      {"both",
       "- destination: {host: a}\n  weight: 90\n- destination: {host: b}\n",
       {number(2, 11, 5), entry(3, 3, 95)},
       "- destination: {host: a}\n  weight: 5\n- destination: {host: b}\n  weight: 95\n"},
      {"nothing", "weight: 90\n", {}, "weight: 90\n"},
  };
  for (const auto& c : cases) {
    const auto edited = edit_weights(c.before, c.edits);
    ASSERT_TRUE(edited) << c.name << ": " << edited.error().message;
    EXPECT_EQ(*edited, c.after) << c.name;
  }
}

TEST(EditWeights, Errors) {
  const std::vector<Case> cases = {
      {"alias", "weight: *w\n", {number(1, 9, 5)}, "line 1, column 9"},
      {"place beyond the line", "weight: 90\n", {number(1, 40, 5)}, "not where it was read"},
      {"place beyond the text", "weight: 90\n", {number(9, 1, 5)}, "not where it was read"},
      {"unfinished quote", "weight: \"90\n", {number(1, 9, 5)}, "not a plain number"},
      {"text", "weight: many\n", {number(1, 9, 5)}, "not a plain number"},
      {"entry is an alias", "- *entry\n", {entry(1, 3, 7)}, "alias"},
      {"entry is an anchor", "- &entry\n", {entry(1, 3, 7)}, "anchor"},
      {"entry beyond the text", "- x\n", {entry(3, 3, 7)}, "not where it was read"},
      {"one place twice", "weight: 90\n", {number(1, 9, 5), number(1, 9, 6)}, "share one place"},
  };
  for (const auto& c : cases) {
    const auto edited = edit_weights(c.before, c.edits);
    ASSERT_FALSE(edited) << c.name << ": " << *edited;
    EXPECT_NE(edited.error().message.find(c.after), std::string::npos) << c.name << ": " << edited.error().message;
  }
}

}  // namespace
}  // namespace weir::cli
