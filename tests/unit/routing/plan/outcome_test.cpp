#include "routing/plan/outcome.h"

#include "support.h"

namespace weir::routing {
namespace {

const std::string kWeb = "web.default.svc.cluster.local";

Outcome outcome(const Table& table, const Client& client = {}, const std::string& address = "10.0.0.2",
                uint16_t port = 80) {
  const Service* service = find_service_by_address(table, client, *IpAddress::parse(address), port);
  EXPECT_NE(service, nullptr);
  EXPECT_NE(service->find_port(port), nullptr);
  return find_outcome(table, client, *service, *service->find_port(port), *IpAddress::parse(address));
}

std::string text(const Outcome& outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::kUntouched:
      return "untouched";
    case Outcome::Kind::kLeftAlone:
      return "left alone, " + std::string(to_string(outcome.path)) + ": " + outcome.reason;
    case Outcome::Kind::kSplit:
      break;
  }
  PlanSplit split;
  split.destinations = outcome.destinations;
  return std::string(to_string(outcome.path)) + (outcome.proxied ? " fallback " : " ") + outcome.rule + " " +
         weights_of(split);
}

std::string for_http(const std::string& http, const std::string& meta = "") {
  return text(outcome(*table_of(service_yaml("web", "default", "10.0.0.2") + subsets_yaml("web", "default", "web") +
                                rule_yaml("web", "default", "web", "  http:\n" + http, meta))));
}

const std::string kToV1 = "    route: [{destination: {host: web, subset: v1}}]\n";
const std::string kSplit =
    "    route: [{destination: {host: web, subset: v1}, weight: 90}, {destination: {host: web, subset: v2}, weight: "
    "10}]\n";

TEST(FindOutcome, WithoutARuleNothingIsTouched) {
  EXPECT_EQ(text(outcome(*table_of(service_yaml("web", "default", "10.0.0.2")))), "untouched");
}

// Design section 3: everything that can be decided without the request is decided in the kernel.
TEST(FindOutcome, TheKernelTakesWhatNeedsNothingOfTheRequest) {
  EXPECT_EQ(for_http("  -\n" + kSplit), "kernel web#0 v1:90 v2:10");
  EXPECT_EQ(for_http("  - match: [{uri: {prefix: /}}]\n" + kSplit), "kernel web#0 v1:90 v2:10");
  EXPECT_EQ(for_http("  - match: [{port: 80}]\n" + kSplit), "kernel web#0 v1:90 v2:10");
  EXPECT_EQ(for_http("  - match: [{sourceLabels: {app: x}, headers: {a: {exact: b}}}]\n" + kToV1 + "  -\n" + kSplit),
            "kernel web#1 v1:90 v2:10")
      << "a rule that cannot apply to this client asks for nothing";
  EXPECT_EQ(for_http("  -\n" + kSplit + "  - match: [{uri: {prefix: /late}}]\n" + kToV1), "kernel web#0 v1:90 v2:10")
      << "nothing comes after a rule that takes all";
}

TEST(FindOutcome, SaysWhichRuleNeedsTheProxyAndWhy) {
  struct Case {
    const char* rule;
    const char* reason;
    const char* fallback;
  };
  for (const Case& c : {
           Case{"match: [{headers: {end-user: {exact: jason}}}]", "matches header end-user", "web#1 v1:90 v2:10"},
           Case{"match: [{uri: {prefix: /a}}]", "matches the uri", "web#1 v1:90 v2:10"},
           Case{"match: [{withoutHeaders: {x: {}}}]", "matches the absence of header x", "web#1 v1:90 v2:10"},
           Case{"match: [{method: {exact: GET}}]", "matches the method", "web#1 v1:90 v2:10"},
           Case{"match: [{authority: {exact: web}}]", "matches the authority", "web#1 v1:90 v2:10"},
           Case{"match: [{scheme: {exact: https}}]", "matches the scheme", "web#1 v1:90 v2:10"},
           Case{"match: [{queryParams: {q: {exact: a}}}]", "matches query parameter q", "web#1 v1:90 v2:10"},
           Case{"rewrite: {uri: /b}", "rewrites the request", "web#0 v1:1"},
           Case{"timeout: 1s", "sets a timeout", "web#0 v1:1"},
           Case{"retries: {attempts: 1}", "sets retries", "web#0 v1:1"},
           Case{"fault: {delay: {fixedDelay: 1s, percentage: {value: 1}}}", "injects faults", "web#0 v1:1"},
           Case{"mirror: {host: web, subset: v2}", "mirrors requests", "web#0 v1:1"},
           Case{"headers: {request: {set: {a: b}}}", "changes headers", "web#0 v1:1"},
           Case{"corsPolicy: {allowOrigins: [{exact: x}]}", "has a CORS policy", "web#0 v1:1"},
       }) {
    const auto table = table_of(
        service_yaml("web", "default", "10.0.0.2") + subsets_yaml("web", "default", "web") +
        rule_yaml("web", "default", "web", "  http:\n  - " + std::string(c.rule) + "\n" + kToV1 + "  -\n" + kSplit));
    const Outcome found = outcome(*table);
    EXPECT_EQ(text(found), std::string("proxy fallback ") + c.fallback) << c.rule;
    EXPECT_EQ(found.reason.substr(0, 18), "rule 0 (test.yaml:") << c.rule;
    EXPECT_TRUE(found.reason.ends_with(std::string(":5) ") + c.reason)) << found.reason;
  }
}

TEST(FindOutcome, AnAnnotationAsksForRequests) {
  EXPECT_EQ(for_http("  -\n" + kSplit, "annotations: {weir.dev/split: request}"), "proxy fallback web#0 v1:90 v2:10");
}

TEST(FindOutcome, WithoutADefaultRouteThereIsNothingToFallBackTo) {
  struct Case {
    std::string rules;
    const char* reason;
  };
  for (const Case& c :
       {Case{"  - match: [{uri: {prefix: /a}}]\n" + kToV1, "no rule takes every request: refused without the proxy"},
        Case{"  - redirect: {uri: /x}\n", "the default route has no destinations: refused without the proxy"},
        Case{"  - match: [{uri: {prefix: /a}}]\n" + kToV1 + "  - directResponse: {status: 200}\n",
             "the default route has no destinations: refused without the proxy"}}) {
    const auto table = table_of(service_yaml("web", "default", "10.0.0.2") + subsets_yaml("web", "default", "web") +
                                rule_yaml("web", "default", "web", "  http:\n" + c.rules));
    const Outcome found = outcome(*table);
    EXPECT_EQ(found.kind, Outcome::Kind::kSplit) << c.rules;
    EXPECT_TRUE(found.proxied) << c.rules;
    EXPECT_TRUE(found.destinations.empty()) << c.rules;
    EXPECT_TRUE(found.reason.ends_with(c.reason)) << found.reason;
    const ServicePlan* plan = plan_of(*table, kWeb);
    ASSERT_NE(plan, nullptr);
    EXPECT_EQ(plan->path, Path::kProxy);
    ASSERT_EQ(plan->frontends.size(), 1U);
    EXPECT_EQ(plan->frontends[0].split, kNoSplit);
    EXPECT_TRUE(plan->splits.empty());
  }
}

TEST(FindOutcome, ByRequestWhereTheAgentSaysSo) {
  const std::string rules =
      subsets_yaml("web", "default", "web") + rule_yaml("web", "default", "web", "  http:\n  -\n" + kSplit);
  const auto by_request = [&](const std::string& port_name) {
    const auto table = table_of(service_yaml("web", "default", "10.0.0.2", {"v1", "v2", "v3"}, port_name) + rules);
    const Service* service = find_service_by_host(*table, Client{}, kWeb);
    return text(find_outcome(*table, Client{}, *service, *service->find_port(80), *IpAddress::parse("10.0.0.2"), true));
  };
  EXPECT_EQ(by_request("http"), "proxy fallback web#0 v1:90 v2:10");
  EXPECT_EQ(by_request("unnamed"), "kernel web#0 v1:90 v2:10") << "it may not be HTTP";
}

TEST(FindOutcome, APortOfUnknownProtocolIsForTheProxyWhereARuleAsksForIt) {
  const auto table = table_of(
      service_yaml("web", "default", "10.0.0.2", {"v1", "v2", "v3"}, "unnamed") +
      subsets_yaml("web", "default", "web") +
      rule_yaml("web", "default", "web", "  http:\n  - match: [{uri: {prefix: /a}}]\n" + kToV1 + "  -\n" + kSplit));
  EXPECT_EQ(text(outcome(*table)), "proxy fallback web#1 v1:90 v2:10");
}

TEST(FindOutcome, ToRefuseWithoutTheProxyCanBeAskedFor) {
  const auto refuses = [&](const std::string& meta) {
    const auto table =
        table_of(service_yaml("web", "default", "10.0.0.2") + subsets_yaml("web", "default", "web") +
                 rule_yaml("web", "default", "web",
                           "  http:\n  - match: [{uri: {prefix: /a}}]\n" + kToV1 + "  -\n" + kSplit, meta));
    return plan_of(*table, kWeb)->refuse_without_proxy;
  };
  EXPECT_FALSE(refuses(""));
  EXPECT_FALSE(refuses("annotations: {weir.dev/on-proxy-failure: split}"));
  EXPECT_TRUE(refuses("annotations: {weir.dev/on-proxy-failure: refuse}"));
}

TEST(FindOutcome, WeightsAsWritten) {
  EXPECT_EQ(for_http("  - route: [{destination: {host: web, subset: v1}, weight: 0}]\n"), "kernel web#0 v1:1")
      << "a single one has all";
  EXPECT_EQ(for_http("  - route: [{destination: {host: web, subset: v2}, weight: 100}, {destination: {host: web, "
                     "subset: v3}, weight: 0}]\n"),
            "kernel web#0 v2:100");
  EXPECT_EQ(for_http("  - route: [{destination: {host: web, subset: v1}, weight: 200}, {destination: {host: web, "
                     "subset: v1}, weight: 100}]\n"),
            "kernel web#0 v1:300")
      << "one destination twice is one with both weights";
}

TEST(FindOutcome, AMissingDestinationKeepsItsShareAndIsRefused) {
  const auto table = table_of(
      service_yaml("web", "default", "10.0.0.2") + subsets_yaml("web", "default", "web") +
      rule_yaml("web", "default", "web",
                "  http:\n  - route: [{destination: {host: web, subset: v1}, weight: 50}, {destination: {host: "
                "web, subset: nosuch}, weight: 30}, {destination: {host: nobody}, weight: 20}]\n"));
  const Outcome found = outcome(*table);
  ASSERT_EQ(found.destinations.size(), 3U);
  EXPECT_EQ(found.destinations[0].endpoints.size(), 1U);
  EXPECT_TRUE(found.destinations[1].endpoints.empty());
  EXPECT_EQ(found.destinations[1].weight, 30U);
  EXPECT_EQ(found.destinations[2].host, "nobody.default.svc.cluster.local");
  EXPECT_EQ(found.conditions.size(), 2U);
  EXPECT_EQ(found.conditions[0].level, config::Level::kWarning);
}

TEST(FindOutcome, MoreDestinationsThanTheKernelHasRoomForAreLeftAlone) {
  std::string route = "  - route:\n";
  for (int i = 0; i <= static_cast<int>(kMaxDestinations); ++i)
    route += "    - {destination: {host: h" + std::to_string(i) + "}, weight: 1}\n";
  EXPECT_NE(for_http(route).find("21 destinations, more than the kernel's 20"), std::string::npos) << for_http(route);
}

// istio-facts 23.
TEST(FindOutcome, HeadlessUdpAndTlsAreLeftAlone) {
  std::string headless = service_yaml("web", "default", "10.0.0.2");
  headless.replace(headless.find("clusterIP: 10.0.0.2"), 19, "clusterIP: None    ");
  const auto plan_reason = [](const std::string& yaml) {
    const auto table = table_of(yaml);
    const ServicePlan* plan = plan_of(*table, kWeb);
    return plan ? std::string(to_string(plan->path)) + ": " + plan->reason : "-";
  };
  const std::string rule = rule_yaml("web", "default", "web", "  http:\n  -\n" + kToV1);
  EXPECT_EQ(plan_reason(headless + rule), "none: headless: connections go to the pod that was dialled");
  std::string udp = service_yaml("web", "default", "10.0.0.2");
  udp.replace(udp.find("targetPort: 8080"), 16, "protocol: UDP   ");
  EXPECT_EQ(plan_reason(udp + rule), "none: UDP is not split");
  const std::string tls = service_yaml("web", "default", "10.0.0.2", {"v1"}, "tls");
  EXPECT_EQ(plan_reason(tls + rule), "none: no rule of VirtualService default/web applies to this tls port");
  const auto with_tls =
      rule_yaml("web", "default", "a.com, web",
                "  tls:\n  - match: [{sniHosts: [a.com]}]\n    route: [{destination: {host: web}}]\n");
  EXPECT_NE(plan_reason(tls + with_tls).find("matches the SNI"), std::string::npos) << plan_reason(tls + with_tls);
}

TEST(FindOutcome, ADestinationThatIsHeadlessIsLeftAlone) {
  std::string headless = service_yaml("hl", "default", "10.0.0.3");
  headless.replace(headless.find("clusterIP: 10.0.0.3"), 19, "clusterIP: None    ");
  const auto table = table_of(service_yaml("web", "default", "10.0.0.2") + headless +
                              rule_yaml("web", "default", "web", "  http:\n  - route: [{destination: {host: hl}}]\n"));
  EXPECT_NE(text(outcome(*table)).find("go to the address that was dialled"), std::string::npos)
      << text(outcome(*table));
}

// istio-facts 40, 41.
TEST(FindOutcome, TcpRoutesByPortProtocolSubnetAndSource) {
  const std::string rules = rule_yaml("web", "default", "web", R"(
  http:
  - route: [{destination: {host: web, subset: v3}}]
  tcp:
  - match: [{destinationSubnets: [10.9.0.0/16]}]
    route: [{destination: {host: web, subset: v1}}]
  - match: [{sourceSubnet: 10.5.0.0/16}]
    route: [{destination: {host: web, subset: v2}}]
  - match: [{destinationSubnets: [10.0.0.0/24]}]
    route: [{destination: {host: web, subset: v1}, weight: 7}, {destination: {host: web, subset: v2}, weight: 3}]
)");
  const auto with_port = [&](const std::string& name) {
    return table_of(service_yaml("web", "default", "10.0.0.2", {"v1", "v2", "v3"}, name) +
                    subsets_yaml("web", "default", "web") + rules);
  };
  EXPECT_EQ(text(outcome(*with_port("http"))), "kernel web#0 v3:1");
  EXPECT_EQ(text(outcome(*with_port("tcp"))), "kernel web#2 v1:7 v2:3");
  EXPECT_EQ(text(outcome(*with_port("unnamed"))), "proxy fallback web#0 v3:1") << "the bytes tell which rules hold";
  Client client = pod_of("default");
  client.address = IpAddress::parse("10.5.1.1");
  EXPECT_EQ(text(outcome(*with_port("tcp"), client)), "kernel web#2 v1:7 v2:3")
      << "the closest destination comes first, as Envoy's filter chains have it";
  client.address = IpAddress::parse("10.6.1.1");
  EXPECT_EQ(text(outcome(*with_port("tcp"), client)), "kernel web#2 v1:7 v2:3");
}

TEST(FindOutcome, TcpRoutesOnAnUnnamedPortWithoutHttpRules) {
  const auto table =
      table_of(service_yaml("web", "default", "10.0.0.2", {"v1"}, "unnamed") + subsets_yaml("web", "default", "web") +
               rule_yaml("web", "default", "web", "  tcp:\n  -\n" + kToV1));
  EXPECT_EQ(text(outcome(*table)), "kernel web#0 v1:1");
  const auto missed =
      table_of(service_yaml("web", "default", "10.0.0.2", {"v1"}, "tcp") +
               rule_yaml("web", "default", "web", "  tcp:\n  - match: [{destinationSubnets: [1.0.0.0/8]}]\n" + kToV1));
  EXPECT_NE(text(outcome(*missed)).find("no rule of VirtualService default/web applies"), std::string::npos);
}

TEST(FindOutcome, ARuleOfAnotherNamespaceHasItsNamespaceInItsName) {
  const auto table =
      table_of(service_yaml("web", "default", "10.0.0.2") +
               rule_yaml("web", "other", kWeb, "  http:\n  - route: [{destination: {host: " + kWeb + "}}]\n"));
  EXPECT_EQ(outcome(*table).rule, "other/web#0");
}

TEST(DefaultOutcome, IsOverAllHealthyEndpoints) {
  const auto table = table_of(service_yaml("web", "default", "10.0.0.2"));
  const Service* service = find_service_by_host(*table, Client{}, kWeb);
  const Outcome found = default_outcome(*table, Client{}, *service, *service->find_port(80), "why");
  ASSERT_EQ(found.destinations.size(), 1U);
  EXPECT_EQ(found.destinations[0].endpoints.size(), 3U);
  EXPECT_EQ(found.reason, "why");
}

// A header rule of such a port was said to hold, and connections of HTTP/2 went past it.
TEST(FindOutcome, WhatHttp2DoesNotGetIsSaid) {
  const auto said = [](const std::string& port_name, const std::string& http) {
    const auto table =
        table_of(service_yaml("web", "default", "10.0.0.2", {"v1", "v2"}, port_name) +
                 subsets_yaml("web", "default", "web") + rule_yaml("web", "default", "web", "  http:\n" + http));
    return conditions_of(*table).find("[WEIR0318]") != std::string::npos;
  };
  const std::string by_header = "  - match: [{headers: {a: {exact: b}}}]\n" + kToV1 + "  -\n" + kSplit;
  for (const char* name : {"grpc", "http2", "grpc-web"}) EXPECT_TRUE(said(name, by_header)) << name;
  EXPECT_FALSE(said("http", by_header));
  EXPECT_FALSE(said("grpc", "  -\n" + kSplit)) << "decided per connection, whatever is spoken";
}

}  // namespace
}  // namespace weir::routing
