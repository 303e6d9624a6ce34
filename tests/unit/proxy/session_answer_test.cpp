// Answers that no endpoint gives.

#include "proxy_fixture.h"

namespace weir::proxy {
namespace {

class SessionAnswer : public ProxyTest {};
WEIR_BOTH_LOOPS(SessionAnswer);

TEST_P(SessionAnswer, TheConnectionGoesOnAfterOne) {
  start("  - match: [{uri: {prefix: /direct}}]\n    directResponse: {status: 418, body: {string: tea}}\n" +
        std::string(kToV1));
  Peer& client = dial();
  const std::string answer = get(client, "/direct");
  EXPECT_EQ(status_of(answer), "418");
  EXPECT_TRUE(contains(answer, "date: ")) << answer;
  EXPECT_TRUE(contains(answer, "content-type: text/plain\r\n")) << answer;
  EXPECT_FALSE(contains(answer, "via: ")) << "it has not come through us";
  EXPECT_EQ(body_of(get(client)), "v1");
}

TEST_P(SessionAnswer, AHeadAnd204HaveNoBody) {
  start(
      "  - match: [{uri: {prefix: /gone}}]\n    directResponse: {status: 204, body: {string: text}}\n"
      "  - directResponse: {status: 200, body: {string: text}}\n");
  Peer& client = dial();
  client.send("HEAD / HTTP/1.1\r\nHost: web.test\r\n\r\n");
  ASSERT_TRUE(pump([&] { return contains(client.received, "\r\n\r\n"); }));
  EXPECT_TRUE(client.received.ends_with("\r\n\r\n")) << client.received;
  client.received.clear();
  client.send("GET /gone HTTP/1.1\r\nHost: web.test\r\n\r\n");
  ASSERT_TRUE(pump([&] { return contains(client.received, "\r\n\r\n"); }));
  EXPECT_TRUE(client.received.ends_with("\r\n\r\n")) << client.received;
  EXPECT_EQ(status_of(client.received), "204");
}

/// istio-facts 32: the connection cannot be used again, the rest of the body is not worth reading.
TEST_P(SessionAnswer, ABodyThatNobodyReadsEndsTheConnection) {
  start("  - directResponse: {status: 200, body: {string: early}}\n");
  Peer& client = dial();
  const std::string answer = ask(client, "POST / HTTP/1.1\r\nHost: web.test\r\nContent-Length: 1000\r\n\r\nhalf");
  EXPECT_EQ(body_of(answer), "early");
  EXPECT_TRUE(contains(answer, "connection: close\r\n"));
  ASSERT_TRUE(pump([&] { return client.gone(); }));
}

TEST_P(SessionAnswer, ARefusalClosesAndCounts) {
  start(kToV1);
  Peer& client = dial();
  client.send("GET / HTTP/1.1\r\nbad header\r\n\r\n");
  const std::string answer = take_answer(client);
  EXPECT_EQ(status_of(answer), "400");
  EXPECT_TRUE(contains(answer, "connection: close\r\n"));
  ASSERT_TRUE(pump([&] { return client.gone(); }));
  EXPECT_EQ(worker->loop_stats().bad_requests.get(), 1U);
}

TEST_P(SessionAnswer, H25_H26_ConnectAndTraceAreRefused) {
  start(kToV1);
  for (const char* request :
       {"CONNECT web.test:80 HTTP/1.1\r\nHost: web.test:80\r\n\r\n", "TRACE / HTTP/1.1\r\nHost: web.test\r\n\r\n"}) {
    Peer& client = dial();
    client.send(request);
    EXPECT_EQ(status_of(take_answer(client)), "405") << request;
  }
  EXPECT_TRUE(v1().peers.empty());
}

}  // namespace
}  // namespace weir::proxy
