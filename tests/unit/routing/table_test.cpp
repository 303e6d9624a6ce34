#include "routing/table.h"

#include "support.h"

namespace weir::routing {
namespace {

TEST(ProtocolOf, AppProtocolThenNamePrefixThenWellKnownPort) {
  struct Case {
    const char *app_protocol, *name, *ip_protocol;
    uint16_t port;
    Protocol expected;
  };
  for (const Case& c : {
           Case{"", "http", "TCP", 80, Protocol::kHttp},
           Case{"", "HTTP-web", "TCP", 80, Protocol::kHttp},
           Case{"", "http2-x", "TCP", 80, Protocol::kHttp2},
           Case{"", "grpc", "TCP", 80, Protocol::kGrpc},
           Case{"", "grpc-web-x", "TCP", 80, Protocol::kGrpc},
           Case{"", "https-x", "TCP", 80, Protocol::kHttps},
           Case{"", "tls", "TCP", 80, Protocol::kTls},
           Case{"", "mongo", "TCP", 27017, Protocol::kTcp},
           Case{"", "web", "TCP", 80, Protocol::kAuto},
           Case{"", "httpx", "TCP", 80, Protocol::kAuto},
           Case{"", "", "TCP", 3306, Protocol::kTcp},
           Case{"", "http", "TCP", 3306, Protocol::kHttp},
           Case{"", "http", "UDP", 80, Protocol::kUdp},
           Case{"http", "tcp", "TCP", 80, Protocol::kHttp},
           Case{"kubernetes.io/h2c", "", "TCP", 80, Protocol::kHttp2},
           Case{"kubernetes.io/ws", "", "TCP", 80, Protocol::kHttp},
           Case{"kubernetes.io/wss", "", "TCP", 80, Protocol::kHttps},
           Case{"example.com/mine", "http", "TCP", 80, Protocol::kAuto},
       }) {
    EXPECT_EQ(protocol_of(c.app_protocol, c.name, c.ip_protocol, c.port), c.expected)
        << c.app_protocol << " " << c.name << " " << c.port;
  }
}

TEST(ExportTo, AProcessOfTheNodeSeesOnlyWhatEveryoneSees) {
  EXPECT_TRUE(ExportTo{}.visible_to(""));
  EXPECT_TRUE(ExportTo{}.visible_to("a"));
  const ExportTo only_a{false, {"a"}};
  EXPECT_TRUE(only_a.visible_to("a"));
  EXPECT_FALSE(only_a.visible_to("b"));
  EXPECT_FALSE(only_a.visible_to(""));
  EXPECT_FALSE((ExportTo{false, {}}.visible_to("a")));
}

TEST(Older, ByAgeThenNameThenNamespace) {
  RuleSet a, b;
  a.creation = 1, b.creation = 2;
  a.name = "z", b.name = "a";
  EXPECT_TRUE(older(a, b));
  b.creation = 1;
  EXPECT_TRUE(older(b, a));
  b.name = "z";
  a.namespace_ = "x", b.namespace_ = "y";
  EXPECT_TRUE(older(a, b));
}

TEST(Table, ListsInAStableOrder) {
  const auto table = table_of(service_yaml("b", "default", "10.0.0.2") + service_yaml("a", "default", "10.0.0.1") +
                              rule_yaml("z", "default", "a", "  http:\n  - route: [{destination: {host: a}}]\n",
                                        "creationTimestamp: '2024-01-02T00:00:00Z'") +
                              rule_yaml("y", "default", "b, a.b.c", "  http:\n  - route: [{destination: {host: b}}]\n",
                                        "creationTimestamp: '2024-01-03T00:00:00Z'"));
  ASSERT_EQ(table->all_services().size(), 2U);
  EXPECT_EQ(table->all_services()[0]->host, "a.default.svc.cluster.local");
  ASSERT_EQ(table->all_rules().size(), 2U) << "one of two hosts is listed once";
  EXPECT_EQ(table->all_rules()[0]->name, "z");
}

}  // namespace
}  // namespace weir::routing
