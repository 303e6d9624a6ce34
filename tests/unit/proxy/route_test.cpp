#include "proxy/route.h"

#include <gtest/gtest.h>

namespace weir::proxy {
namespace {

std::shared_ptr<const routing::HttpMatcher> matcher(const config::HttpMatch& match) {
  auto compiled = routing::HttpMatcher::compile(match);
  EXPECT_TRUE(compiled);
  return std::make_shared<const routing::HttpMatcher>(std::move(*compiled));
}

config::HttpMatch path(config::StringMatch::Type type, std::string value) {
  config::HttpMatch match;
  match.uri = config::StringMatch{type, std::move(value), {}};
  return match;
}

RouteList list_of(std::vector<std::vector<config::HttpMatch>> routes) {
  RouteList list;
  for (const auto& matches : routes) {
    Route route;
    route.name = std::to_string(list.routes.size());
    for (const auto& match : matches) route.matchers.push_back(matcher(match));
    list.routes.push_back(std::move(route));
  }
  return list;
}

std::string taken(const RouteList& list, std::string_view target) {
  routing::RequestView view{};
  view.method = "GET";
  view.set_target(target);
  const MatchedRoute matched = find_route(list, view);
  if (matched.route == nullptr) return "none";
  return matched.route->name + (matched.uri == nullptr ? "" : " by " + matched.uri->value());
}

TEST(Route, FirstMatchWinsAndEntriesAreAlternatives) {
  using Type = config::StringMatch::Type;
  const RouteList list = list_of({{path(Type::kExact, "/a"), path(Type::kPrefix, "/b")}, {path(Type::kPrefix, "/")}});
  EXPECT_EQ(taken(list, "/a"), "0 by /a");
  EXPECT_EQ(taken(list, "/b/c"), "0 by /b");
  EXPECT_EQ(taken(list, "/a/"), "1 by /");
}

TEST(Route, NoMatchAndNoConditions) {
  using Type = config::StringMatch::Type;
  EXPECT_EQ(taken(list_of({{path(Type::kExact, "/a")}}), "/b"), "none");
  EXPECT_EQ(taken(list_of({}), "/b"), "none");
  EXPECT_EQ(taken(list_of({{}}), "/b"), "0");
  EXPECT_EQ(taken(list_of({{config::HttpMatch()}}), "/b"), "0")
      << "an entry without conditions holds, and names no path";
}

}  // namespace
}  // namespace weir::proxy
