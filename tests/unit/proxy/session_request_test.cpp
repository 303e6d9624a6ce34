// Which rule takes a request, and what follows from it before an endpoint is asked.

#include "proxy_fixture.h"

namespace weir::proxy {
namespace {

class SessionRequest : public ProxyTest {};
WEIR_BOTH_LOOPS(SessionRequest);

TEST_P(SessionRequest, JasonGoesToV2OnTheSameConnection) {
  start(R"(
  - match: [{headers: {end-user: {exact: jason}}}]
    route: [{destination: {host: web.test, subset: v2}}]
  - route: [{destination: {host: web.test, subset: v1}}]
)");
  Peer& client = dial();
  EXPECT_EQ(body_of(get(client)), "v1");
  EXPECT_EQ(body_of(get(client, "/", "end-user: jason\r\n")), "v2");
  EXPECT_EQ(body_of(get(client, "/", "end-user: jason2\r\n")), "v1");
  EXPECT_EQ(body_of(get(client, "/", "End-User: jason\r\n")), "v2");
  EXPECT_EQ(body_of(get(client, "/", "end-user: jason\r\nConnection: end-user\r\n")), "v2")
      << "what Connection names is gone for the endpoint, not for the rules";
}

TEST_P(SessionRequest, WeightsAreExactPerRequest) {
  start(R"(
  - match: [{uri: {prefix: "/"}}]
    rewrite: {uri: "/"}
    route:
    - {destination: {host: web.test, subset: v1}, weight: 90}
    - {destination: {host: web.test, subset: v2}, weight: 10}
)");
  Peer& client = dial();
  for (int count = 0; count < 1000; ++count) get(client);
  EXPECT_NEAR(static_cast<double>(v2().requests.size()), 100, 1.01);
  EXPECT_EQ(v1().peers.size(), 1U);
  EXPECT_EQ(v2().peers.size(), 1U);
}

TEST_P(SessionRequest, NothingMatches404) {
  start("  - match: [{uri: {exact: /only}}]\n    route: [{destination: {host: web.test, subset: v1}}]\n");
  Peer& client = dial();
  const std::string answer = get(client, "/other");
  EXPECT_EQ(status_of(answer), "404");
  EXPECT_EQ(body_of(answer), "");
  EXPECT_TRUE(contains(answer, "date: "));
  EXPECT_EQ(body_of(get(client, "/only")), "v1") << "the connection lives on";
  ASSERT_NE(traffic(""), nullptr);
  EXPECT_EQ(traffic("")->flags[kNoRouteNumber].get(), 1U);
}

TEST_P(SessionRequest, N7_MissingAndEmptySubsetsAre503) {
  start(R"(
  - match: [{uri: {exact: /missing}}]
    route: [{destination: {host: web.test, subset: v9}}]
  - match: [{uri: {exact: /nohost}}]
    route: [{destination: {host: nosuch.test}}]
  - match: [{uri: {exact: /half}}]
    route:
    - {destination: {host: web.test, subset: v1}, weight: 50}
    - {destination: {host: web.test, subset: v9}, weight: 50}
  - route: [{destination: {host: web.test, subset: empty}}]
)");
  Peer& client = dial();
  EXPECT_EQ(status_of(get(client, "/missing")), "503");
  EXPECT_EQ(status_of(get(client, "/nohost")), "503");
  const std::string empty = get(client, "/x");
  EXPECT_EQ(status_of(empty), "503");
  EXPECT_EQ(body_of(empty), "no healthy upstream");
  int refused = 0;
  for (int count = 0; count < 100; ++count) refused += status_of(get(client, "/half")) == "503" ? 1 : 0;
  EXPECT_NEAR(refused, 50, 1) << "its share is refused, not moved";
  ASSERT_NE(traffic("web.test:80/empty"), nullptr);
  EXPECT_EQ(traffic("web.test:80/empty")->flags[kNoHealthyEndpointNumber].get(), 1U);
  ASSERT_NE(traffic("web.test:80/v9"), nullptr);
  EXPECT_GT(traffic("web.test:80/v9")->flags[kNoClusterNumber].get(), 0U);
}

TEST_P(SessionRequest, WithoutRulesTheDefaultRouteHolds) {
  start("");
  Peer& client = dial();
  for (int count = 0; count < 10; ++count) EXPECT_EQ(status_of(get(client)), "200");
  EXPECT_EQ(v1().requests.size(), 5U);
  EXPECT_EQ(v2().requests.size(), 5U);
}

TEST_P(SessionRequest, AnUnknownHostGoesToWhoeverWasDialled) {
  start(kToV1);
  Peer& client = dial();
  EXPECT_EQ(status_of(ask(client, "GET / HTTP/1.1\r\nHost: other.example\r\n\r\n")), "200");
  EXPECT_TRUE(contains(v1().requests.empty() ? v2().requests[0] : v1().requests[0], "host: other.example\r\n"));
}

TEST_P(SessionRequest, UnderRegistryOnlyAnUnknownHostIs502) {
  start(kToV1);
  worker->set_snapshot(snapshot_of(yaml(kToV1) + "---\noutboundTrafficPolicy: {mode: REGISTRY_ONLY}\n"));
  Peer& client = dial();
  const std::string answer = ask(client, "GET / HTTP/1.1\r\nHost: other.example\r\n\r\n");
  EXPECT_TRUE(status_of(answer) == "502" || status_of(answer) == "200") << answer;
}

TEST_P(SessionRequest, H21_HostInAnyCaseWithDotAndPort) {
  start(kToV1);
  Peer& client = dial();
  for (const char* host : {"WEB.test", "web.test.", "web.test:80", "web.test:9999", "127.96.0.2"}) {
    EXPECT_EQ(body_of(ask(client, "GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n")), "v1") << host;
    EXPECT_TRUE(contains(v1().requests.back(), "host: " + std::string(host) + "\r\n")) << "as the client wrote it";
  }
}

TEST_P(SessionRequest, H22_AbsoluteFormReplacesHost) {
  start(kToV1);
  Peer& client = dial();
  EXPECT_EQ(body_of(ask(client, "GET http://web.test/x?y HTTP/1.1\r\nHost: other.example\r\n\r\n")), "v1");
  EXPECT_TRUE(v1().requests[0].starts_with("GET /x?y HTTP/1.1\r\nhost: web.test\r\n")) << v1().requests[0];
}

TEST_P(SessionRequest, H23_PathsAreNormalisedBeforeTheyAreMatchedAndSent) {
  start("  - match: [{uri: {prefix: /admin}}]\n    route: [{destination: {host: web.test, subset: v2}}]\n" +
        std::string(kToV1));
  Peer& client = dial();
  EXPECT_EQ(body_of(get(client, "/x/../admin")), "v2");
  EXPECT_TRUE(v2().requests[0].starts_with("GET /admin HTTP/1.1\r\n"));
  EXPECT_EQ(body_of(get(client, "/%61dmin")), "v2");
  EXPECT_EQ(body_of(get(client, "/admi%2F")), "v1");
  EXPECT_EQ(status_of(get(client, "/%00")), "400");
}

TEST_P(SessionRequest, RedirectAndDirectResponse) {
  start(R"(
  - match: [{uri: {exact: /old}}]
    redirect: {uri: /new, redirectCode: 302}
    headers: {response: {set: {x-added: "1"}}}
  - match: [{uri: {exact: /teapot}}]
    directResponse: {status: 418, body: {string: short and stout}}
  - match: [{uri: {exact: /nothing}}]
    directResponse: {status: 204, body: {string: dropped}}
  - route: [{destination: {host: web.test, subset: v1}}]
)");
  Peer& client = dial();
  const std::string moved = get(client, "/old?q=1");
  EXPECT_EQ(status_of(moved), "302");
  EXPECT_TRUE(contains(moved, "location: http://web.test/new?q=1\r\n")) << moved;
  EXPECT_TRUE(contains(moved, "x-added: 1\r\n"));
  const std::string teapot = get(client, "/teapot");
  EXPECT_EQ(status_of(teapot), "418");
  EXPECT_EQ(body_of(teapot), "short and stout");
  client.send("GET /nothing HTTP/1.1\r\nHost: web.test\r\n\r\n");
  ASSERT_TRUE(pump([&] { return client.received.ends_with("\r\n\r\n"); }));
  EXPECT_FALSE(contains(client.received, "content-length"));
  client.received.clear();
  client.send("HEAD /teapot HTTP/1.1\r\nHost: web.test\r\n\r\n");
  ASSERT_TRUE(pump([&] { return client.received.ends_with("\r\n\r\n"); }));
  client.received.clear();
  EXPECT_EQ(body_of(get(client)), "v1");
  // A body that nobody reads ends the connection.
  const std::string posted = ask(client, "POST /teapot HTTP/1.1\r\nHost: web.test\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_TRUE(contains(posted, "connection: close\r\n"));
  ASSERT_TRUE(pump([&] { return client.gone(); }));
}

TEST_P(SessionRequest, FaultAbortsAndDelays) {
  start(R"(
  - match: [{uri: {exact: /abort}}]
    fault: {abort: {httpStatus: 555, percentage: {value: 100}}}
    headers: {response: {set: {x-added: "1"}}}
    route: [{destination: {host: web.test, subset: v1}}]
  - match: [{uri: {exact: /delay}}]
    fault: {delay: {fixedDelay: 50ms, percentage: {value: 100}}}
    timeout: 20ms
    route: [{destination: {host: web.test, subset: v1}}]
  - match: [{uri: {exact: /never}}]
    fault: {abort: {httpStatus: 555}}
    route: [{destination: {host: web.test, subset: v1}}]
  - match: [{uri: {exact: /half}}]
    fault: {abort: {httpStatus: 555, percentage: {value: 50}}}
    route: [{destination: {host: web.test, subset: v1}}]
)");
  Peer& client = dial();
  const std::string aborted = get(client, "/abort");
  EXPECT_EQ(status_of(aborted), "555");
  EXPECT_EQ(body_of(aborted), "fault filter abort");
  EXPECT_TRUE(contains(aborted, "x-added: 1\r\n"));
  EXPECT_TRUE(v1().peers.empty());
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(status_of(get(client, "/delay")), "200") << "the delay is no part of the timeout (istio-facts 35)";
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(50));
  EXPECT_EQ(status_of(get(client, "/never")), "200") << "no percentage is 0 %";
  int halves = 0;
  for (int count = 0; count < 400; ++count) halves += status_of(get(client, "/half")) == "555" ? 1 : 0;
  EXPECT_NEAR(halves, 200, 60);
  ASSERT_NE(traffic("web.test:80/v1"), nullptr);
}

TEST_P(SessionRequest, AClientThatGoesDuringADelayLeavesNothing) {
  start(
      "  - fault: {delay: {fixedDelay: 10s, percentage: {value: 100}}}\n    route: [{destination: {host: web.test, "
      "subset: v1}}]\n");
  Peer& client = dial();
  client.send("GET / HTTP/1.1\r\nHost: web.test\r\n\r\n");
  ASSERT_TRUE(pump([&] { return worker->loop_stats().requests.get() == 1; }));
  client.close_with_reset();
  EXPECT_TRUE(pump([&] { return worker->session_count() == 0; }));
}

TEST_P(SessionRequest, CorsPreflightsAreAnsweredHere) {
  start(R"(
  - corsPolicy: {allowOrigins: [{exact: "https://a.example"}], allowMethods: [GET, PUT], allowCredentials: true}
    route: [{destination: {host: web.test, subset: v1}}]
)");
  Peer& client = dial();
  const std::string preflight = ask(client,
                                    "OPTIONS / HTTP/1.1\r\nHost: web.test\r\nOrigin: https://a.example\r\n"
                                    "Access-Control-Request-Method: PUT\r\n\r\n");
  EXPECT_EQ(status_of(preflight), "200");
  EXPECT_TRUE(contains(preflight, "access-control-allow-methods: GET,PUT\r\n")) << preflight;
  EXPECT_TRUE(v1().peers.empty());
  const std::string simple = get(client, "/", "Origin: https://a.example\r\n");
  EXPECT_TRUE(contains(simple, "access-control-allow-origin: https://a.example\r\n")) << simple;
  EXPECT_FALSE(contains(get(client, "/", "Origin: https://b.example\r\n"), "access-control-allow-origin"));
}

TEST_P(SessionRequest, ANewSnapshotHoldsFromTheNextRequestOn) {
  start(kToV1);
  Peer& client = dial();
  EXPECT_EQ(body_of(get(client)), "v1");
  v1().answer = nullptr;
  client.send("GET / HTTP/1.1\r\nHost: web.test\r\n\r\n");
  ASSERT_TRUE(pump([&] { return is_whole(v1().peers[0]->received); }));
  worker->set_snapshot(snapshot_of(yaml("  - route: [{destination: {host: web.test, subset: v2}}]\n")));
  v1().peers[0]->send(ok("old"));
  EXPECT_EQ(body_of(take_answer(client)), "old") << "what was under way ends as it began";
  EXPECT_EQ(body_of(get(client)), "v2");
}

TEST_P(SessionRequest, ManyChangesWithRequestsUnderWayLoseNone) {
  start(kToV1);
  Peer& client = dial();
  for (int change = 0; change < 100; ++change) {
    const bool to_v2 = change % 2 == 1;
    client.send("GET / HTTP/1.1\r\nHost: web.test\r\n\r\n");
    if (change % 3 == 0) settle(1);
    worker->set_snapshot(
        snapshot_of(yaml(to_v2 ? "  - route: [{destination: {host: web.test, subset: v2}}]\n" : kToV1)));
    ASSERT_EQ(status_of(take_answer(client)), "200") << change;
  }
}

TEST_P(SessionRequest, H38_AGatewayBelievesNothingOfTheWayHere) {
  start(kToV1);
  const std::string objects = yaml("") + R"(---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: )" +
                              std::to_string(address.port) +
                              R"(, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: edge, namespace: default}
spec:
  hosts: ["*"]
  gateways: [edge]
  http:
  - match: [{headers: {x-envoy-internal: {exact: "true"}}}]
    route: [{destination: {host: web.test, subset: v2}}]
  - route: [{destination: {host: web.test, subset: v1}}]
)";
  config::Store store;
  (void)store.set(config::read_yaml(objects, "test.yaml"));
  const std::vector<routing::GatewayIdentity> gateways{{"istio-system", {{"istio", "ingressgateway"}}}};
  routing::BuildOptions build;
  build.gateways = gateways;
  worker->set_snapshot(make_snapshot(routing::build_table(store, build), {}, shared, gateways));
  EXPECT_EQ(body_of(get("/",
                        "X-Envoy-Internal: true\r\nx-envoy-retry-on: 5xx\r\nX-Forwarded-Proto: https\r\n"
                        "X-Forwarded-For: 1.2.3.4\r\n")),
            "v1");
  const std::string& seen = v1().requests.at(0);
  EXPECT_FALSE(contains(seen, "x-envoy-")) << seen;
  EXPECT_TRUE(contains(seen, "x-forwarded-proto: http\r\n")) << seen;
  EXPECT_TRUE(contains(seen, "x-forwarded-for: 1.2.3.4, 127.0.0.1\r\n")) << seen;
}

}  // namespace
}  // namespace weir::proxy
