#include "proxy/cursors.h"

#include <gtest/gtest.h>

namespace weir::proxy {
namespace {

TEST(Cursors, StartAtPhasesOfTheirOwnAndGoOn) {
  Cursors here("node-a"), there("node-b");
  const auto reviews = here.get("reviews");
  EXPECT_NE(reviews->load(), here.get("ratings")->load());
  EXPECT_NE(reviews->load(), there.get("reviews")->load());
  reviews->fetch_add(5);
  EXPECT_EQ(here.get("reviews"), reviews);
  here.sweep();
  EXPECT_EQ(here.get("reviews"), reviews) << "somebody holds it";
}

}  // namespace
}  // namespace weir::proxy
