// explain_connection.cpp: TCP and TLS routes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "explain_support.h"

namespace weir::routing {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string tcp_yaml(const std::string& rules, const std::string& port_name = "tcp") {
  return service_yaml("db", "default", "10.96.0.30", {"v1", "v2"}, port_name) + R"(---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: db, namespace: default}
spec: {host: db, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: db, namespace: default}
spec:
  hosts: [db, alt.example.com, "*.example.org"]
)" + rules;
}

Request connection(std::string dial, std::optional<std::string> sni = std::nullopt) {
  Request request;
  request.is_http = false;
  request.dial = std::move(dial);
  request.port = 80;
  request.sni = std::move(sni);
  return request;
}

const std::string kToV1 = "    route: [{destination: {host: db, subset: v1}}]\n";
const std::string kToV2 = "    route: [{destination: {host: db, subset: v2}}]\n";

TEST(ExplainConnectionTest, TakesTheFirstRuleThatFits) {
  const std::string yaml =
      tcp_yaml("  tcp:\n  - match: [{sourceSubnet: 10.2.0.0/16}]\n" + kToV2 + "  -" + kToV1.substr(3));
  Client client = pod_of("default");
  EXPECT_EQ(ask(yaml, connection("db"), client).destinations.at(0).subset, "v1");
  client.address = IpAddress::parse("10.2.3.4");
  const Decision decision = ask(yaml, connection("db"), client);
  EXPECT_EQ(decision.destinations.at(0).subset, "v2");
  EXPECT_EQ(decision.action, Action::kSplit);
  EXPECT_EQ(decision.request, std::nullopt);
  EXPECT_EQ(decision.retries, std::nullopt);
}

TEST(ExplainConnectionTest, DestinationSubnetsSeeTheDialledAddress) {
  const std::string yaml = tcp_yaml("  tcp:\n  - match: [{destinationSubnets: [10.96.0.30/32]}]\n" + kToV2 +
                                    "  - match: [{destinationSubnets: [10.97.0.0/16]}]\n" + kToV1);
  EXPECT_EQ(ask(yaml, connection("db")).destinations.at(0).subset, "v2");
  EXPECT_EQ(ask(yaml, connection("ip:10.96.0.30")).destinations.at(0).subset, "v2");
  EXPECT_THAT(ask(yaml, connection("ip:10.97.0.1")).destinations, IsEmpty());
}

TEST(ExplainConnectionTest, RefusedConnectionsHaveNoStatus) {
  const Decision decision = ask(tcp_yaml("  tcp:\n  - route: [{destination: {host: nosuch}}]\n"), connection("db"));
  EXPECT_FALSE(decision.destinations.at(0).exists);
  EXPECT_EQ(decision.status, std::nullopt);
}

TEST(ExplainConnectionTest, WithoutRulesAllEndpoints) {
  const Decision decision = ask(service_yaml("db", "default", "10.96.0.30", {"v1", "v2"}, "tcp"), connection("db"));
  EXPECT_EQ(decision.action, Action::kDefault);
  EXPECT_EQ(decision.destinations.at(0).endpoints.size(), 2U);
}

struct SniCase {
  const char* sni;
  const char* subset;  // "": passed through
};

TEST(ExplainConnectionTest, TheMostSpecificSniWins) {
  const std::string yaml = tcp_yaml("  tls:\n  - match: [{sniHosts: ['*.example.org']}]\n" + kToV1 +
                                        "  - match: [{sniHosts: [a.example.org, alt.example.com]}]\n" + kToV2,
                                    "tls");
  const SniCase cases[] = {{"a.example.org", "v2"},   {"A.Example.Org", "v2"},   {"b.example.org", "v1"},
                           {"x.y.example.org", "v1"}, {"alt.example.com", "v2"}, {"db", ""},
                           {"example.org", ""}};
  for (const SniCase& test : cases) {
    const Decision decision = ask(yaml, connection("db", test.sni));
    EXPECT_EQ(decision.destinations.empty() ? "" : decision.destinations[0].subset, test.subset) << test.sni;
  }
  const Decision plain = ask(yaml, connection("db"));
  EXPECT_THAT(plain.destinations, IsEmpty());
  EXPECT_EQ(plain.service, "");
  EXPECT_THAT(plain.reason, HasSubstr("no rule of db.default.svc.cluster.local takes the connection"));
}

TEST(ExplainConnectionTest, HttpToATcpPortIsAConnection) {
  const Decision decision = ask(tcp_yaml("  tcp:\n  -" + kToV2.substr(3)), get("db"));
  EXPECT_EQ(decision.destinations.at(0).subset, "v2");
  EXPECT_EQ(decision.request, std::nullopt);
}

TEST(ExplainConnectionTest, BytesToAnHttpPortPassThrough) {
  const Decision decision = ask(web_yaml(), connection("web"));
  EXPECT_EQ(decision.action, Action::kDefault);
  EXPECT_THAT(decision.destinations, IsEmpty());
  EXPECT_THAT(decision.reason, HasSubstr("speaks HTTP, the connection does not"));
}

TEST(ExplainConnectionTest, OnAnUnnamedPortTheBytesDecide) {
  const std::string yaml = tcp_yaml("  http:\n  -" + kToV2.substr(3) + "  tcp:\n  -" + kToV1.substr(3), "unnamed");
  EXPECT_EQ(ask(yaml, connection("db")).destinations.at(0).subset, "v1");
  const Decision http = ask(yaml, get("db"));
  EXPECT_EQ(http.destinations.at(0).subset, "v2");
  EXPECT_TRUE(http.request.has_value());
}

TEST(ExplainConnectionTest, AnEntryWithoutAddressesHasThePortEverywhere) {
  const std::string yaml = R"(---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: mongo, namespace: default}
spec:
  hosts: [mongo.example.com]
  ports: [{number: 80, name: mongo, protocol: TCP}]
  resolution: STATIC
  endpoints: [{address: 10.9.9.9}]
)";
  EXPECT_EQ(ask(yaml, connection("ip:203.0.113.5")).service, "mongo.example.com");
}

}  // namespace
}  // namespace weir::routing
