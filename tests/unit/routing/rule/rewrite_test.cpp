#include "routing/rule/rewrite.h"

#include <gtest/gtest.h>

namespace weir::routing {
namespace {

using Type = config::StringMatch::Type;

struct Case {
  Type type;
  const char *uri, *rewrite, *target, *expected;
};

// istio-facts 29, the oracle's case "rewrite".
TEST(RewriteTest, ReplacesWhatMatched) {
  const Case cases[] = {
      {Type::kPrefix, "/pp", "/new", "/pp/", "/new/"},      {Type::kPrefix, "/pp", "/new", "/pp/a?x=1", "/new/a?x=1"},
      {Type::kPrefix, "/pp", "/new", "/ppx", "/newx"},      {Type::kPrefix, "/ps/", "/new", "/ps/", "/new"},
      {Type::kPrefix, "/ps/", "/new", "/ps/a", "/newa"},    {Type::kPrefix, "/pr", "/", "/pr", "/"},
      {Type::kPrefix, "/pr", "/", "/pr/a", "//a"},          {Type::kPrefix, "/pt", "/new/", "/pt/a", "/new//a"},
      {Type::kPrefix, "", "/new", "/a", "/new/a"},          {Type::kExact, "/ex", "/new", "/ex", "/new"},
      {Type::kExact, "/ex", "/new", "/ex?x=1", "/new?x=1"}, {Type::kRegex, "/rx.*", "/new", "/rx/a/b?y", "/new?y"},
  };
  for (const Case& test : cases) {
    const auto uri = StringMatcher::compile({test.type, test.uri, {}});
    config::HttpRewrite rewrite;
    rewrite.uri = test.rewrite;
    const auto rewriter = Rewriter::compile(rewrite);
    ASSERT_TRUE(uri.has_value() && rewriter.has_value());
    EXPECT_EQ(rewriter->target(test.target, &*uri), test.expected) << test.uri << " " << test.target;
  }
}

TEST(RewriteTest, WithoutUriConditionThePrefixIsTheSlash) {
  config::HttpRewrite rewrite;
  rewrite.uri = "/dflt";
  const auto rewriter = Rewriter::compile(rewrite);
  ASSERT_TRUE(rewriter.has_value());
  EXPECT_EQ(rewriter->target("/", nullptr), "/dflt");
  EXPECT_EQ(rewriter->target("/anything?x=1", nullptr), "/dfltanything?x=1");
}

struct RegexCase {
  const char *match, *rewrite, *target, *expected;
};

TEST(RewriteTest, RegexReplacesEveryOccurrenceInThePathOnly) {
  const RegexCase cases[] = {
      {"^/service/([^/]+)(/.*)$", "\\2/instance/\\1", "/service/foo/v1?x=/service/a/b",
       "/v1/instance/foo?x=/service/a/b"},
      {"^/service/([^/]+)(/.*)$", "\\2/instance/\\1", "/service/foo", "/service/foo"},
      {"a", "b", "/aabaa?a=a", "/bbbbb?a=a"},
      {"zzz", "b", "/nm/a", "/nm/a"},
      {".*", "\\0", "/x", "/x"},
  };
  for (const RegexCase& test : cases) {
    config::HttpRewrite rewrite;
    rewrite.uri_regex = config::RegexRewrite{test.match, test.rewrite};
    const auto rewriter = Rewriter::compile(rewrite);
    ASSERT_TRUE(rewriter.has_value()) << rewriter.error().message;
    EXPECT_EQ(rewriter->target(test.target, nullptr), test.expected) << test.match;
  }
}

TEST(RewriteTest, AuthorityAlonePathKept) {
  config::HttpRewrite rewrite;
  rewrite.authority = "new.example.com:8080";
  const auto rewriter = Rewriter::compile(rewrite);
  ASSERT_TRUE(rewriter.has_value());
  EXPECT_EQ(rewriter->authority(), "new.example.com:8080");
  EXPECT_EQ(rewriter->target("/a?b", nullptr), "/a?b");
}

TEST(RewriteTest, RefusesWhatCannotWork) {
  const auto message = [](const char* uri, const char* match, const char* substitution) {
    config::HttpRewrite rewrite;
    rewrite.uri = uri;
    rewrite.uri_regex = config::RegexRewrite{match, substitution};
    const auto result = Rewriter::compile(rewrite);
    return result ? std::string("accepted") : result.error().message;
  };
  EXPECT_NE(message("", "(", "x").find("missing )"), std::string::npos);
  EXPECT_NE(message("", "a", "\\1").find("\\1"), std::string::npos);
  EXPECT_NE(message("", "a", "\\").find("rewrite"), std::string::npos);
  EXPECT_NE(message("/x", "a", "b").find("exclude"), std::string::npos);
}

}  // namespace
}  // namespace weir::routing
