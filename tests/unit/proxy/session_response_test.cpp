// After an upgrade the proxy is a pipe.

#include "proxy_fixture.h"

namespace weir::proxy {
namespace {

class SessionResponse : public ProxyTest {
 protected:
  static constexpr std::string_view kUpgrade =
      "GET /chat HTTP/1.1\r\nHost: web.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: "
      "x\r\n\r\n";
  static constexpr std::string_view kSwitch =
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: "
      "y\r\n\r\n";

  /// A client and the endpoint's side of its tunnel.
  Peer& open_tunnel(Peer& client) {
    v1().answer = nullptr;
    const size_t before = v1().peers.size();
    client.send(kUpgrade);
    EXPECT_TRUE(pump([&] { return v1().peers.size() > before && is_whole(v1().peers.back()->received); }));
    Peer& endpoint = *v1().peers.back();
    endpoint.received.clear();
    endpoint.send(kSwitch);
    EXPECT_TRUE(pump([&] { return client.received.ends_with("\r\n\r\n"); }));
    EXPECT_TRUE(client.received.starts_with("HTTP/1.1 101 ")) << client.received;
    client.received.clear();
    return endpoint;
  }
};
WEIR_BOTH_LOOPS(SessionResponse);

TEST_P(SessionResponse, H27_WebSocketIsAPipe) {
  start(kToV1);
  Peer& client = dial();
  Peer& endpoint = open_tunnel(client);
  client.send("\x01ping\xff");
  ASSERT_TRUE(pump([&] { return endpoint.received == "\x01ping\xff"; }));
  endpoint.send("pong");
  ASSERT_TRUE(pump([&] { return client.received == "pong"; }));
  endpoint.close();
  ASSERT_TRUE(pump([&] { return client.ended; }));
  client.shutdown_write();
  ASSERT_TRUE(pump([&] { return worker->session_count() == 0; }));
  EXPECT_EQ(worker->pool().open_count(), 0U) << "never back into the pool";
}

TEST_P(SessionResponse, H27_TheUpgradeIsForwarded) {
  start(kToV1);
  v1().answer = nullptr;
  Peer& client = dial();
  client.send(kUpgrade);
  ASSERT_TRUE(pump([&] { return !v1().peers.empty() && is_whole(v1().peers[0]->received); }));
  EXPECT_TRUE(contains(v1().peers[0]->received, "connection: upgrade\r\nupgrade: websocket\r\n"))
      << v1().peers[0]->received;
  EXPECT_TRUE(contains(v1().peers[0]->received, "sec-websocket-key: x\r\n"));
}

TEST_P(SessionResponse, H27_BytesBehindTheRequestWaitFor101) {
  start(kToV1);
  v1().answer = nullptr;
  Peer& client = dial();
  client.send(std::string(kUpgrade) + "GET /smuggled HTTP/1.1\r\nHost: web.test\r\n\r\n");
  ASSERT_TRUE(pump([&] { return !v1().peers.empty() && is_whole(v1().peers[0]->received); }));
  settle();
  EXPECT_FALSE(contains(v1().peers[0]->received, "smuggled"));
  v1().peers[0]->received.clear();
  v1().peers[0]->send(kSwitch);
  ASSERT_TRUE(pump([&] { return contains(v1().peers[0]->received, "smuggled"); }))
      << "now they are the other protocol's";
}

/// A server that speaks right behind its 101: the tunnel hung for ever, because nobody read the endpoint again.
TEST_P(SessionResponse, FramesInTheSegmentOfThe101Pass) {
  start(kToV1);
  v1().answer = nullptr;
  for (const size_t size : {size_t{5}, size_t{5000}, size_t{300'000}}) {  // the last one: more than the client takes
    Peer& client = dial();
    const size_t before = v1().peers.size();
    client.send(kUpgrade);
    ASSERT_TRUE(pump([&] { return v1().peers.size() > before && is_whole(v1().peers.back()->received); }));
    Peer& endpoint = *v1().peers.back();
    endpoint.received.clear();
    const std::string frames(size, 'f');
    endpoint.send(std::string(kSwitch) + frames);
    ASSERT_TRUE(pump([&] { return client.received.ends_with("\r\n\r\n" + frames); })) << size;
    client.received.clear();
    client.send("question");
    ASSERT_TRUE(pump([&] { return endpoint.received == "question"; }));
    endpoint.send("answer");
    ASSERT_TRUE(pump([&] { return client.received == "answer"; }));
  }
}

/// All that a client has to say, its FIN included, in the segment of the request.
TEST_P(SessionResponse, FramesAndTheEndBehindTheUpgradeRequestPass) {
  start(kToV1);
  v1().answer = nullptr;
  Peer& client = dial();
  const std::string frames(100'000, 'f');
  client.send(std::string(kUpgrade) + frames);
  client.shutdown_write();
  ASSERT_TRUE(pump([&] { return !v1().peers.empty() && is_whole(v1().peers[0]->received); }));
  settle();
  Peer& endpoint = *v1().peers[0];
  endpoint.received.clear();
  endpoint.send(std::string(kSwitch) + "hello");
  ASSERT_TRUE(pump([&] { return endpoint.received == frames && endpoint.ended; }));
  endpoint.send("bye");
  endpoint.close();
  ASSERT_TRUE(pump([&] { return client.received.ends_with("hellobye") && client.ended; }));
  ASSERT_TRUE(pump([&] { return worker->session_count() == 0; }));
}

/// The end behind the request alone, with nothing kept before it.
TEST_P(SessionResponse, TheEndBehindTheUpgradeRequestPasses) {
  start(kToV1);
  v1().answer = nullptr;
  Peer& client = dial();
  client.send(kUpgrade);
  client.shutdown_write();
  ASSERT_TRUE(pump([&] { return !v1().peers.empty() && is_whole(v1().peers[0]->received); }));
  settle();
  v1().peers[0]->send(kSwitch);
  ASSERT_TRUE(pump([&] { return v1().peers[0]->ended; }));
}

TEST_P(SessionResponse, HeaderOperationsHoldFor101) {
  start(
      "  - headers: {response: {set: {x-rule: held}, remove: [x-secret, upgrade]}}\n"
      "    route: [{destination: {host: web.test, subset: v1}}]\n");
  v1().answer = nullptr;
  Peer& client = dial();
  client.send(kUpgrade);
  ASSERT_TRUE(pump([&] { return !v1().peers.empty() && is_whole(v1().peers[0]->received); }));
  v1().peers[0]->send(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nx-secret: s\r\n\r\n");
  ASSERT_TRUE(pump([&] { return client.received.ends_with("\r\n\r\n"); }));
  EXPECT_TRUE(contains(client.received, "x-rule: held\r\n")) << client.received;
  EXPECT_FALSE(contains(client.received, "x-secret")) << client.received;
  EXPECT_TRUE(contains(client.received, "upgrade: websocket\r\n")) << "without it the answer would be no upgrade";
}

TEST_P(SessionResponse, H27_AnAnswerOtherThan101EndsTheConnectionToTheEndpoint) {
  start(kToV1);
  v1().answer = [](const std::string&) { return ok("no"); };
  Peer& client = dial();
  EXPECT_EQ(body_of(ask(client, kUpgrade)), "no");
  EXPECT_EQ(body_of(get(client)), "no");
  EXPECT_EQ(v1().peers.size(), 2U);
}

TEST_P(SessionResponse, H27_OtherProtocolsAreStripped) {
  start(kToV1);
  Peer& client = dial();
  EXPECT_EQ(body_of(ask(client,
                        "GET / HTTP/1.1\r\nHost: web.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: "
                        "h2c\r\nHTTP2-Settings: x\r\n\r\n")),
            "v1");
  EXPECT_FALSE(contains(v1().requests[0], "upgrade")) << v1().requests[0];
  EXPECT_FALSE(contains(v1().requests[0], "http2-settings"));
}

TEST_P(SessionResponse, ATunnelHoldsBackAFastSender) {
  start(kToV1);
  Peer& client = dial();
  Peer& endpoint = open_tunnel(client);
  const std::string all(30'000'000, 'x');
  size_t sent = 0;
  for (int turn = 0; turn < 1000; ++turn) {
    sent += client.send(std::string_view(all).substr(sent));
    loop->run_once(milliseconds(0));
  }
  EXPECT_LT(sent, all.size());
  EXPECT_LT(loop->buffers_in_use() * net::Block::kSize, 2'500'000U);
  ASSERT_TRUE(pump(
      [&] {
        sent += client.send(std::string_view(all).substr(sent));
        return endpoint.received.size() == all.size();
      },
      std::chrono::seconds(30)));
  EXPECT_EQ(endpoint.received, all);
}

TEST_P(SessionResponse, HalfClosedTunnelsStillCarryTheOtherWay) {
  start(kToV1);
  Peer& client = dial();
  Peer& endpoint = open_tunnel(client);
  client.send("last");
  client.shutdown_write();
  ASSERT_TRUE(pump([&] { return endpoint.ended && endpoint.received == "last"; }));
  const std::string rest(200'000, 'y');
  size_t sent = 0;
  ASSERT_TRUE(pump([&] {
    sent += endpoint.send(std::string_view(rest).substr(sent));
    if (sent == rest.size() && endpoint.open()) endpoint.close();
    return client.ended;
  }));
  EXPECT_EQ(client.received.size(), rest.size());
  ASSERT_TRUE(pump([&] { return worker->session_count() == 0; }));
}

TEST_P(SessionResponse, AResetEndsBothSides) {
  start(kToV1);
  Peer& client = dial();
  Peer& endpoint = open_tunnel(client);
  client.close_with_reset();
  ASSERT_TRUE(pump([&] { return endpoint.gone(); }));
  Peer& other = dial();
  Peer& second = open_tunnel(other);
  second.close_with_reset();
  ASSERT_TRUE(pump([&] { return other.gone(); }));
  EXPECT_EQ(worker->session_count(), 0U);
}

TEST_P(SessionResponse, AnIdleTunnelIsClosed) {
  options.timeouts.tunnel_idle = milliseconds(60);
  start(kToV1);
  Peer& client = dial();
  open_tunnel(client);
  for (int beat = 0; beat < 5; ++beat) {
    client.send("x");
    settle(10);
  }
  ASSERT_TRUE(pump([&] { return client.gone(); }));
}

}  // namespace
}  // namespace weir::proxy
