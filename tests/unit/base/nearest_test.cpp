#include "base/nearest.h"

#include <gtest/gtest.h>

#include <vector>

namespace weir {
namespace {

const std::vector<std::string> kKnown = {"analyze", "apply", "explain", "get", "status", "weight", "version"};

TEST(Nearest, Typos) {
  EXPECT_EQ(nearest("analize", kKnown), "analyze");
  EXPECT_EQ(nearest("aplly", kKnown), "apply");
  EXPECT_EQ(nearest("exlpain", kKnown), "explain");
  EXPECT_EQ(nearest("gte", kKnown), "get");
  EXPECT_EQ(nearest("STATUS", kKnown), "status");
  EXPECT_EQ(nearest("vers", kKnown), "version");
}

TEST(Nearest, NothingNear) {
  for (const char* word : {"", "x", "xyzzy", "kubernetes", "!!"}) EXPECT_EQ(nearest(word, kKnown), "") << word;
  EXPECT_EQ(nearest("get", {}), "");
}

TEST(Nearest, EndlessWordEndsInTime) {
  EXPECT_EQ(nearest(std::string(1'000'000, 'a'), kKnown), "");
}

}  // namespace
}  // namespace weir
