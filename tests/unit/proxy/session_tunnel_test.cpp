// Connections that do not speak HTTP/1.1.

#include "proxy_fixture.h"

namespace weir::proxy {
namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

class SessionTunnel : public ProxyTest {
 protected:
  void start_raw(std::string_view protocol_name, std::string_view rules, std::string_view policy = "") {
    protocol = protocol_name;
    start(rules, policy);
    v1().answer = nullptr;
    v2().answer = nullptr;
  }
  Peer& the_peer(Origin& origin) {
    if (!pump([&] { return !origin.peers.empty(); })) {
      ADD_FAILURE() << "nobody has come to " << origin.name;
      return dial();
    }
    return *origin.peers.back();
  }
};
WEIR_BOTH_LOOPS(SessionTunnel);

constexpr std::string_view kTcpToV2 = "  tcp: [{route: [{destination: {host: web.test, subset: v2}}]}]\n";

TEST_P(SessionTunnel, BytesThatAreNoHttpAreCarriedAsTheyAre) {
  start_raw("TCP", kTcpToV2);
  Peer& client = dial();
  client.send("\x01\x02 anything\r\n");
  Peer& peer = the_peer(v2());
  ASSERT_TRUE(pump([&] { return peer.received == "\x01\x02 anything\r\n"; }));
  peer.send("answer");
  ASSERT_TRUE(pump([&] { return client.received == "answer"; }));
  client.shutdown_write();
  ASSERT_TRUE(pump([&] { return peer.ended; }));
  peer.send("more");
  peer.close();
  ASSERT_TRUE(pump([&] { return client.ended; }));
  EXPECT_EQ(client.received, "answermore");
  ASSERT_TRUE(pump([&] { return worker->session_count() == 0; }));
}

/// Unknown protocol: port 80 named "http" would be HTTP, so the table is asked for what it is.
class SessionAuto : public SessionTunnel {
 protected:
  void start_auto(const std::string& rules) {
    auto fd = net::listen_tcp(loopback());
    ASSERT_TRUE(fd);
    address = *net::local_address(fd->get());
    std::string text = yaml(rules);
    const auto replace = [&](std::string_view from, std::string_view to) {
      for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
        text.replace(at, from.size(), to);
    };
    replace("name: http, protocol: HTTP", "name: any");
    replace("ports: {http:", "ports: {any:");
    worker = std::make_unique<Worker>(*loop, options, snapshot_of(text), Worker::Setup{});
    worker->add_listener(std::move(*fd));
    v2().answer = nullptr;
  }
  static constexpr const char* kBoth =
      "  tcp: [{route: [{destination: {host: web.test, subset: v2}}]}]\n"
      "  http: [{route: [{destination: {host: web.test, subset: v1}}]}]\n";
};
WEIR_BOTH_LOOPS(SessionAuto);

TEST_P(SessionAuto, TheFirstBytesDecide) {
  start_auto(kBoth);
  EXPECT_EQ(body_of(get()), "v1");
  Peer& client = dial();
  client.send("*1\r\n$4\r\nPING\r\n");
  Peer& peer = the_peer(v2());
  ASSERT_TRUE(pump([&] { return peer.received == "*1\r\n$4\r\nPING\r\n"; }));
  peer.send("+PONG\r\n");
  ASSERT_TRUE(pump([&] { return client.received == "+PONG\r\n"; }));
}

TEST_P(SessionAuto, AServerThatSpeaksFirstIsHeard) {
  options.timeouts.sniff = milliseconds(20);
  start_auto(kBoth);
  Peer& client = dial();
  Peer& peer = the_peer(v2());
  peer.send("220 ready\r\n");
  ASSERT_TRUE(pump([&] { return client.received == "220 ready\r\n"; }));
  client.send("EHLO x\r\n");
  ASSERT_TRUE(pump([&] { return peer.received == "EHLO x\r\n"; }));
}

TEST_P(SessionAuto, ARequestCutAnywhereIsARequest) {
  options.timeouts.sniff = milliseconds(2);
  start_auto(kBoth);
  const std::string request = "POST /p HTTP/1.1\r\nHost: web.test\r\nContent-Length: 4\r\n\r\nbody";
  for (size_t cut = 1; cut < request.size(); ++cut) {
    Peer& client = dial();
    client.send(request.substr(0, cut));
    settle(cut % 2 == 0 ? 1 : 5);  // before and after the sniffing's end
    client.send(request.substr(cut));
    ASSERT_EQ(body_of(take_answer(client)), "v1") << cut;
  }
}

TEST_P(SessionAuto, OtherBytesCutAnywhereAreCarriedWhole) {
  start_auto(kBoth);
  const std::string bytes = "SET key value\r\nand more";
  for (size_t cut = 1; cut < bytes.size(); ++cut) {
    Peer& client = dial();
    client.send(bytes.substr(0, cut));
    settle(2);
    client.send(bytes.substr(cut));
    const size_t count = cut;
    ASSERT_TRUE(pump([&] { return v2().peers.size() == count && v2().peers.back()->received == bytes; })) << cut;
  }
}

TEST_P(SessionAuto, Http2GoesWhereTheHttpRulesLastRouteSendsIt) {
  start_auto(kBoth);
  v1().answer = nullptr;
  Peer& client = dial();
  client.send(kPreface);
  Peer& peer = the_peer(v1());
  ASSERT_TRUE(pump([&] { return peer.received == kPreface; }));
}

TEST_P(SessionAuto, WithoutATcpRuleTheServiceGetsIt) {
  start_auto("  http: [{route: [{destination: {host: web.test, subset: v1}}]}]\n");
  v1().answer = nullptr;
  for (int count = 0; count < 4; ++count) dial().send("\x01");
  ASSERT_TRUE(pump([&] { return v1().peers.size() == 2 && v2().peers.size() == 2; }));
}

TEST_P(SessionAuto, AClientThatSaysNothingAndGoes) {
  start_auto(kBoth);
  dial().shutdown_write();
  Peer& half = dial();
  half.send("GE");
  half.shutdown_write();
  dial().close_with_reset();
  ASSERT_TRUE(pump([&] { return worker->loop_stats().connections.get() == 3 && worker->session_count() == 0; }));
  EXPECT_TRUE(v1().peers.empty() && v2().peers.empty());
}

/// Blank lines without end were gathered without end; now they are a protocol that is not HTTP.
TEST_P(SessionAuto, BlankLinesWithoutEndAreNotGathered) {
  options.timeouts.sniff = std::chrono::minutes(1);
  start_auto(kBoth);
  Peer& client = dial();
  std::string lines;
  for (int count = 0; count < 50'000; ++count) lines += "\r\n";
  ASSERT_EQ(client.send(lines), lines.size());
  Peer& peer = the_peer(v2());
  ASSERT_TRUE(pump([&] { return peer.received == lines; }));
}

/// A client that says a few words and closes its side: they went nowhere.
TEST_P(SessionAuto, AFewWordsAndTheEndAreCarried) {
  options.timeouts.sniff = std::chrono::minutes(1);
  start_auto(kBoth);
  Peer& client = dial();
  client.send("PING");
  client.shutdown_write();
  Peer& peer = the_peer(v2());
  ASSERT_TRUE(pump([&] { return peer.received == "PING" && peer.ended; }));
  peer.send("PONG");
  peer.close();
  ASSERT_TRUE(pump([&] { return client.received == "PONG" && client.ended; }));
  ASSERT_TRUE(pump([&] { return worker->session_count() == 0; }));
}

TEST_P(SessionTunnel, H28_OnAnHttp1PortHttp2IsRefused) {
  start(kToV1);
  Peer& client = dial();
  client.send(kPreface);
  EXPECT_EQ(status_of(take_answer(client)), "505");
  EXPECT_TRUE(v1().peers.empty());
}

TEST_P(SessionTunnel, OnAnHttp2PortBothVersionsWork) {
  start_raw("HTTP2", kToV1);
  Peer& client = dial();
  client.send(kPreface);
  Peer& peer = the_peer(v1());
  ASSERT_TRUE(pump([&] { return peer.received == kPreface; }));
  peer.close();
  v1().peers.clear();
  v1().answer = [](const std::string&) { return ok("one"); };
  EXPECT_EQ(body_of(get()), "one");
}

TEST_P(SessionTunnel, NobodyThereIsAReset) {
  v2().stop();
  start_raw("TCP", kTcpToV2);
  Peer& client = dial();
  client.send("x");
  ASSERT_TRUE(pump([&] { return client.reset; }));
  ASSERT_TRUE(pump([&] { return worker->session_count() == 0; }));
  EXPECT_EQ(shared->destinations.get("web.test:80/v2")->connections.load(), 0U);
}

TEST_P(SessionTunnel, AnEmptySubsetIsAReset) {
  start_raw("TCP", "  tcp: [{route: [{destination: {host: web.test, subset: empty}}]}]\n");
  Peer& client = dial();
  ASSERT_TRUE(pump([&] { return client.reset; }));
}

TEST_P(SessionTunnel, NoMoreConnectionsThanTheLimit) {
  start_raw("TCP", kTcpToV2, "  trafficPolicy: {connectionPool: {tcp: {maxConnections: 1}}}\n");
  Peer& first = dial();
  first.send("x");
  the_peer(v2());
  Peer& second = dial();
  ASSERT_TRUE(pump([&] { return second.reset; }));
  EXPECT_FALSE(first.gone());
}

TEST_P(SessionTunnel, WeightsHoldByConnection) {
  start_raw("TCP",
            "  tcp: [{route: [{destination: {host: web.test, subset: v1}, weight: 75}, {destination: {host: web.test, "
            "subset: v2}, weight: 25}]}]\n");
  for (int count = 0; count < 40; ++count) dial().send("x");
  ASSERT_TRUE(pump([&] { return v1().peers.size() + v2().peers.size() == 40; }));
  EXPECT_NEAR(static_cast<double>(v2().peers.size()), 10, 1);
}

TEST_P(SessionTunnel, TunnelsAreCounted) {
  start_raw("TCP", kTcpToV2);
  Peer& client = dial();
  client.send("four");
  Peer& peer = the_peer(v2());
  peer.send("sixsix");
  ASSERT_TRUE(pump([&] { return client.received.size() == 6; }));
  client.close();
  peer.close();
  ASSERT_TRUE(pump([&] { return worker->session_count() == 0; }));
  for (const auto& entry : shared->stats.all_traffic()) {
    if (entry.destination != "web.test:80/v2" || entry.stats->of_loop(0).tunnels.get() == 0) continue;
    EXPECT_EQ(entry.stats->of_loop(0).bytes_received.get(), 4U);
    EXPECT_EQ(entry.stats->of_loop(0).bytes_sent.get(), 6U);
    EXPECT_EQ(entry.stats->of_loop(0).requests.get(), 0U);
    return;
  }
  FAIL() << "no tunnel was counted";
}

}  // namespace
}  // namespace weir::proxy
