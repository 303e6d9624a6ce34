// Rows H31, H32 and H37 of the hardening rules: endpoints are not trusted.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support.h"

namespace weir::http {
namespace {

std::string one_outcome(std::string_view raw, Method method = Method::kGet, std::string_view upgrade = {}) {
  return first_disagreement(
      raw, [&](std::string_view r, const auto& cuts) { return replay_response(r, cuts, method, upgrade); });
}

TEST(Response, Framings) {
  struct Case {
    const char* raw;
    Method method;
    const char* body;
    bool complete;
    const char* framing;
  };
  const Case cases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", Method::kGet, "abc", true, "length 3 keep-alive"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Method::kGet, "", true, "length 0 keep-alive"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Method::kGet, "abc", true,
       "chunked keep-alive"},
      {"HTTP/1.1 200 OK\r\n\r\nabc", Method::kGet, "abc", true, "until close close"},
      {"HTTP/1.1 200 OK\r\n\r\n", Method::kGet, "", true, "until close close"},
      {"HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabc", Method::kGet, "abc", true,
       "length 3 close"},
      {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc", Method::kGet, "abc", true,
       "length 3 close"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", Method::kGet, "ab", false, "length 3 keep-alive"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", Method::kGet, "abc", false,
       "chunked keep-alive"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", Method::kHead, "", true, "none keep-alive"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Method::kHead, "", true, "none keep-alive"},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", Method::kGet, "", true, "none keep-alive"},
      {"HTTP/1.1 204 No Content\r\n\r\n", Method::kGet, "", true, "none keep-alive"},
      {"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", Method::kGet, "", true, "none keep-alive"},
      {"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", Method::kGet, "", true, "none close"},
      {"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", Method::kGet, "", true, "none close"},
      {"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", Method::kGet, "", true, "length 0 keep-alive"},
      {"HTTP/1.1 200 caf\xe9 \t!\r\nContent-Length: 0\r\n\r\n", Method::kGet, "", true, "length 0 keep-alive"},
  };
  for (const Case& c : cases) {
    const Outcome outcome = replay_response(c.raw, {}, c.method);
    ASSERT_EQ(outcome.messages.size(), 1U) << c.raw << fault_text(outcome.fault);
    EXPECT_EQ(outcome.messages[0].body, c.body) << c.raw;
    EXPECT_EQ(outcome.messages[0].complete, c.complete) << c.raw;
    EXPECT_EQ(outcome.incomplete, !c.complete) << c.raw;
    EXPECT_NE(outcome.messages[0].head.find("\nbody " + std::string(c.framing) + "\n"), std::string::npos)
        << c.raw << outcome.messages[0].head;
    EXPECT_EQ(one_outcome(c.raw, c.method), "") << c.raw;
  }
}

TEST(Response, H37MalformedIs502) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "a: b\r\n";
  const std::string cases[] = {
      ok + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
      ok + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
      ok + "Transfer-Encoding: gzip\r\n\r\nabc",
      ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      ok + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
      ok + "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n",
      ok + "Transfer-Encoding:\r\n\r\nabc",
      "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      ok + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
      ok + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
      ok + "Content-Length: 3, 3\r\n\r\nabc",
      ok + "Content-Length: +3\r\n\r\nabc",
      ok + "Content-Length: 03\r\n\r\nabc",
      ok + "Content-Length: \r\n\r\nabc",
      ok + "Content-Length: 18446744073709551616\r\n\r\nabc",
      ok + "A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
      ok + " A: b\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
      ok + "Content-Length: 0\n\r\n",
      ok + "Content-Length: 0\r\n\n",
      ok + std::string("A: b\0c\r\n\r\n", 10),
      std::string("HTTP/1.1 200 O\0K\r\n\r\n", 20),
      "HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n",
      ok + "A : b\r\n\r\n",
      ok + ": b\r\n\r\n",
      ok + "Set Cookie: b\r\n\r\n",
      ok + many + "\r\n",
      "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 20\r\n\r\n",
      "HTTP/1.1 20 OK\r\n\r\n",
      "HTTP/1.1 2000 OK\r\n\r\n",
      "HTTP/1.1 099 X\r\n\r\n",
      "HTTP/1.1 600 X\r\n\r\n",
      "HTTP/1.1 999 X\r\n\r\n",
      "HTTP/1.1 abc X\r\n\r\n",
      "HTTP/1.1 -20 X\r\n\r\n",
      "HTTP/1.1  200 OK\r\n\r\n",
      "HTTP/1.1\t200 OK\r\n\r\n",
      "HTTP/1.1 200OK\r\n\r\n",
      " HTTP/1.1 200 OK\r\n\r\n",
      "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
      "\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/0.9 200 OK\r\n\r\n",
      "HTTP/1.2 200 OK\r\n\r\n",
      "HTTP/2.0 200 OK\r\n\r\n",
      "HTTP/2 200 OK\r\n\r\n",
      "http/1.1 200 OK\r\n\r\n",
      "ICY 200 OK\r\n\r\n",
      "RTSP/1.0 200 OK\r\n\r\n",
      "<html>hello</html>\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
      "HTTP/1.1 200 " + std::string(10'000, 'r') + "\r\n\r\n",
      ok + "A: " + std::string(70'000, 'v') + "\r\n\r\n",
  };
  for (const std::string& raw : cases) {
    const Outcome outcome = replay_response(raw);
    EXPECT_TRUE(outcome.refused()) << raw.substr(0, 200);
    EXPECT_EQ(outcome.status, 502U) << raw.substr(0, 200);
    EXPECT_TRUE(outcome.messages.empty()) << raw.substr(0, 200);
    EXPECT_EQ(one_outcome(raw), "") << raw.substr(0, 200);
  }
}

TEST(Response, H37MalformedChunksAre502) {
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char* body :
       {"0x3\r\nabc\r\n0\r\n\r\n", "3\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "3\r\nabc\n0\r\n\r\n", "-1\r\n",
        "3\r\nabc\r\n0\r\nContent-Length: 5\r\n\r\n", "fffffffffffffffff\r\n"}) {
    const Outcome outcome = replay_response(head + body);
    EXPECT_EQ(outcome.status, 502U) << body;
    EXPECT_EQ(one_outcome(head + body), "") << body;
  }
}

TEST(Response, H31EightInterimResponsesAndNoMore) {
  const std::string hint = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  const std::string final_response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  std::string raw;
  for (int i = 0; i < 8; ++i) raw += hint;
  const Outcome outcome = replay_response(raw + final_response);
  ASSERT_EQ(outcome.messages.size(), 9U);
  EXPECT_EQ(outcome.messages[8].body, "ok");
  EXPECT_FALSE(outcome.refused());
  EXPECT_EQ(one_outcome(raw + final_response), "");
  EXPECT_EQ(replay_response(raw + hint + final_response).fault, Fault::kTooManyInterim);
}

TEST(Response, H31InterimWithABodyIsTheConnectionsLast) {
  const Outcome outcome =
      replay_response("HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(outcome.messages.size(), 1U);
  EXPECT_TRUE(outcome.refused());
}

TEST(Response, H31SwitchingOnlyWhenAsked) {
  const std::string raw = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n";
  EXPECT_EQ(replay_response(raw).fault, Fault::kUnaskedUpgrade);
  EXPECT_FALSE(replay_response(raw, {}, Method::kGet, "websocket").refused());
  EXPECT_EQ(replay_response(raw, {}, Method::kGet, "h2c").fault, Fault::kUnaskedUpgrade);
  EXPECT_EQ(replay_response("HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n", {}, Method::kGet, "websocket").fault,
            Fault::kUnaskedUpgrade);
  EXPECT_EQ(replay_response("HTTP/1.1 101 X\r\nConnection: upgrade\r\n\r\n", {}, Method::kGet, "websocket").fault,
            Fault::kUnaskedUpgrade);
}

TEST(Response, H31BytesBehind101AreNotTouched) {
  ResponseParser parser(default_limits());
  parser.expect(Method::kGet, "websocket");
  const std::string raw = "HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x01x";
  const ParseStep head = parser.feed(raw);
  ASSERT_EQ(head.event, Event::kHead);
  const ParseStep end = parser.feed(std::string_view(raw).substr(head.consumed));
  EXPECT_EQ(end.event, Event::kMessageComplete);
  EXPECT_EQ(end.consumed, 0U);
}

// H32: the caller sees that bytes are left over, and closes.
TEST(Response, H32BytesBehindTheEndAreNotTouched) {
  for (const char* head :
       {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"}) {
    ResponseParser parser(default_limits());
    parser.expect(Method::kGet);
    const std::string raw = std::string(head) + "extra";
    const ParseStep step = parser.feed(raw);
    EXPECT_EQ(raw.substr(step.consumed), "extra");
    EXPECT_EQ(parser.feed("extra").consumed, 0U);
  }
}

TEST(Response, AnswerToHeadKeepsItsContentLengthField) {
  ResponseParser parser(default_limits());
  parser.expect(Method::kHead);
  ASSERT_EQ(parser.feed("HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n").event, Event::kHead);
  EXPECT_EQ(parser.head().headers.value(HeaderId::kContentLength), "12345");
  EXPECT_EQ(parser.head().framing, Framing::kNone);
}

}  // namespace
}  // namespace weir::http
