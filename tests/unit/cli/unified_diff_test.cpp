#include "cli/unified_diff.h"

#include <gtest/gtest.h>

namespace weir::cli {
namespace {

TEST(UnifiedDiff, SameTextsAreEmpty) {
  EXPECT_EQ(unified_diff("", "", "a", "b"), "");
  EXPECT_EQ(unified_diff("x\n", "x\n", "a", "b"), "");
}

TEST(UnifiedDiff, OneLineChanged) {
  EXPECT_EQ(unified_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n", "a/f", "b/f"),
            "--- a/f\n+++ b/f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

TEST(UnifiedDiff, NewAndGoneFile) {
  EXPECT_EQ(unified_diff("", "x\ny\n", "/dev/null", "b/f"), "--- /dev/null\n+++ b/f\n@@ -0,0 +1,2 @@\n+x\n+y\n");
  EXPECT_EQ(unified_diff("x\n", "", "a/f", "/dev/null"), "--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n");
}

TEST(UnifiedDiff, DistantChangesAreTwoHunks) {
  std::string before, after;
  for (int i = 1; i <= 30; ++i) {
    before += std::to_string(i) + "\n";
    after += (i == 3 || i == 25 ? "x" : std::to_string(i)) + "\n";
  }
  const auto diff = unified_diff(before, after, "a", "b");
  EXPECT_NE(diff.find("@@ -1,6 +1,6 @@"), std::string::npos) << diff;
  EXPECT_NE(diff.find("@@ -22,7 +22,7 @@"), std::string::npos) << diff;
}

TEST(UnifiedDiff, NearChangesAreOneHunk) {
  const auto diff = unified_diff("1\n2\n3\n4\n5\n6\n7\n", "x\n2\n3\n4\n5\n6\ny\n", "a", "b");
  EXPECT_EQ(diff.find("@@", diff.find("@@ -1,7 +1,7 @@") + 15), std::string::npos) << diff;
}

TEST(UnifiedDiff, LineEndAtTheEndOfTheFileAlone) {
  EXPECT_NE(unified_diff("x\ny\n", "x\n", "a", "b"), "");
}

TEST(UnifiedDiff, HugeTextsEndInTime) {
  std::string before, after;
  for (int i = 0; i < 20000; ++i) {
    before += "a" + std::to_string(i) + "\n";
    after += "b" + std::to_string(i) + "\n";
  }
  EXPECT_GT(unified_diff(before, after, "a", "b").size(), before.size());
}

}  // namespace
}  // namespace weir::cli
