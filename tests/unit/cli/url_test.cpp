#include "cli/url.h"

#include <gtest/gtest.h>

namespace weir::cli {
namespace {

TEST(ParseTarget, Table) {
  struct Case {
    const char* url;
    Target target;
  };
  const std::vector<Case> cases = {
      {"http://reviews:9080/x?y=1", {"http", "reviews:9080", "reviews", 9080, "/x?y=1"}},
      {"reviews", {"http", "reviews", "reviews", 80, "/"}},
      {"reviews:9080", {"http", "reviews:9080", "reviews", 9080, "/"}},
      {"https://a.b", {"https", "a.b", "a.b", 443, "/"}},
      {"tcp://db:5432", {"tcp", "db:5432", "db", 5432, "/"}},
      {"http://10.0.0.1", {"http", "10.0.0.1", "10.0.0.1", 80, "/"}},
      {"http://[fd00::1]:81/", {"http", "[fd00::1]:81", "fd00::1", 81, "/"}},
      {"http://[::1]", {"http", "[::1]", "::1", 80, "/"}},
      {"http://a?b", {"http", "a", "a", 80, "/?b"}},
      {"http://a/b#c", {"http", "a", "a", 80, "/b"}},
  };
  for (const auto& c : cases) {
    const auto target = parse_target(c.url);
    ASSERT_TRUE(target) << c.url << ": " << target.error().message;
    EXPECT_EQ(target->protocol, c.target.protocol) << c.url;
    EXPECT_EQ(target->authority, c.target.authority) << c.url;
    EXPECT_EQ(target->host, c.target.host) << c.url;
    EXPECT_EQ(target->port, c.target.port) << c.url;
    EXPECT_EQ(target->path, c.target.path) << c.url;
  }
}

TEST(ParseTarget, Errors) {
  for (const char* url : {"", "http://", "http://:80", "http://a:", "http://a:0", "http://a:65536", "http://a:x",
                          "http://a:1:2", "ftp://a", "http://[::1", "http://[::1]x", "http://[::1]:", "http://::1",
                          "http://u@a/", "tcp://a", "://a", "http://[]"})
    EXPECT_FALSE(parse_target(url)) << url;
}

}  // namespace
}  // namespace weir::cli
