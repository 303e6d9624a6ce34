// Sticky versions, load balancing and limits.

#include <array>
#include <map>
#include <numeric>

#include "proxy_fixture.h"

namespace weir::proxy {
namespace {

constexpr std::string_view kHalf =
    "  - route:\n    - {destination: {host: web.test, subset: v1}, weight: 50}\n"
    "    - {destination: {host: web.test, subset: v2}, weight: 50}\n";
constexpr std::string_view kAll = "  - route: [{destination: {host: web.test}}]\n";

class SessionChoose : public ProxyTest {
 protected:
  /// Which origin answers a request with these fields.
  std::string version(Peer& client, std::string_view path, std::string_view fields = "") {
    return body_of(get(client, path, fields));
  }
  /// Sends without waiting for an answer.
  Peer& send_get(std::string_view fields = "") {
    Peer& client = dial();
    const std::string text = "GET / HTTP/1.1\r\nHost: web.test\r\n" + std::string(fields) + "\r\n";
    EXPECT_EQ(client.send(text), text.size());
    return client;
  }
};
WEIR_BOTH_LOOPS(SessionChoose);

struct StickyKind {
  const char* annotation;
  const char* path;    // with %s for the user
  const char* fields;  // the same
};

std::string with_user(std::string_view text, int user) {
  std::string result(text);
  const size_t at = result.find("%s");
  return at == std::string::npos ? result : result.replace(at, 2, "user-" + std::to_string(user));
}

TEST_P(SessionChoose, AStickyUserKeepsItsVersion) {
  for (const StickyKind& kind :
       {StickyKind{"header:X-User", "/", "X-User: %s\r\n"}, StickyKind{"cookie:user", "/", "Cookie: a=b; user=%s\r\n"},
        StickyKind{"query:user", "/?a=b&user=%s", ""}}) {
    annotations = ", annotations: {\"weir.dev/sticky\": \"" + std::string(kind.annotation) + "\"}";
    worker.reset();
    clients.clear();
    start(kHalf);
    Peer& client = dial();
    std::map<std::string, int> seen;
    for (int user = 0; user < 40; ++user) {
      const std::string first = version(client, with_user(kind.path, user), with_user(kind.fields, user));
      ++seen[first];
      for (int again = 0; again < 3; ++again) {
        EXPECT_EQ(version(client, with_user(kind.path, user), with_user(kind.fields, user)), first) << kind.annotation;
      }
    }
    EXPECT_GT(seen["v1"], 8) << kind.annotation;
    EXPECT_GT(seen["v2"], 8) << kind.annotation;
  }
}

TEST_P(SessionChoose, AStickySourceKeepsItsVersionOverConnections) {
  annotations = ", annotations: {\"weir.dev/sticky\": \"source-ip\"}";
  start(kHalf);
  const std::string first = body_of(get());
  for (int count = 0; count < 10; ++count) EXPECT_EQ(body_of(get()), first);
}

TEST_P(SessionChoose, WithoutItsKeyARequestCountsAsAnyOther) {
  annotations = ", annotations: {\"weir.dev/sticky\": \"header:x-user\"}";
  start(kHalf);
  Peer& client = dial();
  std::map<std::string, int> seen;
  for (int count = 0; count < 40; ++count) ++seen[version(client, "/")];
  EXPECT_NEAR(seen["v1"], 20, 1);
}

TEST_P(SessionChoose, AVersionsShareIsExactWhateverBalancesItsEndpoints) {
  for (const char* simple : {"ROUND_ROBIN", "RANDOM", "LEAST_REQUEST"}) {
    worker.reset();
    clients.clear();
    start(kHalf, "  trafficPolicy: {loadBalancer: {simple: " + std::string(simple) + "}}\n");
    Peer& client = dial();
    std::map<std::string, int> seen;
    for (int count = 0; count < 100; ++count) ++seen[version(client, "/")];
    EXPECT_NEAR(seen["v1"], 50, 1) << simple;
  }
}

TEST_P(SessionChoose, ConsistentHashByHeader) {
  add_origin("v3");
  start(kAll, "  trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: X-User}}}\n");
  Peer& client = dial();
  std::map<std::string, int> seen;
  for (int user = 0; user < 30; ++user) {
    const std::string field = "x-user: " + std::to_string(user) + "\r\n";
    const std::string first = version(client, "/", field);
    ++seen[first];
    EXPECT_EQ(version(client, "/", field), first);
  }
  EXPECT_EQ(seen.size(), 3U);
}

TEST_P(SessionChoose, ACookieIsMadeAndHonoured) {
  start(kAll, "  trafficPolicy: {loadBalancer: {consistentHash: {httpCookie: {name: user, path: /p, ttl: 60s}}}}\n");
  Peer& client = dial();
  for (int round = 0; round < 10; ++round) {
    const std::string answer = get(client);
    const size_t at = answer.find("set-cookie: user=\"");
    ASSERT_NE(at, std::string::npos) << answer;
    EXPECT_TRUE(contains(answer, "\"; Max-Age=60; Path=/p; HttpOnly\r\n")) << answer;
    const std::string value = answer.substr(at + 18, answer.find('"', at + 18) - at - 18);
    const std::string again = get(client, "/", "Cookie: user=\"" + value + "\"\r\n");
    EXPECT_EQ(body_of(again), body_of(answer));
    EXPECT_FALSE(contains(again, "set-cookie"));
  }
}

TEST_P(SessionChoose, PassthroughGoesToWhoeverWasDialled) {
  start(kAll,
        "  trafficPolicy: {loadBalancer: {simple: PASSTHROUGH}, connectionPool: {tcp: {connectTimeout: 50ms}}}\n");
  get();
  EXPECT_TRUE(v1().requests.empty() && v2().requests.empty()) << "127.96.0.2:80 is nobody's";
}

TEST_P(SessionChoose, NoMoreRequestsThanTheLimit) {
  start(kToV1, "  trafficPolicy: {connectionPool: {http: {http2MaxRequests: 2}}}\n");
  v1().answer = nullptr;
  send_get();
  send_get();
  ASSERT_TRUE(pump([&] { return v1().peers.size() == 2 && is_whole(v1().peers[1]->received); }));
  const std::string answer = get();
  EXPECT_EQ(status_of(answer), "503");
  EXPECT_TRUE(contains(body_of(answer), "overflow")) << answer;
  EXPECT_EQ(traffic("web.test:80/v1")->flags[kOverflowNumber].get(), 1U);
  for (const auto& peer : v1().peers) peer->send(ok());
  ASSERT_TRUE(pump([&] { return !clients[1]->received.empty() && !clients[0]->received.empty(); }));
  v1().answer = [](const std::string&) { return ok("room"); };
  for (const auto& peer : v1().peers) peer->received.clear();
  EXPECT_EQ(body_of(get()), "room");
}

/// Istio's task "Circuit Breaking": one connection, one that waits, the third is refused.
TEST_P(SessionChoose, OneConnectionOneWaits) {
  start(kToV1, "  trafficPolicy: {connectionPool: {tcp: {maxConnections: 1}, http: {http1MaxPendingRequests: 1}}}\n");
  v1().answer = nullptr;
  send_get();
  ASSERT_TRUE(pump([&] { return v1().peers.size() == 1 && is_whole(v1().peers[0]->received); }));
  v1().peers[0]->received.clear();
  Peer& second = send_get();
  settle();
  const std::string third = get();
  EXPECT_EQ(status_of(third), "503") << third;
  EXPECT_TRUE(contains(third, "overflow"));
  EXPECT_EQ(v1().peers.size(), 1U);
  v1().peers[0]->send(ok("first"));
  ASSERT_TRUE(pump([&] { return is_whole(v1().peers[0]->received); })) << "the second has its turn";
  v1().peers[0]->send(ok("second"));
  EXPECT_EQ(body_of(take_answer(second)), "second");
  EXPECT_EQ(v1().peers.size(), 1U);
}

TEST_P(SessionChoose, AClientThatGoesWhileItWaitsLeavesTheQueue) {
  start(kToV1, "  trafficPolicy: {connectionPool: {tcp: {maxConnections: 1}}}\n");
  v1().answer = nullptr;
  send_get();
  ASSERT_TRUE(pump([&] { return v1().peers.size() == 1 && is_whole(v1().peers[0]->received); }));
  v1().peers[0]->received.clear();
  Peer& second = send_get();
  settle();
  second.close_with_reset();
  ASSERT_TRUE(pump([&] { return worker->session_count() == 1; }));
  Peer& third = send_get();
  settle();
  v1().peers[0]->send(ok("first"));
  ASSERT_TRUE(pump([&] { return is_whole(v1().peers[0]->received); }));
  v1().peers[0]->send(ok("third"));
  EXPECT_EQ(body_of(take_answer(third)), "third");
  EXPECT_EQ(shared->destinations.get("web.test:80/v1")->pending.load(), 0U);
}

/// Of four clients on one connection one was served 771 times and the others 4, 2 and 1: who had just been answered
/// took the connection before those who waited for it were called.
TEST_P(SessionChoose, WhoWaitsForAConnectionIsServedInOrder) {
  start(kToV1, "  trafficPolicy: {connectionPool: {tcp: {maxConnections: 1}}}\n");
  std::array<int, 4> answers{};
  for (size_t number = 0; number < answers.size(); ++number) send_get();
  ASSERT_TRUE(pump([&] {
    for (size_t number = 0; number < answers.size(); ++number) {
      Peer& client = *clients[number];
      if (!is_whole(client.received)) continue;
      ++answers[number];
      client.received.clear();
      client.send("GET / HTTP/1.1\r\nHost: web.test\r\n\r\n");
    }
    return std::accumulate(answers.begin(), answers.end(), 0) >= 100;
  }));
  for (const int count : answers) EXPECT_NEAR(count, 25, 1);
  EXPECT_EQ(v1().peers.size(), 1U);
}

/// The same with connections that the endpoint closes after each answer.
TEST_P(SessionChoose, WhoWaitsIsServedInOrderThoughConnectionsClose) {
  start(kToV1, "  trafficPolicy: {connectionPool: {tcp: {maxConnections: 2}, http: {maxRequestsPerConnection: 1}}}\n");
  std::array<int, 6> answers{};
  for (size_t number = 0; number < answers.size(); ++number) send_get();
  ASSERT_TRUE(pump([&] {
    for (size_t number = 0; number < answers.size(); ++number) {
      Peer& client = *clients[number];
      if (!is_whole(client.received)) continue;
      ++answers[number];
      client.received.clear();
      client.send("GET / HTTP/1.1\r\nHost: web.test\r\n\r\n");
    }
    return std::accumulate(answers.begin(), answers.end(), 0) >= 120;
  }));
  for (const int count : answers) EXPECT_NEAR(count, 20, 2);
}

/// The connection was stale, and others have taken the room for a fresh one meanwhile: an idle one will do.
TEST_P(SessionChoose, AtTheLimitAStaleConnectionIsReplacedByAnIdleOne) {
  start(kToV1, "  trafficPolicy: {connectionPool: {tcp: {maxConnections: 2}}}\n");
  v1().answer = nullptr;
  Peer& first = send_get();
  Peer& second = send_get();
  ASSERT_TRUE(pump([&] { return v1().peers.size() == 2 && is_whole(v1().peers[1]->received); }));
  for (const auto& peer : v1().peers) {
    ASSERT_TRUE(pump([&] { return is_whole(peer->received); }));
    peer->received.clear();
    peer->send(ok());
  }
  take_answer(first);
  take_answer(second);
  const auto state = shared->destinations.get("web.test:80/v1");
  state->connections.fetch_add(1);  // another thread's
  first.send("GET / HTTP/1.1\r\nHost: web.test\r\n\r\n");
  Peer* got = nullptr;
  ASSERT_TRUE(pump([&] {
    for (const auto& peer : v1().peers) got = is_whole(peer->received) ? peer.get() : got;
    return got != nullptr;
  }));
  got->received.clear();
  got->close();
  v1().answer = [](const std::string&) { return ok("again"); };
  EXPECT_EQ(body_of(take_answer(first)), "again");
  state->connections.fetch_sub(1);
}

TEST_P(SessionChoose, CountersOfLimitsComeBackToZero) {
  start(kToV1);
  for (int count = 0; count < 3; ++count) get();
  v1().stop();
  for (const auto& peer : v1().peers) peer->close_with_reset();
  settle();
  get();
  clients.clear();
  ASSERT_TRUE(pump([&] { return worker->session_count() == 0; }));
  const auto state = shared->destinations.get("web.test:80/v1");
  EXPECT_EQ(state->requests.load(), 0U);
  EXPECT_EQ(state->pending.load(), 0U);
  EXPECT_EQ(state->retries.load(), 0U);
  EXPECT_EQ(state->endpoint(v1().address)->open_requests.load(), 0U);
}

TEST_P(SessionChoose, SettingsOfThePortAndTheSubsetTakePrecedence) {
  start(kToV1,
        "  trafficPolicy:\n    connectionPool: {http: {http2MaxRequests: 1}}\n"
        "    portLevelSettings: [{port: {number: 80}, loadBalancer: {simple: RANDOM}}]\n");
  v1().answer = nullptr;
  send_get();
  ASSERT_TRUE(pump([&] { return v1().peers.size() == 1; }));
  v1().answer = [](const std::string&) { return ok(); };
  EXPECT_EQ(status_of(get()), "200") << "the port's settings replace all others";
}

// ---------------------------------------------------------------- routes of the Gateway API

/// Kubernetes Services web (the frontend), v1 and v2, and an HTTPRoute of web with these backends.
class SessionRoute : public SessionChoose {
 protected:
  void start_route(const std::string& backends) {
    std::string text = service("web", "127.96.0.2", 1);
    for (const auto& origin : origins) text += service(origin->name, "127.96.0.9", origin->address.port);
    start_with(text + R"(---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: default}
spec:
  parentRefs: [{group: '', kind: Service, name: web}]
  rules: [{matches: [{path: {value: /p}}], backendRefs: [)" +
               backends + "]}]\n");
  }
  std::string ask_web(std::string_view path) {
    return ask(dial(), "GET " + std::string(path) + " HTTP/1.1\r\nHost: web.default.svc.cluster.local\r\n\r\n");
  }
  /// How often each status came, of ten requests.
  std::map<std::string, int> statuses() {
    std::map<std::string, int> seen;
    for (int count = 0; count < 10; ++count) ++seen[ask_web("/p/x").substr(9, 3)];
    return seen;
  }

 private:
  static std::string service(const std::string& name, const std::string& ip, uint16_t port) {
    return "---\napiVersion: v1\nkind: Service\nmetadata: {name: " + name +
           ", namespace: default}\nspec: {clusterIP: " + ip +
           ", ports: [{name: http, port: 80}]}\n---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n" +
           "addressType: IPv4\nmetadata: {name: " + name +
           "-1, namespace: default, labels: {kubernetes.io/service-name: " + name +
           "}}\nports: [{name: http, port: " + std::to_string(port) +
           ", protocol: TCP}]\nendpoints: [{addresses: [127.0.0.1]}]\n";
  }
};
WEIR_BOTH_LOOPS(SessionRoute);

TEST_P(SessionRoute, ABackendThatDoesNotExistIsAnsweredForItsShare) {
  start_route("{name: v1, port: 80, weight: 4}, {name: nosuch, port: 80, weight: 1}");
  EXPECT_EQ(statuses(), (std::map<std::string, int>{{"200", 8}, {"500", 2}}));
}

TEST_P(SessionRoute, ABackendsRedirectIsOfItsShareAlone) {
  start_route(
      "{name: v1, port: 80}, {name: v2, port: 80, filters: [{type: RequestRedirect, requestRedirect: {hostname: "
      "h.test, path: {type: ReplacePrefixMatch, replacePrefixMatch: /n}}}]}");
  EXPECT_EQ(statuses(), (std::map<std::string, int>{{"200", 5}, {"302", 5}}));
  std::string answer = ask_web("/p/x");
  if (answer.find(" 302 ") == std::string::npos) answer = ask_web("/p/x");
  EXPECT_NE(answer.find("location: http://h.test/n/x\r\n"), std::string::npos) << answer;
}

TEST_P(SessionRoute, ABackendsRewriteIsOfItsShareAlone) {
  start_route(
      "{name: v1, port: 80}, {name: v2, port: 80, filters: [{type: URLRewrite, urlRewrite: {path: {type: "
      "ReplacePrefixMatch, replacePrefixMatch: /n}}}]}");
  for (int count = 0; count < 2; ++count) ask_web("/p/x");
  EXPECT_TRUE(v1().requests.at(0).starts_with("GET /p/x ")) << v1().requests.at(0);
  EXPECT_TRUE(v2().requests.at(0).starts_with("GET /n/x ")) << v2().requests.at(0);
}

}  // namespace
}  // namespace weir::proxy
