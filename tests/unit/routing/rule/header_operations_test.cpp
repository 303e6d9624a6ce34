#include "routing/rule/header_operations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::routing {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using Operations = config::HeaderOperations;

RequestView request_view() {
  RequestView view{"GET", "http", "web", {}, {}, {}, {}};
  view.set_target("/a?b=c");
  return view;
}

HeaderPlan compile(const Operations& route, const Operations& destination, bool only_destination) {
  auto plan = HeaderPlan::compile(route, destination, only_destination);
  EXPECT_TRUE(plan.has_value()) << (plan ? "" : plan.error().message);
  return std::move(plan).value();
}

HeaderList applied(const HeaderPlan& plan, HeaderList headers) {
  const RequestView view = request_view();
  plan.apply(headers, {view, headers, "10.0.0.9"});
  return headers;
}

/// effect() must come to what apply() does.
void expect_same(const HeaderPlan& plan, const HeaderList& headers) {
  const RequestView view = request_view();
  const HeaderEffect effect = plan.effect({view, headers, "10.0.0.9"}, true);
  HeaderPlan same;
  Operations operations;
  operations.remove = effect.remove;
  for (const auto& field : effect.set) operations.set.push_back(field);
  for (const auto& field : effect.add) operations.add.push_back(field);
  auto values = [](const HeaderList& list) {
    std::map<std::string, std::string> joined;
    for (const auto& [name, value] : list) joined[name] += (joined[name].empty() ? "" : ",") + value;
    return joined;
  };
  EXPECT_EQ(values(applied(compile(operations, {}, true), headers)), values(applied(plan, headers)));
}

TEST(HeaderPlanTest, RemoveComesBeforeSetAndAdd) {
  Operations route;
  route.set = {{"x-a", "1"}};
  route.add = {{"x-b", "1"}};
  route.remove = {"x-a", "x-b"};
  const HeaderPlan plan = compile(route, {}, true);
  EXPECT_THAT(applied(plan, {{"x-a", "0"}, {"x-b", "0"}}), ElementsAre(Pair("x-a", "1"), Pair("x-b", "1")));
  expect_same(plan, {{"x-a", "0"}, {"x-b", "0"}});
}

TEST(HeaderPlanTest, OneDestinationIsAppendedToTheRoute) {
  Operations route, destination;
  route.set = {{"x-set", "r"}, {"x-a", "r"}};
  route.add = {{"x-add", "r"}};
  destination.set = {{"x-set", "d"}};
  destination.add = {{"x-add", "d"}};
  destination.remove = {"x-a"};
  const HeaderPlan plan = compile(route, destination, true);
  EXPECT_THAT(
      applied(plan, {{"x-set", "in"}, {"x-add", "in"}}),
      ElementsAre(Pair("x-set", "d"), Pair("x-add", "in"), Pair("x-a", "r"), Pair("x-add", "r"), Pair("x-add", "d")));
  expect_same(plan, {{"x-set", "in"}, {"x-add", "in"}});
}

TEST(HeaderPlanTest, SeveralDestinationsGoFirstAndTheRouteWins) {
  Operations route, destination;
  route.set = {{"x-set", "r"}, {"x-a", "r"}};
  route.add = {{"x-add", "r"}};
  route.remove = {"x-d"};
  destination.set = {{"x-set", "d"}, {"x-d", "d"}};
  destination.add = {{"x-add", "d"}};
  destination.remove = {"x-a", "x-gone"};
  const HeaderPlan plan = compile(route, destination, false);
  EXPECT_THAT(
      applied(plan, {{"x-gone", "1"}, {"x-add", "in"}}),
      ElementsAre(Pair("x-add", "in"), Pair("x-set", "r"), Pair("x-add", "d"), Pair("x-a", "r"), Pair("x-add", "r")));
  expect_same(plan, {{"x-gone", "1"}, {"x-add", "in"}, {"x-d", "in"}});
}

TEST(HeaderPlanTest, SetReplacesAllFieldsOfTheName) {
  Operations route;
  route.set = {{"X-SET", "r"}};
  EXPECT_THAT(applied(compile(route, {}, true), {{"x-set", "1"}, {"x-other", "o"}, {"X-Set", "2"}}),
              ElementsAre(Pair("x-set", "r"), Pair("x-other", "o")));
}

TEST(HeaderPlanTest, AnEmptyValueChangesNothing) {
  Operations route;
  route.set = {{"x-in", ""}, {"x-h", "%REQ(X-MISSING)%"}};
  route.add = {{"x-empty", ""}};
  const HeaderPlan plan = compile(route, {}, true);
  EXPECT_THAT(applied(plan, {{"x-in", "in"}}), ElementsAre(Pair("x-in", "in")));
  expect_same(plan, {{"x-in", "in"}});
}

TEST(HeaderPlanTest, FormatStringsSeeWhatTheRemovesLeft) {
  Operations route;
  route.remove = {"x-old"};
  route.set = {{"x-new", "%REQ(X-OLD)%"}, {"x-keep", "%REQ(X-KEEP)%2"}};
  const HeaderPlan plan = compile(route, {}, true);
  EXPECT_THAT(applied(plan, {{"x-old", "1"}, {"x-keep", "k"}}), ElementsAre(Pair("x-keep", "k2")));
  expect_same(plan, {{"x-old", "1"}, {"x-keep", "k"}});
}

TEST(HeaderPlanTest, HostIsARewriteAndTheRouteWins) {
  Operations route, destination;
  destination.add = {{"Host", "add.example.com"}};
  destination.set = {{":authority", "d.example.com"}};
  EXPECT_EQ(compile(route, destination, true).authority(), "d.example.com");
  EXPECT_TRUE(applied(compile(route, destination, true), {}).empty());
  route.set = {{"host", "r.example.com"}};
  EXPECT_EQ(compile(route, destination, true).authority(), "r.example.com");
  EXPECT_EQ(compile(route, destination, false).authority(), "r.example.com");
}

struct FormatCase {
  const char *format, *expected;
};

TEST(HeaderFormatTest, Formats) {
  const FormatCase cases[] = {
      {"plain", "plain"},
      {"100%%", "100%"},
      {"%%%%", "%%"},
      {"%REQ(:METHOD)%", "GET"},
      {"%REQ(:PATH)%", "/a?b=c"},
      {"%REQ(:AUTHORITY)% %REQ(:SCHEME)%", "web http"},
      {"<%REQ(X-In)%>", "<in>"},
      {"%REQ(X-MISSING)%", ""},
      {"a-%REQ(X-MISSING)%", "a-"},
      {"%REQ(X-MISSING?:METHOD)%", "GET"},
      {"%REQ(X-IN?:METHOD)%", "in"},
      {"%REQ(X-IN):1%", "i"},
      {"%PROTOCOL%", "HTTP/1.1"},
      {"%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "10.0.0.9"},
  };
  const RequestView view = request_view();
  const HeaderList headers = {{"x-in", "in"}};
  for (const FormatCase& test : cases) {
    const auto format = HeaderFormat::parse(test.format);
    ASSERT_TRUE(format.has_value()) << test.format << ": " << format.error().message;
    EXPECT_EQ(format->format({view, headers, "10.0.0.9"}), test.expected) << test.format;
  }
}

TEST(HeaderFormatTest, RefusesWhatItCannotHonour) {
  for (const char* bad :
       {"%", "50%", "%%%", "a % b", "%START_TIME%", "%REQ%", "%REQ()%", "%REQ(x%", "%REQ(x):%", "%REQ(x):a%",
        "%REQ(x)y%", "% REQ(x)%", "%UPSTREAM_METADATA([\"a\"])%", "%REQ(x):99999999999999999999%"}) {
    EXPECT_FALSE(HeaderFormat::parse(bad).has_value()) << bad;
  }
  Operations route;
  route.set = {{"X-Bad", "50%"}};
  const auto plan = HeaderPlan::compile(route, {}, true);
  ASSERT_FALSE(plan.has_value());
  EXPECT_THAT(plan.error().message, HasSubstr("header X-Bad: a lone '%'"));
}

}  // namespace
}  // namespace weir::routing
