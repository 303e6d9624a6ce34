// Tries and their failures, what is changed on the way, and copies for mirrors.

#include "proxy_fixture.h"

namespace weir::proxy {
namespace {

class SessionForward : public ProxyTest {
 protected:
  static std::string to_v1(std::string_view more) {
    return "  - route: [{destination: {host: web.test, subset: v1}}]\n" + std::string(more);
  }
  /// Answers the first `count` requests with `failure`, later ones with 200.
  static std::function<std::string(const std::string&)> failing(int count, std::string failure) {
    return [count, failure = std::move(failure)](const std::string&) mutable {
      return count-- > 0 ? failure : ok("fine");
    };
  }
};
WEIR_BOTH_LOOPS(SessionForward);

const std::string kUnavailable = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\ndown";

TEST_P(SessionForward, RewritesPathAndHost) {
  start(R"yaml(
  - match: [{uri: {prefix: /old/}}]
    rewrite: {uri: /new/, authority: inner.test}
    route: [{destination: {host: web.test, subset: v1}}]
  - match: [{uri: {prefix: /rx}}]
    rewrite: {uriRegexRewrite: {match: "^/rx/([0-9]+)", rewrite: "/item/\\1"}}
    route: [{destination: {host: web.test, subset: v1}}]
)yaml");
  Peer& client = dial();
  get(client, "/old/a?b", "X-Envoy-Original-Path: /mine\r\n");
  const std::string& first = v1().requests[0];
  EXPECT_TRUE(first.starts_with("GET /new/a?b HTTP/1.1\r\nhost: inner.test\r\n")) << first;
  EXPECT_TRUE(contains(first, "x-envoy-original-path: /old/a?b\r\n")) << first;
  EXPECT_TRUE(contains(first, "x-envoy-original-host: web.test\r\n")) << first;
  EXPECT_FALSE(contains(first, "/mine")) << first;
  get(client, "/rx/42/x?y");
  EXPECT_TRUE(v1().requests[1].starts_with("GET /item/42/x?y HTTP/1.1\r\nhost: web.test\r\n")) << v1().requests[1];
  EXPECT_FALSE(contains(v1().requests[1], "x-envoy-original-host")) << v1().requests[1];
}

TEST_P(SessionForward, HeaderOperationsInIstiosOrder) {
  start(R"(
  - headers:
      request: {set: {x-set: route, x-both: set}, add: {x-add: route}, remove: [x-gone, x-both]}
      response: {add: {x-seen: route}, remove: [server]}
    route:
    - destination: {host: web.test, subset: v1}
      headers:
        request: {set: {x-set: destination}, add: {x-add: destination}}
        response: {set: {x-version: v1}}
)");
  v1().answer = [](const std::string&) { return ok("x", "server: secret\r\nx-seen: origin\r\n"); };
  const std::string answer = get("/", "X-Gone: 1\r\nX-Add: client\r\nX-Set: client\r\n");
  const std::string& request = v1().requests[0];
  EXPECT_TRUE(contains(request, "x-set: destination\r\n")) << request;
  EXPECT_FALSE(contains(request, "x-set: client")) << request;
  EXPECT_LT(request.find("x-add: client\r\n"), request.find("x-add: route\r\nx-add: destination\r\n")) << request;
  EXPECT_TRUE(contains(request, "x-both: set\r\n")) << request;
  EXPECT_FALSE(contains(request, "x-gone")) << request;
  EXPECT_TRUE(contains(answer, "x-version: v1\r\n")) << answer;
  EXPECT_LT(answer.find("x-seen: origin\r\n"), answer.find("x-seen: route\r\n")) << answer;
  EXPECT_FALSE(contains(answer, "server:")) << answer;
}

TEST_P(SessionForward, H38_AHostSetByARuleIsSent) {
  start(
      "  - headers: {request: {set: {Host: set.test}}}\n    route: [{destination: {host: web.test, subset: "
      "v1}}]\n");
  get();
  EXPECT_TRUE(contains(v1().requests[0], "host: set.test\r\n")) << v1().requests[0];
  EXPECT_TRUE(contains(v1().requests[0], "x-envoy-original-host: web.test\r\n")) << v1().requests[0];
}

TEST_P(SessionForward, RequestIdIsMadeOrPassedOn) {
  start(kToV1);
  Peer& client = dial();
  get(client);
  get(client);
  const auto id = [&](size_t number) {
    const std::string& request = v1().requests[number];
    const size_t at = request.find("x-request-id: ") + 14;
    return request.substr(at, request.find('\r', at) - at);
  };
  EXPECT_EQ(id(0).size(), 36U);
  EXPECT_NE(id(0), id(1));
  get(client, "/", "X-Request-Id: mine\r\nTraceparent: 00-a-b-01\r\nX-B3-TraceId: 1\r\n");
  EXPECT_EQ(id(2), "mine");
  EXPECT_TRUE(contains(v1().requests[2], "traceparent: 00-a-b-01\r\n"));
  EXPECT_TRUE(contains(v1().requests[2], "x-b3-traceid: 1\r\n"));
}

TEST_P(SessionForward, N4_RefusedIsRetriedAndThen503) {
  start(kToV1);
  v1().stop();
  const auto begin = std::chrono::steady_clock::now();
  const std::string answer = get();
  EXPECT_EQ(status_of(answer), "503");
  EXPECT_TRUE(contains(answer, "remote connection failure"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(2000));
  ASSERT_NE(traffic("web.test:80/v1"), nullptr);
  const TrafficStats& stats = *traffic("web.test:80/v1");
  EXPECT_EQ(stats.retries.get(), 2U) << "Istio's default";
  EXPECT_EQ(stats.flags[kConnectFailureNumber].get(), 1U);
  EXPECT_EQ(stats.flags[kRetriesUsedUpNumber].get(), 1U);
}

TEST_P(SessionForward, N4_RefusedMovesToAnotherEndpointAndCountsNoByte) {
  start("");  // both origins are the service's
  v1().stop();
  Peer& client = dial();
  for (int count = 0; count < 10; ++count) {
    EXPECT_EQ(body_of(ask(client, "POST / HTTP/1.1\r\nHost: web.test\r\nContent-Length: 2\r\n\r\nhi")), "v2");
    EXPECT_TRUE(v2().requests.back().ends_with("hi"));
  }
}

TEST_P(SessionForward, N5_ABlackHoleIs504AfterTheConnectTimeout) {
  options.timeouts.connect = milliseconds(30);
  start("  - route: [{destination: {host: web.test, subset: v1}}]\n    retries: {attempts: 0}\n");
  v1().stop();
  // A listener whose backlog is full answers no SYN.
  FileDescriptor full(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const net::RawAddress raw = net::to_raw(v1().address);
  const int on = 1;
  ::setsockopt(full.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ASSERT_EQ(::bind(full.get(), raw.get(), raw.length), 0) << errno;
  ASSERT_EQ(::listen(full.get(), 0), 0);
  std::vector<FileDescriptor> stuffing;
  for (int count = 0; count < 4; ++count) {
    stuffing.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    (void)::connect(stuffing.back().get(), raw.get(), raw.length);
  }
  const std::string answer = get();
  EXPECT_EQ(status_of(answer), "504");
  EXPECT_TRUE(contains(answer, "connection timeout"));
  EXPECT_EQ(worker->pool().open_count(), 0U);
}

TEST_P(SessionForward, N6_SilentEndpointIs504AfterTheTimeout) {
  start("  - route: [{destination: {host: web.test, subset: v1}}]\n    timeout: 50ms\n");
  v1().answer = nullptr;
  Peer& client = dial();
  const std::string answer = get(client);
  EXPECT_EQ(status_of(answer), "504");
  EXPECT_EQ(body_of(answer), "upstream request timeout");
  ASSERT_TRUE(pump([&] { return v1().peers[0]->gone(); }));
  v1().peers[0]->received.clear();
  v1().answer = [](const std::string&) { return ok("again"); };
  EXPECT_EQ(body_of(get(client)), "again") << "the client's connection lives on";
  EXPECT_EQ(traffic("web.test:80/v1")->flags[kTimeoutNumber].get(), 1U);
}

TEST_P(SessionForward, N6_WithoutATimeoutOfTheRouteTheProxysHolds) {
  options.timeouts.response_head = milliseconds(50);
  start(kToV1);
  v1().answer = nullptr;
  EXPECT_EQ(status_of(get()), "504");
}

TEST_P(SessionForward, TimeoutInTheMiddleOfAnAnswerCutsIt) {
  start("  - route: [{destination: {host: web.test, subset: v1}}]\n    timeout: 50ms\n");
  v1().answer = [](const std::string&) { return "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"; };
  Peer& client = dial();
  client.send("GET / HTTP/1.1\r\nHost: web.test\r\n\r\n");
  ASSERT_TRUE(pump([&] { return client.gone(); }));
  EXPECT_TRUE(client.received.ends_with("half"));
}

TEST_P(SessionForward, ByDefaultAnAnswerIsNeverRetried) {
  start(kToV1);
  v1().answer = failing(1, kUnavailable);
  const std::string answer = get();
  EXPECT_EQ(status_of(answer), "503");
  EXPECT_EQ(body_of(answer), "down");
  EXPECT_EQ(v1().requests.size(), 1U);
}

TEST_P(SessionForward, RetriesByStatusUntilTheyAreUsedUp) {
  start(to_v1("    retries: {attempts: 3, retryOn: 5xx}\n"));
  v1().answer = failing(2, kUnavailable);
  Peer& client = dial();
  EXPECT_EQ(body_of(get(client)), "fine");
  EXPECT_EQ(v1().requests.size(), 3U);
  EXPECT_EQ(v1().requests[0].substr(0, v1().requests[0].find("x-request-id")),
            v1().requests[2].substr(0, v1().requests[2].find("x-request-id")));
  v1().answer = failing(100, kUnavailable);
  const std::string answer = get(client);
  EXPECT_EQ(body_of(answer), "down") << "the last answer is passed on";
  EXPECT_EQ(v1().requests.size(), 7U);
  EXPECT_EQ(traffic("web.test:80/v1")->flags[kRetriesUsedUpNumber].get(), 1U);
}

TEST_P(SessionForward, RetryOnStatusesOfTheirOwn) {
  start(to_v1("    retries: {attempts: 2, retryOn: \"gateway-error,404\"}\n"));
  Peer& client = dial();
  v1().answer = failing(1, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(body_of(get(client)), "fine");
  v1().answer = failing(1, "HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(status_of(get(client)), "500");
}

TEST_P(SessionForward, ARequestThatMustNotBeRepeatedIsNot) {
  start(to_v1("    retries: {attempts: 3, retryOn: \"5xx,reset\"}\n"));
  v1().answer = failing(1, kUnavailable);
  Peer& client = dial();
  EXPECT_EQ(status_of(ask(client, "POST / HTTP/1.1\r\nHost: web.test\r\nContent-Length: 2\r\n\r\nhi")), "503");
  EXPECT_EQ(v1().requests.size(), 1U);
}

TEST_P(SessionForward, ABodyGoesOutAgain) {
  start(to_v1("    retries: {attempts: 3, retryOn: 5xx}\n"));
  v1().answer = failing(2, kUnavailable);
  Peer& client = dial();
  EXPECT_EQ(body_of(ask(client, "PUT / HTTP/1.1\r\nHost: web.test\r\nContent-Length: 5\r\n\r\nhello")), "fine");
  ASSERT_EQ(v1().requests.size(), 3U);
  EXPECT_TRUE(v1().requests[2].ends_with("hello"));
  v1().answer = failing(1, kUnavailable);
  EXPECT_EQ(
      body_of(
          ask(client, "PUT / HTTP/1.1\r\nHost: web.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")),
      "fine");
  EXPECT_TRUE(v1().requests.back().ends_with("5\r\nhello\r\n0\r\n\r\n")) << v1().requests.back();
}

TEST_P(SessionForward, ABodyTooLargeToKeepIsSentOnce) {
  start(to_v1("    retries: {attempts: 3, retryOn: 5xx}\n"));
  v1().answer = failing(1, kUnavailable);
  Peer& client = dial();
  const std::string body(200'000, 'x');
  EXPECT_EQ(status_of(ask(client, "PUT / HTTP/1.1\r\nHost: web.test\r\nContent-Length: 200000\r\n\r\n" + body)), "503");
  EXPECT_EQ(v1().requests.size(), 1U);
}

TEST_P(SessionForward, PerTryTimeout) {
  start(to_v1("    retries: {attempts: 2, perTryTimeout: 30ms, retryOn: 5xx}\n    timeout: 5s\n"));
  v1().answer = nullptr;
  const std::string answer = get();
  EXPECT_EQ(status_of(answer), "504");
  EXPECT_EQ(v1().peers.size(), 3U);
  EXPECT_EQ(traffic("web.test:80/v1")->flags[kRetriesUsedUpNumber].get(), 1U);
  EXPECT_EQ(traffic("web.test:80/v1")->flags[kTimeoutNumber].get(), 1U);
}

TEST_P(SessionForward, AResetOnAFreshConnectionIs503) {
  start(kToV1);
  v1().answer = nullptr;
  Peer& client = dial();
  client.send("GET / HTTP/1.1\r\nHost: web.test\r\n\r\n");
  ASSERT_TRUE(pump([&] { return !v1().peers.empty() && is_whole(v1().peers[0]->received); }));
  v1().peers[0]->close_with_reset();
  const std::string answer = take_answer(client);
  EXPECT_EQ(status_of(answer), "503");
  EXPECT_TRUE(contains(answer, "connection termination"));
  EXPECT_EQ(v1().peers.size(), 1U) << "the default does not retry a reset (istio-facts 36)";
  EXPECT_EQ(traffic("web.test:80/v1")->flags[kEndpointClosedNumber].get(), 1U);
}

TEST_P(SessionForward, RetryOnReset) {
  start(to_v1("    retries: {attempts: 2, retryOn: reset}\n"));
  v1().answer = nullptr;
  Peer& client = dial();
  client.send("GET / HTTP/1.1\r\nHost: web.test\r\n\r\n");
  for (size_t number = 1; number <= 3; ++number) {
    ASSERT_TRUE(pump([&] { return v1().peers.size() == number && is_whole(v1().peers.back()->received); })) << number;
    v1().peers.back()->close();
  }
  EXPECT_EQ(status_of(take_answer(client)), "503");
}

TEST_P(SessionForward, N8_AStaleConnectionIsTriedOnceMore) {
  start(kToV1);
  Peer& client = dial();
  get(client);
  // The endpoint closes at the very moment in which the next request is on its way.
  v1().answer = nullptr;
  client.send("GET /next HTTP/1.1\r\nHost: web.test\r\n\r\n");
  ASSERT_TRUE(pump([&] { return is_whole(v1().peers[0]->received); }));
  v1().peers[0]->close();
  ASSERT_TRUE(pump([&] { return v1().peers.size() == 2 && is_whole(v1().peers[1]->received); }));
  v1().peers[1]->send(ok("second"));
  EXPECT_EQ(body_of(take_answer(client)), "second");
}

TEST_P(SessionForward, N8_APostOnAStaleConnectionIsNot) {
  start(kToV1);
  Peer& client = dial();
  get(client);
  v1().answer = nullptr;
  client.send("POST /next HTTP/1.1\r\nHost: web.test\r\nContent-Length: 2\r\n\r\nhi");
  ASSERT_TRUE(pump([&] { return is_whole(v1().peers[0]->received); }));
  v1().peers[0]->close();
  EXPECT_EQ(status_of(take_answer(client)), "503");
  settle();
  EXPECT_EQ(v1().peers.size(), 1U);
}

TEST_P(SessionForward, PoolsAreNotSharedAcrossServices) {
  const std::string other = R"(---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: other, namespace: default}
spec:
  hosts: [other.test]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [{address: 127.0.0.1, ports: {http: )" +
                            std::to_string(v1().address.port) + "}}]\n";
  start(kToV1);
  worker->set_snapshot(snapshot_of(yaml(kToV1) + other));
  Peer& client = dial();
  EXPECT_EQ(body_of(get(client)), "v1");
  EXPECT_EQ(body_of(ask(client, "GET / HTTP/1.1\r\nHost: other.test\r\n\r\n")), "v1");
  EXPECT_EQ(v1().peers.size(), 2U);
}

TEST_P(SessionForward, MaxRequestsAConnection) {
  start(kToV1, "  trafficPolicy: {connectionPool: {http: {maxRequestsPerConnection: 2}}}\n");
  Peer& client = dial();
  for (int count = 0; count < 6; ++count) EXPECT_EQ(status_of(get(client)), "200");
  EXPECT_EQ(v1().peers.size(), 3U);
}

}  // namespace
}  // namespace weir::proxy
