#include "routing/rule/match.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::routing {
namespace {

using Type = config::StringMatch::Type;

config::StringMatch exact(std::string value) {
  return {Type::kExact, std::move(value), {}};
}
config::StringMatch prefix(std::string value) {
  return {Type::kPrefix, std::move(value), {}};
}
config::StringMatch regex(std::string value) {
  return {Type::kRegex, std::move(value), {}};
}
config::StringMatch present() {
  return {};
}

struct TestRequest {
  std::string method = "GET", scheme = "http", authority = "web", target = "/";
  std::vector<HeaderField> headers;
  [[nodiscard]] RequestView view() const {
    RequestView view{method, scheme, authority, {}, {}, {}, headers};
    view.set_target(target);
    return view;
  }
};

HttpMatcher compile(const config::HttpMatch& match) {
  auto matcher = HttpMatcher::compile(match);
  EXPECT_TRUE(matcher.has_value()) << (matcher ? "" : matcher.error().message);
  return std::move(matcher).value();
}

std::string why(const config::HttpMatch& match, const TestRequest& request) {
  std::string text;
  EXPECT_FALSE(compile(match).matches(request.view(), &text));
  return text;
}

// ---------------------------------------------------------------- strings

struct StringCase {
  config::StringMatch match;
  bool ignore_case;
  const char* text;
  bool expected;
};

TEST(StringMatcherTest, ComparesAsIstioDoes) {
  const StringCase cases[] = {
      {exact("/a"), false, "/a", true},
      {exact("/a"), false, "/a/", false},
      {exact("/a"), false, "/A", false},
      {exact("/a"), true, "/A", true},
      {exact("/a"), true, "/Ab", false},
      {exact(""), false, "", true},
      {exact(""), false, "x", false},
      {prefix("/p"), false, "/px", true},
      {prefix("/p"), false, "/", false},
      {prefix("/p"), false, "/P", false},
      {prefix("/p"), true, "/Px", true},
      {prefix("/p/"), true, "/P", false},
      {prefix(""), false, "", true},
      {regex("a.c"), false, "abc", true},
      {regex("a.c"), false, "xabc", false},
      {regex("a.c"), false, "abcd", false},
      {regex("a|b"), false, "ab", false},
      {regex("(?i)a"), false, "A", true},
      {regex("/re[0-9]*"), true, "/RE1", false},
      {regex(".*"), false, "", true},
      {present(), false, "", true},
      {present(), false, "x", true},
      {regex("a$"), false, "a\n", false},
      {regex("a?"), false, "one", false},
  };
  for (const StringCase& test : cases) {
    const auto matcher = StringMatcher::compile(test.match, test.ignore_case);
    ASSERT_TRUE(matcher.has_value());
    EXPECT_EQ(matcher->matches(test.text), test.expected) << matcher->to_text() << " against " << test.text;
  }
}

TEST(StringMatcherTest, RefusesRegexesThatIstioRefuses) {
  for (const std::string& bad :
       {std::string(""), std::string("("), std::string("*"), std::string("a**"), std::string("[z-a]"),
        std::string("\\"), std::string("(?<=a)b"), std::string(1025, 'a'), std::string("a{1001}")}) {
    EXPECT_FALSE(StringMatcher::compile(regex(bad)).has_value()) << bad.substr(0, 20);
  }
  EXPECT_TRUE(StringMatcher::compile(regex(std::string(1024, 'a'))).has_value());
}

// ---------------------------------------------------------------- headers (istio-facts 2-5, 9)

struct HeaderCase {
  const char* name;
  config::StringMatch match;
  bool without;
  std::vector<HeaderField> sent;
  bool expected;
};

const std::vector<HeaderField> kNone;
const std::vector<HeaderField> kOneTwo = {{"x-e", "One"}, {"x-e", "Two"}};
const std::vector<HeaderField> kGoodBad = {{"x-e", "good"}, {"x-e", "bad"}};

TEST(HttpMatcherTest, HeadersAsInTheOracle) {
  const HeaderCase cases[] = {
      {"x-e", present(), false, kNone, false},
      {"x-e", present(), false, {{"X-E", ""}}, true},
      {"x-e", exact("One"), false, kOneTwo, true},
      {"x-e", exact("Two"), false, kOneTwo, true},
      {"x-e", exact("One,Two"), false, kOneTwo, false},
      {"x-e", exact("One"), false, {{"x-e", "One,Two"}}, false},
      {"x-e", exact("One"), false, {{"x-e", "one"}}, false},
      {"X-E", exact("One"), false, {{"x-e", "One"}}, true},
      {"x-e", exact(""), false, kNone, false},
      {"x-e", exact(""), false, {{"x-e", ""}}, true},
      {"x-e", regex(".*"), false, kNone, false},
      {"x-e", regex(".*"), false, {{"x-e", ""}}, true},
      {"x-e", prefix("One"), false, {{"x-e", "OneMore"}}, true},
      {"x-e", present(), true, kNone, true},
      {"x-e", present(), true, {{"x-e", ""}}, false},
      {"x-e", exact("bad"), true, kNone, true},
      {"x-e", exact("bad"), true, {{"x-e", "good"}}, true},
      {"x-e", exact("bad"), true, kGoodBad, false},
      {"x-e", exact("good"), true, kGoodBad, false},
      {"x-e", prefix("bad"), true, {{"x-e", "badder"}}, false},
      {"x-e", regex("bad.*"), true, kNone, true},
      {"x-e", regex(".*"), true, kNone, false},
      {"x-e", regex(".*"), true, {{"x-e", "x"}}, false},
      {"x-e", exact(""), true, kNone, false},
      {":method", exact("GET"), false, kNone, true},
      {":method", exact("DELETE"), false, kNone, false},
      {":path", exact("/"), false, kNone, true},
      {":scheme", exact("http"), false, kNone, true},
      {":authority", exact("web"), false, kNone, true},
      {"Host", exact("web"), false, kNone, true},
      {"host", exact("web:80"), false, kNone, false},
      {":status", present(), false, kNone, false},
      {":status", present(), true, kNone, true},
      {"x-forwarded-proto", exact("http"), false, kNone, true},
      {"x-forwarded-proto", exact("ftp"), false, {{"x-forwarded-proto", "ftp"}}, true},
  };
  for (const HeaderCase& test : cases) {
    config::HttpMatch match;
    (test.without ? match.without_headers : match.headers).emplace(test.name, test.match);
    TestRequest request;
    request.headers = test.sent;
    std::string why_not;
    EXPECT_EQ(compile(match).matches(request.view(), &why_not), test.expected) << test.name << ": " << why_not;
    EXPECT_EQ(why_not.empty(), test.expected);
  }
}

TEST(HttpMatcherTest, JoinsCookiesAndLists) {
  config::HttpMatch match;
  match.headers.emplace("cookie", regex("^(.*?;)?( ?user=jason)(;.*)?$"));
  TestRequest request;
  request.headers = {{"cookie", "a=b"}, {"Cookie", "user=jason"}, {"cookie", "c=d"}};
  EXPECT_TRUE(compile(match).matches(request.view()));
  match.headers = {{"cookie", exact("a=b; user=jason; c=d")}};
  EXPECT_TRUE(compile(match).matches(request.view()));
  match.headers = {{"cookie", exact("a=b")}};
  EXPECT_FALSE(compile(match).matches(request.view()));
  match.headers = {{"via", exact("1.1 a,1.1 b")}};
  request.headers = {{"via", "1.1 a"}, {"via", "1.1 b"}};
  EXPECT_TRUE(compile(match).matches(request.view()));
}

TEST(HttpMatcherTest, AllConditionsMustHold) {
  config::HttpMatch match;
  match.uri = prefix("/both");
  match.headers = {{"x-a", exact("1")}, {"x-b", exact("2")}};
  TestRequest request;
  request.target = "/both?x=1";
  request.headers = {{"x-a", "1"}};
  EXPECT_FALSE(compile(match).matches(request.view()));
  request.headers.push_back({"x-b", "2"});
  EXPECT_TRUE(compile(match).matches(request.view()));
  request.target = "/other";
  EXPECT_FALSE(compile(match).matches(request.view()));
}

// ---------------------------------------------------------------- uri, authority, scheme, method

TEST(HttpMatcherTest, TheQueryTakesNoPartInUri) {
  config::HttpMatch match;
  match.uri = regex("/rq\\?x=1");
  TestRequest request;
  request.target = "/rq?x=1";
  EXPECT_FALSE(compile(match).matches(request.view()));
  match.uri = exact("/rq");
  EXPECT_TRUE(compile(match).matches(request.view()));
}

TEST(HttpMatcherTest, AuthorityIsTheRawHost) {
  config::HttpMatch match;
  match.authority = exact("web");
  TestRequest request;
  EXPECT_TRUE(compile(match).matches(request.view()));
  for (const char* host : {"web:80", "WEB", "web.default", ""}) {
    request.authority = host;
    EXPECT_FALSE(compile(match).matches(request.view())) << host;
  }
}

TEST(HttpMatcherTest, MethodIsCaseSensitive) {
  config::HttpMatch match;
  match.method = exact("put");
  TestRequest request;
  request.method = "PUT";
  EXPECT_FALSE(compile(match).matches(request.view()));
}

// ---------------------------------------------------------------- queryParams (istio-facts 7)

struct QueryCase {
  config::StringMatch match;
  const char* target;
  bool expected;
};

TEST(HttpMatcherTest, QueryParamsAsInTheOracle) {
  const QueryCase cases[] = {
      {exact("1"), "/e", false},         {exact("1"), "/e?a=1", true},      {exact("1"), "/e?a=1&a=2", true},
      {exact("1"), "/e?a=2&a=1", false}, {exact("1"), "/e?b=0&a=1", true},  {exact("1"), "/e?a=%31", false},
      {exact("1"), "/e?%61=1", false},   {exact("1"), "/e?a=1;b=2", false}, {exact("1"), "/e?a=", false},
      {exact("1"), "/e?xa=1", false},    {exact("1"), "/e?a=1+", false},    {exact(""), "/m?a", true},
      {exact(""), "/m?a=", true},        {exact(""), "/m?b", false},        {present(), "/x?a", true},
      {present(), "/x?", false},         {present(), "/x?b&&a=1", true},    {regex("[0-9]+"), "/r?a=12", true},
      {regex("[0-9]+"), "/r?a=", false}, {prefix("ab"), "/p?a=a", false},   {exact("b=c"), "/p?a=b=c", true},
  };
  for (const QueryCase& test : cases) {
    config::HttpMatch match;
    match.query_params.emplace("a", test.match);
    TestRequest request;
    request.target = test.target;
    EXPECT_EQ(compile(match).matches(request.view()), test.expected) << test.target;
  }
}

// ---------------------------------------------------------------- texts, errors

TEST(HttpMatcherTest, SaysWhyNot) {
  TestRequest request;
  request.headers = {{"end-user", "tester"}, {"x-debug", "on"}};
  request.target = "/a?q=2";
  config::HttpMatch match;
  match.headers.emplace("end-user", exact("jason"));
  EXPECT_EQ(why(match, request), "header end-user exact \"jason\" != \"tester\"");
  match.headers = {{"x-absent", present()}};
  EXPECT_EQ(why(match, request), "header x-absent present: not sent");
  match.headers.clear();
  match.without_headers.emplace("x-debug", present());
  EXPECT_EQ(why(match, request), "withoutHeaders x-debug present == \"on\"");
  match.without_headers = {{"x-absent", regex(".*")}};
  EXPECT_EQ(why(match, request),
            "withoutHeaders x-absent regex \".*\" matches the absent header, which counts as empty");
  match.without_headers.clear();
  match.query_params.emplace("q", exact("1"));
  EXPECT_EQ(why(match, request), "queryParam q exact \"1\" != \"2\"");
  match.query_params = {{"z", exact("1")}};
  EXPECT_EQ(why(match, request), "queryParam z exact \"1\": not sent");
  match.uri = prefix("/b");
  EXPECT_EQ(why(match, request), "uri prefix \"/b\" != \"/a\"");
}

TEST(HttpMatcherTest, NamesTheFieldInErrors) {
  const auto message = [](const config::HttpMatch& match) {
    const auto result = HttpMatcher::compile(match);
    return result ? std::string() : result.error().message;
  };
  config::HttpMatch match;
  match.uri = regex("(");
  EXPECT_EQ(message(match), "uri: regex \"(\": missing ): (");
  match = {};
  match.without_headers.emplace("x", regex("["));
  EXPECT_TRUE(message(match).starts_with("withoutHeaders \"x\": regex \"[\": ")) << message(match);
  match = {};
  match.query_params.emplace("q", regex(""));
  EXPECT_TRUE(message(match).starts_with("queryParams \"q\": regex is empty")) << message(match);
  match = {};
  match.headers.emplace("@request.auth.claims.sub", exact("x"));
  EXPECT_NE(message(match).find("JWT"), std::string::npos);
  match.headers = {{"", exact("x")}};
  EXPECT_NE(message(match).find("empty"), std::string::npos);
}

TEST(HttpMatcherTest, KnowsWhetherItTakesEveryRequest) {
  config::HttpMatch match;
  EXPECT_TRUE(compile(match).takes_every_request());
  match.uri = prefix("/");
  EXPECT_TRUE(compile(match).takes_every_request());
  match.uri = regex(".*");
  EXPECT_TRUE(compile(match).takes_every_request());
  match.uri = prefix("");
  EXPECT_TRUE(compile(match).takes_every_request());
  match.uri = prefix("/a");
  EXPECT_FALSE(compile(match).takes_every_request());
  match.uri = exact("/");
  EXPECT_FALSE(compile(match).takes_every_request());
  match.uri.reset();
  match.headers.emplace("x", regex(".*"));
  EXPECT_FALSE(compile(match).takes_every_request());
  match.headers.clear();
  match.without_headers["x"] = {};
  EXPECT_FALSE(compile(match).takes_every_request());
  match.without_headers.clear();
  match.port = config::Located<uint16_t>{80, {}};
  match.source_labels.emplace("app", "x");
  EXPECT_TRUE(compile(match).takes_every_request());
}

// Gateway API PathPrefix (semantics 2.1): by whole segments, a slash at the end does not count.
TEST(StringMatcherTest, APathPrefixTakesWholeSegments) {
  const auto v2 = StringMatcher::path_prefix("/v2/");
  for (const char* path : {"/v2", "/v2/", "/v2/x"}) EXPECT_TRUE(v2.matches(path)) << path;
  for (const char* path : {"/v20", "/v", "/", "/x/v2", "/V2"}) EXPECT_FALSE(v2.matches(path)) << path;
  EXPECT_TRUE(StringMatcher::path_prefix("/").matches_all());
  EXPECT_EQ(v2.to_text(), "path prefix \"/v2\"");
}

}  // namespace
}  // namespace weir::routing
