#include "routing/hosts.h"

#include <gtest/gtest.h>

namespace weir::routing {
namespace {

TEST(FullHost, CompletesOnlyNamesWithoutADot) {
  struct Case {
    const char *host, *namespace_, *expected;
  };
  for (const Case& c : {
           Case{"reviews", "prod", "reviews.prod.svc.cluster.local"},
           Case{"Reviews", "prod", "reviews.prod.svc.cluster.local"},
           Case{"reviews.prod", "x", "reviews.prod"},
           Case{"reviews.prod.svc", "x", "reviews.prod.svc"},
           Case{"reviews.prod.svc.cluster.local", "x", "reviews.prod.svc.cluster.local"},
           Case{"*", "x", "*"},
           Case{"*.foo.com", "x", "*.foo.com"},
           Case{"*.local", "x", "*.local"},
           Case{"10.0.0.1", "x", "10.0.0.1"},
           Case{"fd00::1", "x", "fd00::1"},
           Case{"UPPER.example.com", "x", "upper.example.com"},
           Case{"", "x", ""},
       }) {
    EXPECT_EQ(full_host(c.host, c.namespace_, "cluster.local"), c.expected) << c.host;
  }
}

TEST(HostMatches, WildcardsTakeAnyDepthButNotTheDomainItself) {
  struct Case {
    const char *pattern, *host;
    bool expected;
  };
  for (const Case& c : {
           Case{"foo.com", "foo.com", true},
           Case{"foo.com", "a.foo.com", false},
           Case{"*.foo.com", "a.foo.com", true},
           Case{"*.foo.com", "a.b.foo.com", true},
           Case{"*.foo.com", "foo.com", false},
           Case{"*.foo.com", ".foo.com", false},
           Case{"*.foo.com", "afoo.com", false},
           Case{"*", "anything", true},
           Case{"*", "", true},
           Case{"foo.com", "bar.com", false},
       }) {
    EXPECT_EQ(host_matches(c.pattern, c.host), c.expected) << c.pattern << " " << c.host;
  }
}

TEST(HostsOverlap, IsSymmetric) {
  struct Case {
    const char *a, *b;
    bool expected;
  };
  for (const Case& c : {
           Case{"foo.com", "foo.com", true},
           Case{"*.com", "*.foo.com", true},
           Case{"*", "foo.com", true},
           Case{"*.foo.com", "foo.com", false},
           Case{"*.foo.com", "*.bar.com", false},
           Case{"a.foo.com", "*.foo.com", true},
       }) {
    EXPECT_EQ(hosts_overlap(c.a, c.b), c.expected) << c.a << " " << c.b;
    EXPECT_EQ(hosts_overlap(c.b, c.a), c.expected) << c.b << " " << c.a;
  }
}

TEST(WithoutPort, KnowsNamesAddressesAndBrackets) {
  EXPECT_EQ(without_port("web:80"), "web");
  EXPECT_EQ(without_port("web"), "web");
  EXPECT_EQ(without_port("10.0.0.1:80"), "10.0.0.1");
  EXPECT_EQ(without_port("[fd00::1]:80"), "fd00::1");
  EXPECT_EQ(without_port("[fd00::1]"), "fd00::1");
  EXPECT_EQ(without_port("fd00::1"), "fd00::1");
  EXPECT_EQ(without_port("[fd00::1"), "[fd00::1") << "no closing bracket: not an address";
  EXPECT_EQ(without_port(""), "");
}

TEST(FullGateway, IsInTheNamespaceOfTheVirtualServiceUnlessItSaysAnother) {
  EXPECT_EQ(full_gateway("mesh", "a"), "mesh");
  EXPECT_EQ(full_gateway("main", "a"), "a/main");
  EXPECT_EQ(full_gateway("./main", "a"), "a/main");
  EXPECT_EQ(full_gateway("b/main", "a"), "b/main");
  EXPECT_EQ(full_gateway("main.b.svc.cluster.local", "a"), "b/main");
}

}  // namespace
}  // namespace weir::routing
