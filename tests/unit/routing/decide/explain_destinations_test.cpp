// explain_destinations.cpp: shares, endpoints, and who cannot serve.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "explain_support.h"

namespace weir::routing {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Decision ask_route(const std::string& route, const Request& request = get("web")) {
  return ask(web_yaml() + rules_yaml("  - route:\n" + route), request);
}

TEST(ExplainDestinationsTest, SharesAreExactAndZeroWeightsAreGone) {
  const Decision decision = ask_route(
      "    - {destination: {host: web, subset: v1}, weight: 1}\n"
      "    - {destination: {host: web, subset: v2}, weight: 3}\n"
      "    - {destination: {host: web}, weight: 0}\n"
      "    - {destination: {host: web}}\n");
  ASSERT_THAT(decision.destinations, SizeIs(2));
  EXPECT_EQ(decision.destinations[1].weight, 3U);
  EXPECT_DOUBLE_EQ(decision.destinations[1].share, 0.75);
  EXPECT_EQ(decision.status, std::nullopt);
}

TEST(ExplainDestinationsTest, ASingleDestinationIgnoresItsWeight) {
  const Decision decision = ask_route("    - {destination: {host: web, subset: v1}, weight: 0}\n");
  ASSERT_THAT(decision.destinations, SizeIs(1));
  EXPECT_DOUBLE_EQ(decision.destinations[0].share, 1);
}

struct Case {
  const char* destination;
  bool exists;
  const char* why;
};

TEST(ExplainDestinationsTest, NobodyToServeIs503) {
  const Case cases[] = {
      {"{host: nosuch}", false, "nosuch.default.svc.cluster.local"},
      {"{host: other.other}", false, "other.other"},
      {"{host: web, subset: nosuch}", false, "subset nosuch"},
      {"{host: web, port: {number: 99}}", false, "has no port 99"},
      {"{host: web, subset: empty}", true, "has no endpoints"},
      {"{host: web.other.svc.cluster.local, subset: v1}", false, "subset v1"},
  };
  for (const Case& test : cases) {
    const Decision decision = ask_route(std::string("    - {destination: ") + test.destination + "}\n");
    EXPECT_EQ(decision.action, Action::kSplit);
    EXPECT_EQ(decision.status, 503) << test.destination;
    ASSERT_THAT(decision.destinations, SizeIs(1));
    EXPECT_EQ(decision.destinations[0].exists, test.exists) << test.destination;
    EXPECT_THAT(decision.destinations[0].endpoints, IsEmpty());
    EXPECT_THAT(steps_of(decision), HasSubstr(test.why));
  }
}

TEST(ExplainDestinationsTest, OnlyItsShareIsRefused) {
  const Decision decision = ask_route(
      "    - {destination: {host: web, subset: v1}, weight: 50}\n"
      "    - {destination: {host: web, subset: nosuch}, weight: 50}\n");
  EXPECT_EQ(decision.status, std::nullopt);
  EXPECT_FALSE(decision.destinations.at(1).exists);
  EXPECT_DOUBLE_EQ(decision.destinations.at(0).share, 0.5);
}

// testdata-rules: regex.extsvc.com has one port, 9003, and was dialled on 80.
TEST(ExplainDestinationsTest, WithoutAPortTheDialledOneIsMeant) {
  const std::string yaml = web_yaml() + R"(---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: other, namespace: default}
spec:
  hosts: [other.example.com]
  ports: [{number: 9003, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 10.9.9.9}]
)" +
                           rules_yaml(
                               "  - match: [{uri: {exact: /with}}]\n    route: [{destination: {host: "
                               "other.example.com, port: {number: 9003}}}]\n"
                               "  - route: [{destination: {host: other.example.com}}]\n");
  EXPECT_EQ(ask(yaml, get("web")).status, 503);
  EXPECT_EQ(ask(yaml, get("web")).destinations.at(0).port, 80);
  EXPECT_EQ(ask(yaml, get("web", "/with")).status, std::nullopt);
}

TEST(ExplainDestinationsTest, HeadlessServicesGetWhatWasDialled) {
  std::string yaml = service_yaml("hl", "default", "10.96.0.40");
  const std::string own = "clusterIP: 10.96.0.40";
  yaml.replace(yaml.find(own), own.size(), "clusterIP: None");
  Request request = get("hl");
  EXPECT_THAT(ask(yaml, request).destinations.at(0).endpoints, SizeIs(3));
  request.dial = "ip:10.1.77.7";
  const Decision decision = ask(yaml, request);
  ASSERT_THAT(decision.destinations.at(0).endpoints, SizeIs(1));
  EXPECT_EQ(decision.destinations[0].endpoints[0].address.to_string(), "10.1.77.7");
}

/// As the proxy does it (session_choose_test.cpp).
TEST(ExplainDestinationsTest, PassthroughGoesToWhoeverWasDialled) {
  const std::string policy = R"(---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web, namespace: default}
spec: {host: web, trafficPolicy: {loadBalancer: {simple: PASSTHROUGH}}}
)";
  const std::string service = service_yaml("web", "default", "10.96.0.10");
  const std::string route = "  - route: [{destination: {host: web}}]\n";
  const Decision proxied = ask(service + policy + rules_yaml(route + "    timeout: 1s\n"), get("web"));
  ASSERT_THAT(proxied.destinations, SizeIs(1));
  ASSERT_THAT(proxied.destinations[0].endpoints, SizeIs(1));
  EXPECT_EQ(proxied.destinations[0].endpoints[0].address, *IpAddress::parse("10.96.0.10"));
  EXPECT_EQ(proxied.destinations[0].endpoints[0].port, 80);
  EXPECT_THAT(steps_of(proxied), HasSubstr("the dialled address gets it"));
  const Decision split = ask(service + policy + rules_yaml(route), get("web"));
  EXPECT_EQ(split.path, Path::kKernel);
  EXPECT_THAT(split.destinations[0].endpoints, SizeIs(3)) << "the kernel splits all the same, and analyze says so";
}

}  // namespace
}  // namespace weir::routing
