#include "config/names.h"

#include <gtest/gtest.h>

namespace weir::config {
namespace {

TEST(CheckObjectName, HoldsToDns1123) {
  for (const char* name : {"a", "a-b", "a.b", "reviews-v1", "0a", "a.b-c.d"})
    EXPECT_FALSE(check_object_name(name)) << name;
  for (const char* name : {"", "A", "a_b", "-a", "a-", "a..b", ".a", "a.", "a/b", "a b", "ä"})
    EXPECT_TRUE(check_object_name(name)) << name;
  EXPECT_TRUE(check_object_name(std::string(254, 'a')));
  EXPECT_TRUE(check_object_name(std::string(64, 'a')));
}

// The cases of Istio's TestValidateFQDN and TestValidateWildcardDomain.
TEST(CheckFqdn, AsIstio) {
  for (const char* host : {"istio.io", "reviews", "Reviews.Default", "a.b.c.", "1a.io"})
    EXPECT_FALSE(check_fqdn(host)) << host;
  for (const char* host : {"", "*", "*.istio.io", "istio..io", ".istio.io", "-a.io", "a_b.io", "a b", "istio.io:80",
                           "istio.123", "123", "a/b", "."}) {
    EXPECT_TRUE(check_fqdn(host)) << host;
  }
  EXPECT_TRUE(check_fqdn(std::string(256, 'a')));
}

TEST(CheckWildcardDomain, OnlyTheFirstCharacterMayBeOne) {
  for (const char* host : {"*", "*.com", "*-foo.com", "*x", "foo.bar.com", "*.", "foo.", "123", "*.a-b.c"})
    EXPECT_FALSE(check_wildcard_domain(host)) << host;
  for (const char* host : {"", "*-", "*--a", "**", "*.*.com", "foo.*.com", "foo*", "foo.*", "*.-a.com", "f*o.com",
                           "1.1.1.1", "a.123", "..", "*..a"}) {
    EXPECT_TRUE(check_wildcard_domain(host)) << host;
  }
}

TEST(CheckSniDomain, AlsoWhatIstiodMakes) {
  for (const char* host : {"*.com", "a.com", "outbound_.80_._.reviews.default.svc.cluster.local", "outbound_.1_.v1_.a"})
    EXPECT_FALSE(check_sni_domain(host)) << host;
  for (const char* host :
       {"", "a_b.com", "outbound_", "outbound_.80_._", "outbound_._._.a", "outbound_.80_._.1", "inbound_.80_._.a"})
    EXPECT_TRUE(check_sni_domain(host)) << host;
}

TEST(CheckUnixPath, IsAbsoluteOrAbstract) {
  for (const char* path : {"/a", "/a/b.sock", "@a", "@"}) EXPECT_FALSE(check_unix_path(path)) << path;
  for (const char* path : {"", "a", "./a", "/", "/a/"}) EXPECT_TRUE(check_unix_path(path)) << path;
}

TEST(CheckGatewayName, NameOrNamespaceAndName) {
  for (const char* name : {"mesh", "gw", "ns/gw", "Ns/gw", "gw.ns.svc.cluster.local"})
    EXPECT_FALSE(check_gateway_name(name)) << name;
  for (const char* name : {"", "ns/*", "*/gw", "/gw", "ns/", "a/b/c", "*", "./gw", "ns/gw.a", "g w"})
    EXPECT_TRUE(check_gateway_name(name)) << name;
}

TEST(CheckHeaderName, IsATokenOrAPseudoHeader) {
  for (const char* name : {"User-Agent", "x_y", ":authority", ":path", "a!b", "x.y"})
    EXPECT_FALSE(check_header_name(name)) << name;
  for (const char* name : {"", ":", "a b", "a:b", "a\r", "a(b)", "ä", "a,b", "a\"b"})
    EXPECT_TRUE(check_header_name(name)) << name;
}

TEST(CheckHeaderValue, KnowsEnvoysFormat) {
  for (const char* value : {"", "abc", "100%%", "%REQ(x-y)%", "%START_TIME%", "%REQ(A?B)%", "%REQ(x) %",
                            "a %PROTOCOL% b", "%req(x)%", "% %"}) {
    EXPECT_FALSE(check_header_value(value)) << value;
  }
  for (const char* value :
       {"100%", "%", "%%%", "%REQ(x%", "%REQ(A?B):10%", "%REQ(x\\", "a\r\nb", "a\x1f", "a\x7f", "%REQ(x)"})
    EXPECT_TRUE(check_header_value(value)) << value;
  EXPECT_TRUE(check_header_value(std::string_view("a\0b", 3)));
}

TEST(CheckRegex, IsRe2) {
  for (const char* regex : {".*", "(?i)a", "^a$", "a|b", "(a+)+$"}) EXPECT_FALSE(check_regex(regex)) << regex;
  for (const char* regex : {"", "*", "(", "[", "a{2,1}", "(?=a)", "\\1", "a**"})
    EXPECT_TRUE(check_regex(regex)) << regex;
  EXPECT_FALSE(check_regex(std::string(1024, 'a')));
  EXPECT_TRUE(check_regex(std::string(1025, 'a')));
}

TEST(CheckLabel, HoldsToKubernetes) {
  EXPECT_FALSE(check_label("app", "reviews"));
  EXPECT_FALSE(check_label("app.kubernetes.io/name", "a_b.C"));
  EXPECT_FALSE(check_label("app", ""));
  for (const auto& [key, value] : std::initializer_list<std::pair<const char*, const char*>>{
           {"", "a"}, {"a b", "c"}, {"/a", "b"}, {"a/", "b"}, {"a", "-b"}, {"a", "b c"}, {"a", "*"}, {"-a", "b"}}) {
    EXPECT_TRUE(check_label(key, value)) << key << "=" << value;
  }
}

TEST(HostCovers, AsIstiosNameMatches) {
  EXPECT_TRUE(host_covers("*", "a.com"));
  EXPECT_TRUE(host_covers("*.com", "a.com"));
  EXPECT_TRUE(host_covers("*.com", "*.foo.com"));
  EXPECT_TRUE(host_covers("A.com", "a.COM"));
  EXPECT_TRUE(host_covers("*.com", "*.com"));
  EXPECT_FALSE(host_covers("*.foo.com", "foo.com"));
  EXPECT_FALSE(host_covers("*.foo.com", "*.com"));
  EXPECT_FALSE(host_covers("a.com", "*.com"));
  EXPECT_FALSE(host_covers("*.foo.com", "bar.com"));
  EXPECT_TRUE(hosts_overlap("*.foo.com", "*.com"));
  EXPECT_FALSE(hosts_overlap("*.foo.com", "*.bar.com"));
}

TEST(Quote, CutsLongTextBetweenCharacters) {
  EXPECT_EQ(quote("a"), "\"a\"");
  const std::string umlauts = "x" + std::string(100, '.').replace(0, 100, [] {
    std::string s;
    for (int i = 0; i < 60; ++i) s += "\xc3\xa4";
    return s;
  }());
  const std::string cut = quote(umlauts);
  EXPECT_TRUE(cut.ends_with("...\""));
  EXPECT_EQ((cut.size() - 5) % 2, 1U);  // the x, whole umlauts
}

}  // namespace
}  // namespace weir::config
