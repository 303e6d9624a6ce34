#include "config/diagnostic.h"

#include <gtest/gtest.h>

namespace weir::config {
namespace {

Diagnostic sample() {
  return {Level::kError, "IST0101", "referenced host not found: \"x\"", "did you mean y?",
          "a.yaml",      {14, 11},  "VirtualService default/reviews"};
}

TEST(ToText, IsOneLine) {
  EXPECT_EQ(to_text(sample()),
            "a.yaml:14:11: Error [IST0101] (VirtualService default/reviews) referenced host not found: \"x\"");
}

TEST(ToText, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ(to_text(Diagnostic{Level::kWarning, "", "odd", "", "", {}, ""}), "Warning odd");
  EXPECT_EQ(to_text(Diagnostic{Level::kInfo, "X", "odd", "", "f", {}, ""}), "f: Info [X] odd");
  EXPECT_EQ(to_text(Diagnostic{Level::kInfo, "X", "odd", "", "f", {3, 0}, ""}), "f:3: Info [X] odd");
}

TEST(ToText, NeverWritesControlBytes) {
  Diagnostic bad = sample();
  bad.message = "a\x1b[31mb\nc\x7f";
  EXPECT_EQ(to_text(bad).find_first_of("\x1b\n\x7f"), std::string::npos);
}

TEST(ToTextWithSource, PointsAtTheColumn) {
  EXPECT_EQ(to_text_with_source(sample(), "    host: reviews\r\n"),
            "a.yaml:14:11: Error [IST0101] (VirtualService default/reviews) referenced host not found: \"x\"\n"
            "      host: reviews\n"
            "            ^\n"
            "  hint: did you mean y?\n");
}

TEST(ToTextWithSource, CountsCharactersAndKeepsTabs) {
  Diagnostic at = sample();
  at.at = {1, 5};
  EXPECT_NE(to_text_with_source(at, "\xc3\xa4\tb c").find("\n   \t ^\n"), std::string::npos);
}

TEST(ToTextWithSource, HasNoCaretWithoutLineOrColumn) {
  Diagnostic at = sample();
  EXPECT_EQ(to_text_with_source(at, "").find('^'), std::string::npos);
  at.at.column = 0;
  EXPECT_EQ(to_text_with_source(at, "abc").find('^'), std::string::npos);
}

TEST(ToTextWithSource, CutsLongLinesAndSurvivesAColumnBehindTheEnd) {
  Diagnostic at = sample();
  at.at.column = 5000;
  const std::string text = to_text_with_source(at, std::string(10'000, 'x'));
  EXPECT_LT(text.size(), 600U);
  EXPECT_NE(text.find('^'), std::string::npos);
  EXPECT_NE(to_text_with_source(at, "short").find("       ^"), std::string::npos);
}

TEST(HasErrors, LooksAtLevels) {
  EXPECT_FALSE(has_errors({}));
  EXPECT_FALSE(has_errors({{Level::kWarning, "", "", "", "", {}, ""}, {Level::kInfo, "", "", "", "", {}, ""}}));
  EXPECT_TRUE(has_errors({{Level::kWarning, "", "", "", "", {}, ""}, {Level::kError, "", "", "", "", {}, ""}}));
}

}  // namespace
}  // namespace weir::config
