#include "proxy/route.h"

#include <gtest/gtest.h>

namespace weir::proxy {
namespace {

config::HttpMatch path(config::StringMatch::Type type, std::string value) {
  config::HttpMatch match;
  match.uri = config::StringMatch{type, std::move(value), {}};
  return match;
}

/// A list and the rules that its index goes by.
struct Made {
  std::vector<std::unique_ptr<routing::HttpRule>> rules;
  RouteList list;
};

Made list_of(const std::vector<std::vector<config::HttpMatch>>& routes) {
  Made made;
  std::vector<routing::AppliedHttpRule> applied;
  for (const auto& matches : routes) {
    routing::HttpRule& rule = *made.rules.emplace_back(std::make_unique<routing::HttpRule>());
    for (const auto& match : matches)
      rule.match.emplace_back().matcher =
          std::make_shared<const routing::HttpMatcher>(*routing::HttpMatcher::compile(match));
    routing::AppliedHttpRule entry{&rule, {}, matches.empty()};
    for (const auto& match : rule.match) entry.match.push_back(&match);
    applied.push_back(std::move(entry));
    Route route;
    route.name = std::to_string(made.list.routes.size());
    made.list.routes.push_back(std::move(route));
  }
  made.list.index = routing::RuleIndex(applied);
  return made;
}

std::string taken(const Made& made, std::string_view target) {
  routing::RequestView view{};
  view.method = "GET";
  view.set_target(target);
  const MatchedRoute matched = find_route(made.list, view);
  if (matched.route == nullptr) return "none";
  return matched.route->name + (matched.uri == nullptr ? "" : " by " + matched.uri->value());
}

TEST(Route, FirstMatchWinsAndEntriesAreAlternatives) {
  using Type = config::StringMatch::Type;
  const Made list = list_of({{path(Type::kExact, "/a"), path(Type::kPrefix, "/b")}, {path(Type::kPrefix, "/")}});
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
