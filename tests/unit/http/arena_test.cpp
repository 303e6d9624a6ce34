#include "http/arena.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::http {
namespace {

TEST(Arena, NothingIsAllocatedBeforeTheFirstByte) {
  EXPECT_EQ(Arena().capacity(), 0U);
}

TEST(Arena, ViewsSurviveGrowth) {
  Arena arena;
  const std::string long_text(5000, 'x');
  const std::string_view first = arena.copy("first");
  const std::string_view second = arena.copy(long_text);
  const std::string_view third = arena.copy("third");
  EXPECT_EQ(first, "first");
  EXPECT_EQ(second, long_text);
  EXPECT_EQ(third, "third");
}

TEST(Arena, TokenInPiecesIsOneEvenAcrossBlocks) {
  Arena arena;
  arena.copy(std::string(1000, 'a'));
  arena.begin();
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    arena.append("piece", 5);
    expected += "piece";
  }
  EXPECT_EQ(arena.token(), expected);
  EXPECT_EQ(arena.end(), expected);
}

TEST(Arena, AppendLowerChangesLettersOnly) {
  Arena arena;
  arena.begin();
  arena.append_lower("X-AZ@[`{\xc0\xda", 10);
  EXPECT_EQ(arena.end(), "x-az@[`{\xc0\xda");
}

TEST(Arena, DiscardForgetsTheTokenOnly) {
  Arena arena;
  const std::string_view kept = arena.copy("kept");
  arena.begin();
  arena.append("gone", 4);
  arena.discard();
  EXPECT_TRUE(arena.token().empty());
  EXPECT_EQ(arena.copy("next").data(), kept.data() + kept.size());
}

TEST(Arena, EmptyTokenIsEmpty) {
  Arena arena;
  arena.begin();
  EXPECT_EQ(arena.end(), "");
  EXPECT_EQ(arena.copy(""), "");
}

TEST(Arena, SteadyStateAllocatesNothing) {
  Arena arena;
  const std::string head(3000, 'h');
  arena.copy(head);
  arena.reset();
  const std::size_t capacity = arena.capacity();
  const char* first = arena.copy(head).data();
  for (int i = 0; i < 100; ++i) {
    arena.reset();
    EXPECT_EQ(arena.copy(head).data(), first);
  }
  EXPECT_EQ(arena.capacity(), capacity);
}

TEST(Arena, AHugeBlockIsNotKept) {
  Arena arena;
  arena.copy(std::string(30'000, 'h'));
  arena.reset();
  EXPECT_EQ(arena.capacity(), 0U);
}

TEST(Arena, ReleaseGivesEverythingBack) {
  Arena arena;
  arena.copy("text");
  arena.release();
  EXPECT_EQ(arena.capacity(), 0U);
  EXPECT_EQ(arena.copy("again"), "again");
}

}  // namespace
}  // namespace weir::http
