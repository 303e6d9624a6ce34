// Outlier detection and retries over several endpoints.

#include <map>

#include "proxy_fixture.h"

namespace weir::proxy {
namespace {

constexpr std::string_view kAll = "  - route: [{destination: {host: web.test}}]\n";
const std::string kUnavailable = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\ndown";

class SessionRetry : public ProxyTest {
 protected:
  std::map<std::string, int> ask_often(int times) {
    std::map<std::string, int> seen;
    Peer& client = dial();
    for (int count = 0; count < times; ++count) ++seen[body_of(get(client))];
    return seen;
  }
};
WEIR_BOTH_LOOPS(SessionRetry);

TEST_P(SessionRetry, AnEndpointThatFailsInARowIsEjected) {
  start(kAll, "  trafficPolicy: {outlierDetection: {consecutive5xxErrors: 3, maxEjectionPercent: 50}}\n");
  v2().answer = [](const std::string&) { return kUnavailable; };
  auto seen = ask_often(40);
  EXPECT_EQ(seen["down"], 3);
  EXPECT_EQ(seen["v1"], 37);
  EXPECT_EQ(shared->destinations.get("web.test:80")->endpoint(v2().address)->ejections(), 1U);
}

TEST_P(SessionRetry, AnEjectedEndpointComesBack) {
  start(kAll,
        "  trafficPolicy: {outlierDetection: {consecutiveGatewayErrors: 1, consecutive5xxErrors: 0, baseEjectionTime: "
        "50ms, interval: 10ms, maxEjectionPercent: 50}}\n");
  v2().answer = [](const std::string&) { return kUnavailable; };
  EXPECT_EQ(ask_often(10)["down"], 1);
  v2().answer = [](const std::string&) { return ok("well"); };
  ASSERT_TRUE(pump([&] { return body_of(get()) == "well"; }));
}

TEST_P(SessionRetry, FailedConnectionsEject) {
  v2().stop();
  start("  - retries: {attempts: 0}\n    route: [{destination: {host: web.test}}]\n",
        "  trafficPolicy: {outlierDetection: {consecutive5xxErrors: 2, maxEjectionPercent: 100}}\n");
  Peer& client = dial();
  int failed = 0;
  for (int count = 0; count < 20; ++count) failed += status_of(get(client)) == "503";
  EXPECT_EQ(failed, 2);
}

TEST_P(SessionRetry, WithoutTheRuleNobodyIsEjected) {
  start(kAll);
  v2().answer = [](const std::string&) { return kUnavailable; };
  EXPECT_EQ(ask_often(40)["down"], 20);
}

TEST_P(SessionRetry, ARetryGoesToAnotherEndpoint) {
  start(
      "  - retries: {attempts: 1, retryOn: 5xx}\n"
      "    route: [{destination: {host: web.test}}]\n");
  v2().answer = [](const std::string&) { return kUnavailable; };
  EXPECT_EQ(ask_often(20)["v1"], 20);
  EXPECT_GE(v2().requests.size(), 5U);
}

TEST_P(SessionRetry, NoMoreRetriesThanTheLimit) {
  start("  - retries: {attempts: 5, retryOn: 5xx}\n    route: [{destination: {host: web.test, subset: v1}}]\n",
        "  trafficPolicy: {connectionPool: {http: {maxRetries: 1}}}\n");
  v1().answer = nullptr;
  Peer& first = dial();
  first.send("GET /1 HTTP/1.1\r\nHost: web.test\r\n\r\n");
  ASSERT_TRUE(pump([&] { return v1().peers.size() == 1 && is_whole(v1().peers[0]->received); }));
  v1().peers[0]->received.clear();
  v1().peers[0]->send(kUnavailable);
  ASSERT_TRUE(pump([&] { return v1().peers.back()->received.starts_with("GET /1"); })) << "is being retried";
  Peer& second = dial();
  second.send("GET /2 HTTP/1.1\r\nHost: web.test\r\n\r\n");
  ASSERT_TRUE(pump([&] { return v1().peers.back()->received.starts_with("GET /2"); }));
  v1().peers.back()->send(kUnavailable);
  EXPECT_EQ(status_of(take_answer(second)), "503") << "one at a time";
  EXPECT_EQ(shared->destinations.get("web.test:80/v1")->retries.load(), 1U);
}

}  // namespace
}  // namespace weir::proxy
