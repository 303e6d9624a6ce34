#pragma once
// A proxy on loopback with real sockets at both ends, under both loops: the client and the endpoints are driven by the
// test, in one thread with the loop, so that every order of events can be played.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/store.h"
#include "net/loop.h"
#include "proxy/worker.h"
#include "routing/build/table_builder.h"

namespace weir::proxy {

using std::chrono::milliseconds;

inline net::SocketAddress loopback(uint16_t port = 0) {
  return {*IpAddress::parse("127.0.0.1"), port};
}

/// A socket of the test's own, never waited on.
class Peer {
 public:
  Peer() = default;
  explicit Peer(FileDescriptor fd) : fd_(std::move(fd)) {}

  static Peer dial(const net::SocketAddress& address) {
    FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const net::RawAddress raw = net::to_raw(address);
    EXPECT_EQ(::connect(fd.get(), raw.get(), raw.length), 0) << errno;
    net::set_no_delay(fd.get());
    return Peer(std::move(fd));
  }

  /// What fits into the socket; returns how much.
  size_t send(std::string_view bytes) const {
    const ssize_t count = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return count > 0 ? static_cast<size_t>(count) : 0;
  }
  void read() {
    if (!fd_.valid()) return;
    char buffer[65536];
    for (;;) {
      const ssize_t count = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (count > 0) received.append(buffer, static_cast<size_t>(count));
      if (count == 0) ended = true;
      if (count < 0 && errno == ECONNRESET) reset = true;
      if (count < static_cast<ssize_t>(sizeof buffer)) return;
    }
  }
  void shutdown_write() const { ::shutdown(fd_.get(), SHUT_WR); }
  void close() { fd_.reset(); }
  void close_with_reset() {
    net::set_reset_on_close(fd_.get());
    fd_.reset();
  }
  [[nodiscard]] bool open() const { return fd_.valid(); }
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] bool gone() const { return ended || reset; }

  std::string received;
  bool ended = false, reset = false;

 private:
  FileDescriptor fd_;
};

/// A whole request head has come, and all of a body of known length.
inline bool is_whole(std::string_view bytes) {
  const size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return false;
  const size_t length = bytes.find("content-length: ");
  const size_t body = length < end ? static_cast<size_t>(std::atoi(bytes.data() + length + 16)) : 0;
  if (bytes.substr(0, end).find("transfer-encoding: chunked") != std::string_view::npos) {
    return bytes.ends_with("0\r\n\r\n");
  }
  return bytes.size() >= end + 4 + body;
}

inline std::string ok(std::string_view body = "ok", std::string_view fields = "") {
  return "HTTP/1.1 200 OK\r\n" + std::string(fields) + "content-length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

/// An origin. By default it answers each whole request with 200 and its name.
class Origin {
 public:
  explicit Origin(std::string label) : name(std::move(label)) {
    auto fd = net::listen_tcp(loopback());
    EXPECT_TRUE(fd);
    listener_ = std::move(*fd);
    address = *net::local_address(listener_.get());
    answer = [this](const std::string&) { return ok(name); };
  }
  void accept() {
    for (;;) {
      FileDescriptor fd(listener_.valid() ? ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC) : -1);
      if (!fd) break;
      peers.push_back(std::make_unique<Peer>(std::move(fd)));
    }
  }
  void poll() {
    accept();
    for (const auto& peer : peers) {
      peer->read();
      if (!answer || !is_whole(peer->received)) continue;
      requests.push_back(std::exchange(peer->received, {}));
      const std::string text = answer(requests.back());
      if (!text.empty()) {
        EXPECT_EQ(peer->send(text), text.size());
      }
    }
  }
  /// Refuses connections from now on.
  void stop() { listener_.reset(); }

  std::string name;
  net::SocketAddress address;
  std::function<std::string(const std::string& request)> answer;  // empty function: the test answers itself
  std::vector<std::unique_ptr<Peer>> peers;
  std::vector<std::string> requests;

 private:
  FileDescriptor listener_;
};

class ProxyTest : public testing::TestWithParam<net::LoopKind> {
 protected:
  void SetUp() override {
    auto made = net::make_loop(GetParam());
    if (!made && GetParam() == net::LoopKind::kUring) GTEST_SKIP() << made.error().message;
    ASSERT_TRUE(made) << made.error().message;
    loop = std::move(*made);
    add_origin("v1");
    add_origin("v2");
  }
  void TearDown() override { worker.reset(); }

  Origin& add_origin(const std::string& name) {
    origins.push_back(std::make_unique<Origin>(name));
    return *origins.back();
  }
  Origin& v1() { return *origins[0]; }
  Origin& v2() { return *origins[1]; }

  /// Service web.test at 127.96.0.2:80 with a subset an origin's name, and the given rules of its VirtualService
  /// (`http:` list, indented by two). Empty: no VirtualService.
  [[nodiscard]] std::string yaml(std::string_view rules, std::string_view traffic_policy = "") const {
    std::string text = R"(
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: web, namespace: default}
spec:
  hosts: [web.test]
  addresses: [127.96.0.2]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: )" +
                       protocol + R"(}]
  endpoints:
)";
    for (const auto& origin : origins) {
      text += "  - {address: 127.0.0.1, ports: {http: " + std::to_string(origin->address.port) +
              "}, labels: {version: " + origin->name + "}}\n";
    }
    text += R"(---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web, namespace: default}
spec:
  host: web.test
)" + std::string(traffic_policy) +
            "  subsets:\n";
    for (const auto& origin : origins) {
      text += "  - {name: " + origin->name + ", labels: {version: " + origin->name + "}}\n";
    }
    text += "  - {name: empty, labels: {version: nobody}}\n";
    if (rules.empty()) return text;
    return text + R"(---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: default)" +
           annotations + R"(}
spec:
  hosts: [web.test]
)" + (is_whole_spec(rules) ? "" : "  http:\n") +
           std::string(rules);
  }
  static bool is_whole_spec(std::string_view rules) {
    return rules.starts_with("  tcp:") || rules.starts_with("  http:");
  }

  std::shared_ptr<const Snapshot> snapshot_of(const std::string& text) {
    config::Store store;
    config::ParsedFile file = config::read_yaml(text, "test.yaml");
    for (const auto& diagnostic : file.diagnostics) {
      EXPECT_NE(diagnostic.level, config::Level::kError) << diagnostic.message;
    }
    (void)store.set(std::move(file));
    const FrontendPort port{address.port, *IpAddress::parse("127.96.0.2"), 80};
    return make_snapshot(routing::build_table(store), {&port, 1}, shared);
  }

  void start(std::string_view rules, std::string_view traffic_policy = "") { start_with(yaml(rules, traffic_policy)); }
  /// With a configuration of the test's own: the frontend is 127.96.0.2:80.
  void start_with(const std::string& configuration) {
    auto fd = net::listen_tcp(loopback());
    ASSERT_TRUE(fd);
    address = *net::local_address(fd->get());
    worker = std::make_unique<Worker>(*loop, options, snapshot_of(configuration), Worker::Setup{0, log_fd});
    worker->add_listener(std::move(*fd));
  }

  Peer& dial() {
    clients.push_back(std::make_unique<Peer>(Peer::dial(address)));
    return *clients.back();
  }

  template <class Predicate>
  bool pump(Predicate&& done, Duration limit = std::chrono::seconds(10)) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      loop->run_once(milliseconds(1));
      for (const auto& origin : origins) origin->poll();
      for (const auto& client : clients) client->read();
    }
    return true;
  }
  /// Lets everything happen that can.
  void settle(int turns = 10) {
    for (int turn = 0; turn < turns; ++turn) {
      pump([once = false]() mutable { return std::exchange(once, true); });
    }
  }

  /// Sends, and waits for one whole answer of known length (or the end); takes it off what was received.
  std::string ask(Peer& client, std::string_view request) {
    EXPECT_EQ(client.send(request), request.size());
    return take_answer(client);
  }
  std::string take_answer(Peer& client) {
    EXPECT_TRUE(pump([&] { return is_whole(client.received) || client.gone(); })) << client.received;
    const size_t head = client.received.find("\r\n\r\n");
    if (head == std::string::npos) return std::exchange(client.received, {});
    size_t size = head + 4;
    const size_t length = client.received.find("content-length: ");
    if (length < head) size += static_cast<size_t>(std::atoi(client.received.c_str() + length + 16));
    if (client.received.find("transfer-encoding: chunked") < head) size = client.received.size();
    size = std::min(size, client.received.size());
    std::string answer = client.received.substr(0, size);
    client.received.erase(0, size);
    return answer;
  }
  std::string get(Peer& client, std::string_view path = "/", std::string_view fields = "") {
    return ask(client, "GET " + std::string(path) + " HTTP/1.1\r\nHost: web.test\r\n" + std::string(fields) + "\r\n");
  }
  std::string get(std::string_view path = "/", std::string_view fields = "") { return get(dial(), path, fields); }

  /// The counters of a destination, "web.test:80/v1", or of our own answers, "".
  const TrafficStats* traffic(std::string_view destination) {
    for (const auto& entry : shared->stats.all_traffic()) {
      if (entry.destination == destination && entry.stats->of_loop(0).requests.get() > 0)
        return &entry.stats->of_loop(0);
    }
    return nullptr;
  }

  Options options;
  std::string protocol = "HTTP";  // of the service's port
  std::string annotations;        // ", annotations: {...}" of the VirtualService
  int log_fd = -1;
  std::shared_ptr<SharedState> shared = std::make_shared<SharedState>("node", 1);
  std::vector<std::unique_ptr<Origin>> origins;
  std::vector<std::unique_ptr<Peer>> clients;
  std::unique_ptr<net::Loop> loop;
  std::unique_ptr<Worker> worker;
  net::SocketAddress address;
};

inline std::string status_of(std::string_view answer) {
  return answer.starts_with("HTTP/1.1 ") ? std::string(answer.substr(9, 3)) : std::string(answer);
}
inline std::string body_of(std::string_view answer) {
  const size_t end = answer.find("\r\n\r\n");
  return end == std::string_view::npos ? std::string() : std::string(answer.substr(end + 4));
}
inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

inline constexpr std::string_view kToV1 = "  - route: [{destination: {host: web.test, subset: v1}}]\n";

inline std::string kind_name(const testing::TestParamInfo<net::LoopKind>& info) {
  return info.param == net::LoopKind::kUring ? "uring" : "epoll";
}

#define WEIR_BOTH_LOOPS(suite) \
  INSTANTIATE_TEST_SUITE_P(Both, suite, testing::Values(net::LoopKind::kUring, net::LoopKind::kEpoll), kind_name)

}  // namespace weir::proxy
