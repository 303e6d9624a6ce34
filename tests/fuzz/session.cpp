// A whole proxy between two ends that do anything in any order: the input is a list of events (bytes, closes, resets,
// pauses of a client or an endpoint, and time). Whatever happens, nothing is left behind in the end: no session, no
// stream, no count that a limit looks at. The sockets are real, on loopback; the timeouts are a few milliseconds.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/store.h"
#include "net/loop.h"
#include "proxy/worker.h"
#include "routing/build/table_builder.h"

using namespace weir;
using namespace weir::proxy;
using std::chrono::milliseconds;

namespace {

constexpr std::string_view kRules = R"(
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web, namespace: default}
spec:
  host: web.test
  trafficPolicy:
    connectionPool: {tcp: {maxConnections: 2, connectTimeout: 5ms}, http: {http1MaxPendingRequests: 2, maxRetries: 1}}
    outlierDetection: {consecutive5xxErrors: 2, baseEjectionTime: 2ms, interval: 1ms, maxEjectionPercent: 100}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: default}
spec:
  hosts: [web.test]
  tcp: [{route: [{destination: {host: web.test}}]}]
  http:
  - match: [{uri: {prefix: /retry}}]
    retries: {attempts: 2, retryOn: "5xx,reset", perTryTimeout: 3ms}
    timeout: 9ms
    route: [{destination: {host: web.test}}]
  - match: [{uri: {prefix: /mirror}}]
    mirror: {host: web.test}
    headers: {request: {add: {x-a: "%REQ(x-b)%"}}, response: {set: {x-c: d}}}
    route: [{destination: {host: web.test}}]
  - match: [{uri: {prefix: /delay}}]
    fault: {delay: {fixedDelay: 2ms, percentage: {value: 100}}}
    route: [{destination: {host: web.test}}]
  - match: [{uri: {prefix: /direct}}]
    directResponse: {status: 200, body: {string: here}}
  - route: [{destination: {host: web.test}}]
)";

std::string services(const std::vector<uint16_t>& ports) {
  std::string text = R"(
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: web, namespace: default}
spec:
  hosts: [web.test]
  addresses: [127.96.0.2]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}, {number: 81, name: any}]
  endpoints:
)";
  for (const uint16_t port : ports) {
    text +=
        "  - {address: 127.0.0.1, ports: {http: " + std::to_string(port) + ", any: " + std::to_string(port) + "}}\n";
  }
  return text + "---";
}

/// What the ends say: whole and broken messages, and pieces of them.
constexpr std::array<std::string_view, 16> kClientTexts = {
    "GET / HTTP/1.1\r\nHost: web.test\r\n\r\n",
    "GET /retry HTTP/1.1\r\nHost: web.test\r\n\r\n",
    "POST /retry HTTP/1.1\r\nHost: web.test\r\nContent-Length: 5\r\n\r\n",
    "PUT /mirror HTTP/1.1\r\nHost: web.test\r\nTransfer-Encoding: chunked\r\n\r\n",
    "5\r\nhello\r\n",
    "0\r\n\r\n",
    "hello",
    "GET /delay HTTP/1.1\r\nHost: web.test\r\n\r\n",
    "GET /direct HTTP/1.1\r\nHost: web.test\r\nConnection: close\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: web.test\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "HEAD / HTTP/1.0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: web.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    "GET / HT",
    "\r\n\r\n",
    "\x01\x02\x03",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
};
constexpr std::array<std::string_view, 12> kEndpointTexts = {
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    "4\r\nbody\r\n",
    "0\r\n\r\n",
    "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\n\r\nuntil the end",
    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n",
    "HTTP/1.1 2",
    "nonsense\r\n\r\n",
};

class End {
 public:
  explicit End(FileDescriptor fd) : fd_(std::move(fd)) {}
  void send(std::string_view bytes) const {
    if (fd_.valid()) (void)::send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  void read() const {
    char buffer[65536];
    while (fd_.valid() && ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT) == sizeof buffer) continue;
  }
  void shutdown() const {
    if (fd_.valid()) ::shutdown(fd_.get(), SHUT_WR);
  }
  void reset() {
    if (fd_.valid()) net::set_reset_on_close(fd_.get());
    fd_.reset();
  }
  void close() { fd_.reset(); }

 private:
  FileDescriptor fd_;
};

[[noreturn]] void found(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

Options quick_options() {
  Options options;
  options.timeouts.head = options.timeouts.keep_alive = milliseconds(8);
  options.timeouts.endpoint_keep_alive = options.timeouts.body_idle = milliseconds(6);
  options.timeouts.response_head = options.timeouts.tunnel_idle = options.timeouts.answer_idle = milliseconds(10);
  options.timeouts.sniff = milliseconds(2);
  options.timeouts.mirror = milliseconds(5);
  return options;
}

/// Made once: the loop, two endpoints' listening sockets, two ports of the proxy's.
class World {
 public:
  World() {
    loop_ = std::move(*net::make_loop(net::LoopKind::kEpoll));
    std::vector<uint16_t> ports;
    for (FileDescriptor& listener : endpoints_) {
      listener = listen();
      ports.push_back(net::local_address(listener.get())->port);
    }
    std::vector<FrontendPort> frontends;
    for (size_t number = 0; number < fronts_.size(); ++number) {
      fronts_[number] = listen();
      addresses_[number] = *net::local_address(fronts_[number].get());
      frontends.push_back(
          {addresses_[number].port, *IpAddress::parse("127.96.0.2"), static_cast<uint16_t>(80 + number)});
    }
    config::Store store;
    (void)store.set(config::read_yaml(services(ports) + std::string(kRules), "fuzz.yaml"));
    snapshot_ = make_snapshot(routing::build_table(store), frontends, shared_);
  }

  void run(std::string_view events) {
    Worker worker(*loop_, quick_options(), snapshot_, {});
    for (const FileDescriptor& front : fronts_) {
      worker.add_listener(FileDescriptor(::fcntl(front.get(), F_DUPFD_CLOEXEC, 0)));
    }
    for (size_t at = 0; at + 1 < events.size() && at < 400; at += 2) {
      step(worker, static_cast<uint8_t>(events[at]), static_cast<uint8_t>(events[at + 1]));
    }
    finish(worker);
  }

 private:
  static FileDescriptor listen() {
    auto fd = net::listen_tcp({*IpAddress::parse("127.0.0.1"), 0});
    if (!fd) found("no socket to listen on");
    return std::move(*fd);
  }

  void dial(size_t front) {
    FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const net::RawAddress raw = net::to_raw(addresses_[front]);
    if (::connect(fd.get(), raw.get(), raw.length) == 0) clients_.emplace_back(std::move(fd));
  }

  /// `what`: low 4 bits the event, high 4 bits whose.
  void step(Worker& worker, uint8_t what, uint8_t value) {
    const size_t whose = what >> 4;
    End* client = clients_.empty() ? nullptr : &clients_[whose % clients_.size()];
    End* peer = peers_.empty() ? nullptr : &peers_[whose % peers_.size()];
    switch (what & 15) {
      case 0:
        if (clients_.size() < 8) dial(value % 2);
        break;
      case 1:
      case 2:
      case 3:
        if (client != nullptr) client->send(kClientTexts[value % kClientTexts.size()]);
        break;
      case 4:  // a piece
        if (client != nullptr) client->send(kClientTexts[value % kClientTexts.size()].substr(0, value / 16 + 1));
        break;
      case 5:
      case 6:
      case 7:
        if (peer != nullptr) peer->send(kEndpointTexts[value % kEndpointTexts.size()]);
        break;
      case 8:
        if (client != nullptr) end(*client, value);
        break;
      case 9:
        if (peer != nullptr) end(*peer, value);
        break;
      case 10:
        for (const auto* ends : {&clients_, &peers_}) {
          for (const End& one : *ends) one.read();
        }
        break;
      case 11:
        if (peer != nullptr) peer->send(std::string(value * 256, 'x'));
        break;
      case 12:
        worker.set_snapshot(snapshot_);
        break;
      case 13:
        if (value == 0) worker.drain(milliseconds(5));
        if (value != 0) together_ = value % 4 + 1;
        break;
      default:
        turn(value % 4);
        break;
    }
    // Some events come in one turn of the loop.
    if (together_ > 0) --together_;
    if (together_ == 0) turn(0);
  }

  static void end(End& end, uint8_t value) {
    if (value % 3 == 0) end.shutdown();
    if (value % 3 == 1) end.close();
    if (value % 3 == 2) end.reset();
  }

  void turn(int wait_ms) {
    loop_->run_once(milliseconds(wait_ms));
    for (const FileDescriptor& listener : endpoints_) {
      for (;;) {
        FileDescriptor fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!fd) break;
        peers_.emplace_back(std::move(fd));
      }
    }
  }

  void finish(Worker& worker) {
    together_ = 0;
    for (End& client : clients_) client.close();
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (worker.session_count() > 0 || worker.pool().open_count() > 0 || worker.blocks().in_use() > 0) {
      if (std::chrono::steady_clock::now() > limit) {
        std::fprintf(stderr, "%zu sessions, %zu connections, %zu blocks, %zu streams\n", worker.session_count(),
                     worker.pool().open_count(), worker.blocks().in_use(), loop_->stream_count());
      }
      if (std::chrono::steady_clock::now() > limit) found("a session, a connection or a block is left");
      turn(1);
      for (const End& peer : peers_) peer.read();
    }
    clients_.clear();
    peers_.clear();
    for (const char* name : {"web.test:80", "web.test:81"}) {
      const auto state = shared_->destinations.get(name);
      if (state->connections != 0 || state->pending != 0 || state->requests != 0 || state->retries != 0) {
        found("a count is left");
      }
      for (const FileDescriptor& endpoint : endpoints_) {
        if (state->endpoint(*net::local_address(endpoint.get()))->open_requests != 0) found("an open request is left");
      }
    }
  }

  std::unique_ptr<net::Loop> loop_;
  std::shared_ptr<SharedState> shared_ = std::make_shared<SharedState>("fuzz", 1);
  std::array<FileDescriptor, 2> endpoints_, fronts_;
  std::array<net::SocketAddress, 2> addresses_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::vector<End> clients_, peers_;
  int together_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  world.run({reinterpret_cast<const char*>(data), size});
  return 0;
}
