// The raw requests of tests/unit/http/vectors.h through a whole worker, from a client's socket to an endpoint's: what
// is malformed gets its 4xx or 5xx and the end of the connection, and no endpoint ever sees a whole request of it; what
// is valid arrives equal in meaning. Whole, byte by byte, and in two pieces.

#include "tests/unit/http/vectors.h"

#include <iostream>

#include "proxy_fixture.h"

namespace weir::proxy {
namespace {

using http::HeaderId;

/// Of the connection it came on, or what a proxy writes anew.
bool is_ours(HeaderId id) {
  switch (id) {
    case HeaderId::kConnection:
    case HeaderId::kKeepAlive:
    case HeaderId::kProxyConnection:
    case HeaderId::kTe:
    case HeaderId::kTrailer:
    case HeaderId::kTransferEncoding:
    case HeaderId::kUpgrade:
    case HeaderId::kContentLength:
    case HeaderId::kHost:
    case HeaderId::kExpect:
    case HeaderId::kVia:
    case HeaderId::kXForwardedFor:
    case HeaderId::kXForwardedProto:
    case HeaderId::kXRequestId:
      return true;
    default:
      return false;
  }
}

/// What must be the same at both ends.
std::string meaning(const http::RequestHead& head) {
  std::string text = std::string(head.method_name) + " " + std::string(head.path_and_query) + "\n";
  text += "authority " + std::string(head.authority) + " upgrade " + std::string(head.upgrade) + "\n";
  for (const http::Header& header : head.headers) {
    if (is_ours(header.id) || header.nominated) continue;
    text.append(header.name).append(": ").append(header.value).append("\n");
  }
  return text;
}

/// The status with which the proxy answers itself; 0: an endpoint's business.
int own_answer(const http::RequestHead& head) {
  if (head.authority.empty()) return 400;  // HTTP/1.0 without Host: it cannot go on as HTTP/1.1
  if (head.method == http::Method::kOptions && head.max_forwards == 0U) return 200;
  return head.form == http::TargetForm::kAsterisk ? 404 : 0;
}

struct Message {
  std::string head, body;
  int own_answer = 0;
  bool operator==(const Message& other) const { return head == other.head && body == other.body; }
};
std::ostream& operator<<(std::ostream& out, const Message& message) {
  return out << message.head.substr(0, 300) << "[" << message.body.substr(0, 300) << "]";
}

/// One end of a connection as it is read.
struct Reader {
  http::RequestParser parser{http::default_limits()};
  std::vector<Message> whole;
  Message current;
  bool failed = false, heads = false;

  void read(std::string_view bytes) {
    while (!failed) {
      const http::ParseStep step = parser.feed(bytes);
      bytes.remove_prefix(step.consumed);
      switch (step.event) {
        case http::Event::kNeedMore:
          return;
        case http::Event::kHead:
          heads = true;
          current = {meaning(parser.head()), "", own_answer(parser.head())};
          break;
        case http::Event::kBody:
          current.body.append(step.body);
          break;
        case http::Event::kMessageComplete:
          whole.push_back(std::move(current));
          parser.next_message();  // after an upgrade too: the endpoint's answer is no 101
          break;
        case http::Event::kError:
          failed = true;
          break;
      }
    }
  }
  [[nodiscard]] bool between() const { return parser.idle(); }
};

/// Answers each whole request with 200, and keeps what it was.
class Endpoint {
 public:
  explicit Endpoint(Origin& origin) : origin_(&origin) {}

  void poll() {
    origin_->accept();
    for (size_t index = 0; index < origin_->peers.size(); ++index) {
      if (index == readers_.size()) readers_.push_back(std::make_unique<Reader>());
      Peer& peer = *origin_->peers[index];
      Reader& reader = *readers_[index];
      peer.read();
      bytes += peer.received.size();
      reader.read(std::exchange(peer.received, {}));
      EXPECT_FALSE(reader.failed) << "what we write is sound";
      for (Message& message : std::exchange(reader.whole, {})) {
        arrived.push_back(std::move(message));
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
      }
    }
  }
  /// No request is half here; connections that ended are forgotten.
  bool settled() {
    for (size_t index = readers_.size(); index-- > 0;) {
      if (origin_->peers[index]->gone()) {
        origin_->peers.erase(origin_->peers.begin() + static_cast<ptrdiff_t>(index));
        readers_.erase(readers_.begin() + static_cast<ptrdiff_t>(index));
      } else if (!readers_[index]->between()) {
        return false;
      }
    }
    return true;
  }

  std::vector<Message> arrived;
  size_t bytes = 0;

 private:
  Origin* origin_;
  std::vector<std::unique_ptr<Reader>> readers_;
};

/// What must come of a client's bytes.
struct Expected {
  std::vector<Message> arrived;
  std::vector<std::string> statuses;  // of all answers
  bool head_passes = false;           // a head may reach an endpoint before its body turns out to be malformed
};

Expected expected_of(std::string_view raw) {
  Expected expected;
  Reader reader;
  reader.read(raw);
  expected.head_passes = reader.heads;
  for (const Message& message : reader.whole) {
    expected.statuses.push_back(std::to_string(message.own_answer == 0 ? 200 : message.own_answer));
    if (message.own_answer == 0) expected.arrived.push_back(message);
  }
  const unsigned status = reader.failed ? reader.parser.fault_status() : 0;
  if (status != 0) expected.statuses.push_back(std::to_string(status));
  return expected;
}

std::vector<std::string> statuses_in(std::string_view answers) {
  constexpr std::string_view kLine = "HTTP/1.1 ";
  std::vector<std::string> statuses;
  for (size_t at = answers.find(kLine); at != std::string_view::npos; at = answers.find(kLine, at + 1)) {
    const std::string_view status = answers.substr(at + kLine.size(), 3);
    if (status.find_first_not_of("0123456789") == std::string_view::npos) statuses.emplace_back(status);
  }
  return statuses;
}

class Vectors : public ProxyTest {
 protected:
  void SetUp() override {
    ProxyTest::SetUp();
    if (!std::filesystem::exists(http::corpus_file())) GTEST_SKIP() << http::corpus_file() << " is absent";
    if (IsSkipped()) return;
    origins.pop_back();  // one endpoint is enough
    options.timeouts.keep_alive = options.timeouts.head = std::chrono::seconds(60);
    start("");
    worker->set_snapshot(snapshot_of(yaml("") + "---\npathNormalization: {normalization: NONE}\n"));
    endpoint.emplace(*origins[0]);
  }

  void turn() {
    loop->run_once(milliseconds(0));
    endpoint->poll();
  }

  /// Sends `raw` in two pieces (or, with `cut` 0, in one; with `cut` kBytes, byte by byte), then FIN, and waits for the
  /// end of the connection. Returns what the client got.
  std::string play(std::string_view raw, size_t cut) {
    Peer client = Peer::dial(address);
    const size_t step = cut == kBytes ? 1 : cut == 0 ? raw.size() : cut;
    for (size_t sent = 0; sent < raw.size();) {
      const size_t size = cut == kBytes || sent == 0 ? std::min(step, raw.size() - sent) : raw.size() - sent;
      EXPECT_EQ(client.send(raw.substr(sent, size)), size);
      sent += size;
      for (int count = 0; count < (cut == kBytes ? 1 : 3); ++count) turn();
      client.read();
      if (client.gone()) break;
    }
    client.shutdown_write();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!client.gone() || !endpoint->settled() || worker->session_count() > 0) {
      if (std::chrono::steady_clock::now() > end) {
        ADD_FAILURE() << "hangs";
        break;
      }
      turn();
      client.read();
    }
    client.close_with_reset();  // so that 10^5 connections do not wait out their time
    return client.received;
  }

  /// An empty text, or how it was wrong.
  std::string wrong(const http::Vector& vector, const std::string& raw, const Expected& expected, size_t cut) {
    endpoint->arrived.clear();
    endpoint->bytes = 0;
    const std::string answers = play(raw, cut);
    ++played;
    std::ostringstream text;
    if (endpoint->arrived != expected.arrived) {
      text << "arrived " << testing::PrintToString(endpoint->arrived) << "\nand not "
           << testing::PrintToString(expected.arrived) << "\n";
    }
    if (statuses_in(answers) != expected.statuses) {
      text << "answered " << testing::PrintToString(statuses_in(answers)) << "\nand not "
           << testing::PrintToString(expected.statuses) << "\n";
    }
    if (!expected.head_passes && endpoint->bytes != 0) text << endpoint->bytes << " bytes reached the endpoint\n";
    if (text.str().empty()) return {};
    return vector.id + (cut == kBytes ? " byte by byte: " : " cut at " + std::to_string(cut) + ": ") + text.str();
  }

  static constexpr size_t kBytes = ~size_t{0};
  static constexpr size_t kEdge = 64;  // long streams: every cut near both ends
  std::optional<Endpoint> endpoint;
  unsigned played = 0;
};
WEIR_BOTH_LOOPS(Vectors);

TEST_P(Vectors, WholeAndByteByByte) {
  unsigned refused = 0;
  unsigned whole = 0;
  for (const http::Vector& vector : http::read_vectors()) {
    for (const std::string& raw : {vector.raw, vector.repaired()}) {
      const Expected expected = expected_of(raw);
      for (const size_t cut : {size_t{0}, kBytes}) ASSERT_EQ(wrong(vector, raw, expected, cut), "");
      const bool is_refused = !expected.statuses.empty() && expected.statuses.back() >= "400";
      refused += is_refused ? 1 : 0;
      whole += expected.arrived.size();
    }
  }
  EXPECT_GT(refused, 250U);
  EXPECT_GT(whole, 80U);
  std::cout << "vectors: " << played << " connections, " << refused << " refused, " << whole << " requests forwarded\n";
}

/// Each cut under one of the loops.
TEST_P(Vectors, InTwoPieces) {
  for (const http::Vector& vector : http::read_vectors()) {
    const std::string raw = vector.repaired();
    const Expected expected = expected_of(raw);
    for (size_t cut = GetParam() == net::LoopKind::kUring ? 1 : 2; cut < raw.size(); cut += 2) {
      if (cut > kEdge && cut + kEdge < raw.size()) continue;
      ASSERT_EQ(wrong(vector, raw, expected, cut), "");
    }
  }
  std::cout << "vectors: " << played << " connections\n";
}

}  // namespace
}  // namespace weir::proxy
