#include "http/authority.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::http {
namespace {

struct Good {
  const char* text;
  const char* host;
  unsigned port;
  bool dot;
};

TEST(Authority, Accepts) {
  const Good cases[] = {
      {"web", "web", 0, false},
      {"WEB:80", "WEB", 80, false},
      {"a.b.svc.cluster.local.", "a.b.svc.cluster.local", 0, true},
      {"a.:8080", "a", 8080, true},
      {"a:", "a", 0, false},
      {"10.0.0.1:9080", "10.0.0.1", 9080, false},
      {"[::1]", "[::1]", 0, false},
      {"[2001:db8::1]:443", "[2001:db8::1]", 443, false},
      {"[::ffff:10.0.0.1]:65535", "[::ffff:10.0.0.1]", 65535, false},
      {"my_service", "my_service", 0, false},
      {"*.bar.com", "*.bar.com", 0, false},
      {"0.0.0.0=5000", "0.0.0.0=5000", 0, false},
      {"xn--bcher-kva.example", "xn--bcher-kva.example", 0, false},
  };
  for (const Good& c : cases) {
    const auto authority = parse_authority(c.text);
    ASSERT_TRUE(authority) << c.text;
    EXPECT_EQ(authority->host, c.host);
    EXPECT_EQ(authority->port, c.port) << c.text;
    EXPECT_EQ(authority->trailing_dot, c.dot) << c.text;
  }
  EXPECT_TRUE(parse_authority(std::string(255, 'a')));
}

// H20, and what nginx's http_host.t holds a host to.
TEST(Authority, Refuses) {
  const std::string cases[] = {
      "",
      ".",
      "..",
      "a..b",
      ".a",
      "a..",
      "a, b",
      "a,b",
      "u@h",
      "u:p@h",
      "h/p",
      "h?q",
      "h#f",
      "h\\p",
      "h:99999",
      "h:65536",
      "h:0",
      "h:080",
      "h:8o",
      "h:-1",
      "h:+80",
      "h: 80",
      "h:80:80",
      "::1",
      "[::1",
      "[::1]x",
      "[::1]x:80",
      "[]",
      "[:::1]",
      "[::1%eth0]",
      "[::1%25eth0]",
      "[v1.a]",
      "[1.2.3.4]",
      "[::g]",
      "::1]",
      " a",
      "a ",
      "a b",
      "a\tb",
      "a%41",
      "%",
      "a<b",
      "a\"b",
      "a{b",
      "a|b",
      "a^b",
      "a`b",
      "b\xc3\xbc"
      "cher.example",
      "\xff",
      ":80",
      ":",
      std::string("a\0b", 3),
      std::string("[::1\0]", 6),
      std::string("a\x7f"),
      std::string("a\r\n"),
      std::string(256, 'a'),
      "[" + std::string(100, '1') + "]",
  };
  for (const std::string& text : cases) EXPECT_FALSE(parse_authority(text)) << text;
}

}  // namespace
}  // namespace weir::http
