#include "http/serializer.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "http/self_check.h"
#include "support.h"

namespace weir::http {
namespace {

/// Parses `raw`, writes it for an endpoint, and checks that the result is sound.
std::string forwarded(const std::string& raw, const RequestWriteOptions& options = {}) {
  RequestParser parser(default_limits());
  EXPECT_EQ(parser.feed(raw).event, Event::kHead) << fault_text(parser.fault());
  std::string out(request_head_bound(parser.head(), options), '?');
  const Written written = write_request_head(parser.head(), options, out);
  if (!written) return "error " + std::to_string(static_cast<int>(written.error));
  out.resize(written.size);
  EXPECT_EQ(unsound_request(out, parser.head()), "") << out;
  return out;
}

std::string answered(const std::string& raw, const ResponseWriteOptions& options = {}, std::string_view upgrade = {}) {
  ResponseParser parser(default_limits());
  parser.expect(options.request_method, upgrade);
  EXPECT_EQ(parser.feed(raw).event, Event::kHead) << fault_text(parser.fault());
  std::string out(response_head_bound(parser.head(), options), '?');
  const Written written = write_response_head(parser.head(), options, out);
  if (!written) return "error " + std::to_string(static_cast<int>(written.error));
  out.resize(written.size);
  EXPECT_EQ(unsound_response(out, parser.head(), options), "") << out;
  return out;
}

const std::string kBadValue = "error " + std::to_string(static_cast<int>(WriteError::kBadValue));

TEST(RequestWriter, PlainGet) {
  EXPECT_EQ(forwarded("GET /a?b=c HTTP/1.1\r\nhOST: Web:80\r\nX-A: 1 \r\nx-a:2\r\n\r\n"),
            "GET /a?b=c HTTP/1.1\r\nhost: Web:80\r\nx-a: 1\r\nx-a: 2\r\n\r\n");
}

TEST(RequestWriter, ExactlyOneFramingFieldOfOurOwn) {
  EXPECT_EQ(forwarded("POST / HTTP/1.1\r\nContent-Length:  5\r\nHost: h\r\n\r\n"),
            "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\n");
  EXPECT_EQ(
      forwarded("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:  CHUNKED\r\nTrailer: x\r\nTE: trailers\r\n\r\n"),
      "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n");
  EXPECT_EQ(forwarded("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
            "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(forwarded("POST / HTTP/1.1\r\nHost: h\r\n\r\n"), "POST / HTTP/1.1\r\nhost: h\r\n\r\n");
}

TEST(RequestWriter, HopByHopFieldsAreLeftOut) {
  EXPECT_EQ(forwarded("GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, X-Mine\r\nKeep-Alive: 5\r\nX-Mine: 1\r\n"
                      "Proxy-Connection: keep-alive\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\nX-Kept: 1\r\n\r\n"),
            "GET / HTTP/1.1\r\nhost: h\r\nx-kept: 1\r\n\r\n");
}

// The guard: Connection cannot take away framing, identity, or what the rules look at.
TEST(RequestWriter, ConnectionCannotRemoveProtectedFields) {
  const std::array<std::string_view, 2> rules = {"end-user", "x-version"};
  RequestWriteOptions options;
  options.protected_names = rules;
  EXPECT_EQ(
      forwarded("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nCookie: c\r\nAuthorization: a\r\nEnd-User: j\r\n"
                "X-Other: o\r\nX-Forwarded-For: 1.2.3.4\r\n"
                "Connection: host, content-length, cookie, authorization, END-USER, x-other, x-forwarded-for\r\n\r\n",
                options),
      "POST / HTTP/1.1\r\nhost: h\r\ncookie: c\r\nauthorization: a\r\nend-user: j\r\nx-forwarded-for: 1.2.3.4\r\n"
      "content-length: 5\r\n\r\n");
}

TEST(RequestWriter, ConnectionCannotRemoveWhatTheProxyAdds) {
  RequestParser parser(default_limits());
  parser.feed("GET / HTTP/1.1\r\nHost: h\r\nConnection: x-set, x-added\r\nX-Set: client\r\n\r\n");
  parser.head().headers.set("x-set", "proxy");
  parser.head().headers.add("x-added", "proxy");
  std::string out(1000, '?');
  const Written written = write_request_head(parser.head(), {}, out);
  EXPECT_EQ(out.substr(0, written.size), "GET / HTTP/1.1\r\nhost: h\r\nx-set: proxy\r\nx-added: proxy\r\n\r\n");
}

TEST(RequestWriter, OverridesOfPathAndAuthority) {
  EXPECT_EQ(forwarded("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", {.path_and_query = "/b?c", .authority = "other:81"}),
            "GET /b?c HTTP/1.1\r\nhost: other:81\r\n\r\n");
  EXPECT_EQ(forwarded("GET http://other/x HTTP/1.1\r\nHost: h\r\n\r\n"), "GET /x HTTP/1.1\r\nhost: other\r\n\r\n");
  EXPECT_EQ(forwarded("OPTIONS http://other HTTP/1.1\r\nHost: h\r\n\r\n"), "OPTIONS * HTTP/1.1\r\nhost: other\r\n\r\n");
}

TEST(RequestWriter, Http10BecomesHttp11AndNeedsAnAuthority) {
  EXPECT_EQ(forwarded("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), kBadValue);
  EXPECT_EQ(forwarded("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", {.authority = "svc"}),
            "GET / HTTP/1.1\r\nhost: svc\r\n\r\n");
}

TEST(RequestWriter, TracesOfTheWay) {
  EXPECT_EQ(forwarded("GET / HTTP/1.1\r\nHost: h\r\nVia: 1.0 a\r\nX-Forwarded-For: 1.1.1.1\r\nx-forwarded-for:\r\n"
                      "X-Forwarded-For: 2.2.2.2, 3.3.3.3\r\n\r\n",
                      {.client_address = "10.0.0.9", .forwarded_proto = "http", .via = "weir"}),
            "GET / HTTP/1.1\r\nhost: h\r\nvia: 1.0 a\r\nx-forwarded-for: 1.1.1.1, 2.2.2.2, 3.3.3.3, 10.0.0.9\r\n"
            "x-forwarded-proto: http\r\nvia: 1.1 weir\r\n\r\n");
  EXPECT_EQ(forwarded("GET / HTTP/1.0\r\nHost: h\r\nX-Forwarded-Proto: https\r\n\r\n",
                      {.forwarded_proto = "http", .via = "weir"}),
            "GET / HTTP/1.1\r\nhost: h\r\nx-forwarded-proto: https\r\nvia: 1.0 weir\r\n\r\n");
}

TEST(RequestWriter, ExpectOnlyWithABodyToWaitFor) {
  EXPECT_EQ(forwarded("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n"),
            "PUT / HTTP/1.1\r\nhost: h\r\nexpect: 100-Continue\r\ncontent-length: 1\r\n\r\n");
  EXPECT_EQ(forwarded("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n"),
            "PUT / HTTP/1.1\r\nhost: h\r\n\r\n");
}

TEST(RequestWriter, UpgradeIsOurs) {
  EXPECT_EQ(
      forwarded("GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, upgrade\r\nUpgrade: h2c, WebSocket\r\n\r\n"),
      "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
}

// H26
TEST(RequestWriter, MaxForwardsOfOptionsCountsDown) {
  EXPECT_EQ(forwarded("OPTIONS / HTTP/1.1\r\nHost: h\r\nMax-Forwards: 3\r\n\r\n"),
            "OPTIONS / HTTP/1.1\r\nhost: h\r\nmax-forwards: 2\r\n\r\n");
  EXPECT_EQ(forwarded("OPTIONS / HTTP/1.1\r\nHost: h\r\nMax-Forwards: 0\r\n\r\n"), kBadValue);
  EXPECT_EQ(forwarded("GET / HTTP/1.1\r\nHost: h\r\nMax-Forwards: 0\r\n\r\n"),
            "GET / HTTP/1.1\r\nhost: h\r\nmax-forwards: 0\r\n\r\n");
}

// H38: nothing that the proxy adds can split the message.
TEST(RequestWriter, H38EveryValueIsChecked) {
  const std::string get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  for (const std::string& evil : {std::string("a\r\nx: y"), std::string("a\nb"), std::string("a\rb"),
                                  std::string("a\0b", 3), std::string("\x7f"), std::string("\x01")}) {
    EXPECT_EQ(forwarded(get, {.path_and_query = "/" + evil}), kBadValue);
    EXPECT_EQ(forwarded(get, {.authority = evil}), kBadValue);
    EXPECT_EQ(forwarded(get, {.client_address = evil}), kBadValue);
    EXPECT_EQ(forwarded(get, {.forwarded_proto = evil}), kBadValue);
    EXPECT_EQ(forwarded(get, {.via = evil}), kBadValue);
    RequestParser parser(default_limits());
    parser.feed(get);
    std::array<char, 1000> out;
    parser.head().headers.set("x-request-id", evil);
    EXPECT_EQ(write_request_head(parser.head(), {}, out).error, WriteError::kBadValue);
    parser.head().headers.remove("x-request-id");
    parser.head().headers.add("x" + evil, "v");
    EXPECT_EQ(write_request_head(parser.head(), {}, out).error, WriteError::kBadValue);
  }
  for (const char* path : {"a", "/a b", "/a#b", "/\xc3\xa9", "*", "http://x/"}) {
    EXPECT_EQ(forwarded(get, {.path_and_query = path}), kBadValue) << path;
  }
  for (const char* authority : {"a b", "u@h", "a/b", "a,b", "h:0"}) {
    EXPECT_EQ(forwarded(get, {.authority = authority}), kBadValue) << authority;
  }
}

TEST(RequestWriter, SmallBuffersAreRefusedAtEverySize) {
  RequestParser parser(default_limits());
  parser.feed("POST /a HTTP/1.1\r\nHost: h\r\nX: y\r\nContent-Length: 5\r\n\r\n");
  const RequestWriteOptions options{.client_address = "10.0.0.1", .via = "weir"};
  std::string whole(request_head_bound(parser.head(), options), '?');
  const std::size_t size = write_request_head(parser.head(), options, whole).size;
  for (std::size_t n = 0; n < size; ++n) {
    std::vector<char> out(n);
    EXPECT_EQ(write_request_head(parser.head(), options, out).error, WriteError::kNoSpace) << n;
  }
  std::vector<char> out(size);
  EXPECT_EQ(write_request_head(parser.head(), options, out).size, size);
}

TEST(ResponseWriter, Framings) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const ResponseWriteOptions http10{.client_version = Version::kHttp10, .keep_alive = false};
  const ResponseWriteOptions head{.request_method = Method::kHead};
  EXPECT_EQ(answered(ok + "Content-Length: 3\r\nServer: x\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nserver: x\r\ncontent-length: 3\r\n\r\n");
  EXPECT_EQ(answered(ok + "Transfer-Encoding: chunked\r\n\r\n"),
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
  EXPECT_EQ(answered(ok + "\r\n"), "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n") << "until close is chunked";
  EXPECT_EQ(answered(ok + "Transfer-Encoding: chunked\r\n\r\n", http10),
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
  EXPECT_EQ(answered(ok + "\r\n", http10), "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
  EXPECT_EQ(answered(ok + "Content-Length: 3\r\n\r\n", head), "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n");
  EXPECT_EQ(answered(ok + "Transfer-Encoding: chunked\r\n\r\n", head), "HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(answered("HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n"),
            "HTTP/1.1 304 Not Modified\r\ncontent-length: 3\r\n\r\n");
  EXPECT_EQ(answered("HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n"), "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST(ResponseWriter, ConnectionIsOurs) {
  EXPECT_EQ(answered("HTTP/1.1 200 OK\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: "
                     "timeout=5\r\nContent-Length: 0\r\n\r\n"),
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(answered("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", {.keep_alive = false, .via = "weir"}),
            "HTTP/1.1 200 OK\r\nvia: 1.1 weir\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
}

TEST(ResponseWriter, InterimAndSwitching) {
  EXPECT_EQ(answered("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
            "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n");
  EXPECT_EQ(answered("HTTP/1.1 103 Early Hints\r\n\r\n", {.client_version = Version::kHttp10}), kBadValue);
  EXPECT_EQ(answered("HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n", {}, "websocket"),
            "HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: WebSocket\r\n\r\n");
  EXPECT_EQ(continue_response(), "HTTP/1.1 100 Continue\r\n\r\n");
}

TEST(ResponseWriter, MadeByTheProxyItself) {
  ResponseHead head;
  head.status = 302;
  head.headers.add("Location", "https://web/a");
  std::array<char, 500> out;
  const Written written = write_response_head(head, {}, out);
  EXPECT_EQ(std::string(out.data(), written.size),
            "HTTP/1.1 302 Found\r\nlocation: https://web/a\r\ncontent-length: 0\r\n\r\n");
}

// H38
TEST(ResponseWriter, H38EveryValueIsChecked) {
  std::array<char, 500> out;
  ResponseHead head;
  head.status = 200;
  head.headers.add("x", "a\r\nset-cookie: b");
  EXPECT_EQ(write_response_head(head, {}, out).error, WriteError::kBadValue);
  head.headers.clear();
  head.headers.add("x y", "v");
  EXPECT_EQ(write_response_head(head, {}, out).error, WriteError::kBadValue);
  head.headers.clear();
  head.reason = "OK\r\nx: y";
  EXPECT_EQ(write_response_head(head, {}, out).error, WriteError::kBadValue);
  head.reason = "";
  for (const int status : {0, 99, 600, 1000}) {
    head.status = static_cast<std::uint16_t>(status);
    EXPECT_EQ(write_response_head(head, {}, out).error, WriteError::kBadValue) << status;
  }
}

TEST(ResponseWriter, SmallBuffersAreRefusedAtEverySize) {
  ResponseHead head;
  head.status = 200;
  head.headers.add("x", "y");
  std::array<char, 500> whole;
  const std::size_t size = write_response_head(head, {.via = "weir"}, whole).size;
  for (std::size_t n = 0; n < size; ++n) {
    std::vector<char> out(n);
    EXPECT_EQ(write_response_head(head, {.via = "weir"}, out).error, WriteError::kNoSpace) << n;
  }
}

}  // namespace
}  // namespace weir::http
