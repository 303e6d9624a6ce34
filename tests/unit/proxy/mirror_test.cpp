#include "proxy/mirror.h"

#include "proxy_fixture.h"

namespace weir::proxy {
namespace {

class MirrorTest : public ProxyTest {};
WEIR_BOTH_LOOPS(MirrorTest);

TEST_P(MirrorTest, MirrorGetsACopyAndCannotHurt) {
  start(R"(
  - mirror: {host: web.test, subset: v2}
    route: [{destination: {host: web.test, subset: v1}}]
)");
  Peer& client = dial();
  EXPECT_EQ(body_of(ask(client, "POST /x HTTP/1.1\r\nHost: web.test\r\nContent-Length: 7\r\n\r\npayload")), "v1");
  ASSERT_TRUE(pump([&] { return v2().requests.size() == 1; }));
  EXPECT_TRUE(v2().requests[0].starts_with("POST /x HTTP/1.1\r\nhost: web.test\r\n"))
      << "Host unchanged (istio-facts 33)";
  EXPECT_TRUE(v2().requests[0].ends_with("payload"));
  get(client);
  ASSERT_TRUE(pump([&] { return v2().requests.size() == 2; }));
  EXPECT_EQ(v2().peers.size(), 1U) << "its connections are pooled, too";
  // Errors of the mirror: refused, silent, closed, not HTTP.
  v2().answer = [](const std::string&) { return "garbage\r\n\r\n"; };
  EXPECT_EQ(body_of(get(client)), "v1");
  v2().answer = nullptr;
  EXPECT_EQ(body_of(get(client)), "v1");
  v2().stop();
  for (const auto& peer : v2().peers) peer->close();
  EXPECT_EQ(body_of(get(client)), "v1");
  EXPECT_EQ(traffic("web.test:80/v1")->mirrors.get(), 5U);
}

TEST_P(MirrorTest, AMirrorThatDoesNotReadLosesTheCopyOnly) {
  start("  - mirror: {host: web.test, subset: v2}\n    route: [{destination: {host: web.test, subset: v1}}]\n");
  v2().answer = nullptr;
  const int small = 4096;
  Peer& client = dial();
  const std::string body(4'000'000, 'x');
  const std::string request = "POST / HTTP/1.1\r\nHost: web.test\r\nContent-Length: 4000000\r\n\r\n" + body;
  // v2 is never polled: it neither accepts nor reads.
  (void)small;
  size_t sent = 0;
  ASSERT_TRUE([&] {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!is_whole(client.received) && std::chrono::steady_clock::now() < end) {
      sent += client.send(std::string_view(request).substr(sent));
      loop->run_once(milliseconds(1));
      v1().poll();
      client.read();
    }
    return is_whole(client.received);
  }());
  EXPECT_TRUE(client.received.ends_with("v1"));
}

TEST_P(MirrorTest, MirrorPercentageAndUnknownMirrors) {
  start(R"(
  - mirrors:
    - {destination: {host: web.test, subset: v2}, percentage: {value: 25}}
    - {destination: {host: nosuch.test}}
    route: [{destination: {host: web.test, subset: v1}}]
)");
  Peer& client = dial();
  for (int count = 0; count < 400; ++count) ASSERT_EQ(status_of(get(client)), "200");
  settle();
  EXPECT_NEAR(static_cast<double>(v2().requests.size()), 100, 45);
}

}  // namespace
}  // namespace weir::proxy
