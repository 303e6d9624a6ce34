#include "routing/rule/request_view.h"

#include <gtest/gtest.h>

namespace weir::routing {
namespace {

TEST(RequestViewTest, SplitsTheTargetAtTheFirstQuestionMark) {
  RequestView view;
  view.set_target("/a?b?c");
  EXPECT_EQ(view.path, "/a");
  EXPECT_EQ(view.query, "b?c");
  view.set_target("/a");
  EXPECT_EQ(view.path, "/a");
  EXPECT_EQ(view.query, "");
  view.set_target("");
  EXPECT_EQ(view.path, "");
}

TEST(RequestViewTest, NamesIgnoreCase) {
  const HeaderField fields[] = {{"Content-Type", "a"}, {"x", "1"}, {"X", "2"}};
  ASSERT_NE(find_header(fields, "content-type"), nullptr);
  EXPECT_EQ(find_header(fields, "X")->value, "1");
  EXPECT_EQ(find_header(fields, "y"), nullptr);
  EXPECT_EQ(find_header({}, "y"), nullptr);
  EXPECT_TRUE(equal_ignoring_case("aZ@[", "Az@["));
  EXPECT_FALSE(equal_ignoring_case("@", "`"));
  EXPECT_FALSE(starts_with_ignoring_case("a", "ab"));
}

TEST(RequestViewTest, SchemeIsTheForwardedOneOnlyWhereItIsOne) {
  EXPECT_EQ(effective_scheme("HTTPS", false), "https");
  EXPECT_EQ(effective_scheme("http", true), "http");
  EXPECT_EQ(effective_scheme("", false), "http");
  EXPECT_EQ(effective_scheme("", true), "https");
  EXPECT_EQ(effective_scheme("ftp", false), "http");
}

}  // namespace
}  // namespace weir::routing
