#include "proxy/cursors.h"

#include <gtest/gtest.h>

namespace weir::proxy {
namespace {

TEST(Cursors, StartAtPhasesOfTheirOwnAndGoOn) {
  Cursors here("node-a"), there("node-b");
  const auto reviews = here.get("reviews");
  EXPECT_NE(reviews->phase(), here.get("ratings")->phase());
  EXPECT_NE(reviews->phase(), there.get("reviews")->phase());
  EXPECT_EQ(reviews->next(), 0U);
  EXPECT_EQ(reviews->next(), 1U);
  EXPECT_EQ(here.get("reviews"), reviews);
  here.sweep();
  EXPECT_EQ(here.get("reviews"), reviews) << "somebody holds it";
}

TEST(Cursors, PicksAreNumberedAnewWhenTheWeightsChange) {
  Cursor cursor(7);
  EXPECT_EQ(cursor.start_of(111), 0U);
  for (int count = 0; count < 10; ++count) cursor.next();
  EXPECT_EQ(cursor.start_of(111), 0U) << "the same weights, compiled by another loop";
  EXPECT_EQ(cursor.start_of(222), 10U);
  cursor.next();
  EXPECT_EQ(cursor.start_of(222), 10U);
  EXPECT_EQ(cursor.start_of(111), 11U);
}

}  // namespace
}  // namespace weir::proxy
