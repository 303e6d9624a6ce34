// The machinery: cutting, pipelining, ends, limits. What makes a head valid is in request_parser_test and
// response_parser_test.
#include "http/parser.h"

#include <gtest/gtest.h>

#include <string>

#include "support.h"

namespace weir::http {
namespace {

std::string repeat(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all.append(text);
  return all;
}

void expect_one_outcome(std::string_view raw, const Limits& limits = default_limits()) {
  EXPECT_EQ(
      first_disagreement(raw, [&](std::string_view r, const auto& cuts) { return replay_request(r, cuts, limits); }),
      "")
      << raw.substr(0, 200);
}

TEST(Parser, NeverSetsALenientFlag) {
  RequestParser requests(default_limits());
  ResponseParser responses(default_limits());
  EXPECT_EQ(requests.lenient_flags(), 0U);
  EXPECT_EQ(responses.lenient_flags(), 0U);
  replay(requests, "GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(requests.lenient_flags(), 0U);
}

TEST(Parser, EventsOfOneRequest) {
  RequestParser parser(default_limits());
  const std::string raw = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET";
  std::string_view input = raw;
  EXPECT_TRUE(parser.idle());
  ParseStep step = parser.feed(input);
  ASSERT_EQ(step.event, Event::kHead);
  EXPECT_EQ(step.consumed, raw.find("abc"));
  EXPECT_FALSE(parser.idle());
  input.remove_prefix(step.consumed);
  step = parser.feed(input);
  ASSERT_EQ(step.event, Event::kBody);
  EXPECT_EQ(step.body, "abc");
  EXPECT_EQ(step.body.data(), input.data()) << "a view, not a copy";
  input.remove_prefix(step.consumed);
  for (int i = 0; i < 3; ++i) {
    step = parser.feed(input);
    ASSERT_EQ(step.event, Event::kMessageComplete) << "until next_message()";
    EXPECT_EQ(step.consumed, 0U);
  }
  EXPECT_EQ(parser.head().path, "/a");
  parser.next_message();
  EXPECT_TRUE(parser.idle());
  EXPECT_EQ(parser.feed(input).event, Event::kNeedMore);
}

TEST(Parser, CompletionNeedsNoFurtherInput) {
  RequestParser parser(default_limits());
  ASSERT_EQ(parser.feed("GET / HTTP/1.1\r\nHost: h\r\n\r\n").event, Event::kHead);
  EXPECT_EQ(parser.feed("").event, Event::kMessageComplete);
}

TEST(Parser, NextMessageBeforeTheEndDoesNothing) {
  RequestParser parser(default_limits());
  parser.next_message();
  ASSERT_EQ(parser.feed("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n").event, Event::kHead);
  parser.next_message();
  EXPECT_EQ(parser.head().path, "/");
  EXPECT_EQ(parser.feed("x").event, Event::kBody);
}

TEST(Parser, ErrorStays) {
  RequestParser parser(default_limits());
  EXPECT_EQ(parser.feed("BAD\n").event, Event::kError);
  EXPECT_EQ(parser.feed("GET / HTTP/1.1\r\nHost: h\r\n\r\n").event, Event::kError);
  EXPECT_EQ(parser.finish().event, Event::kError);
  parser.next_message();
  EXPECT_EQ(parser.feed("").event, Event::kError);
}

// H33
TEST(Parser, PipelinedRequestsComeOneByOneUntilTheMalformedOne) {
  const std::string good = "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok";
  const std::string raw = repeat(good, 49) + "GET / HTTP/1.1\r\nHost : h\r\n\r\n" + repeat(good, 50);
  const Outcome outcome = replay_request(raw);
  EXPECT_EQ(outcome.messages.size(), 49U);
  for (const auto& message : outcome.messages) {
    EXPECT_TRUE(message.complete);
    EXPECT_EQ(message.body, "ok");
  }
  EXPECT_EQ(outcome.status, 400U);
  expect_one_outcome(raw);
}

TEST(Parser, OneMessageLeavesNothingToTheNext) {
  const Outcome outcome = replay_request(
      "POST /1 HTTP/1.1\r\nHost: one:1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\nX_a: 1\r\n\r\n"
      "1\r\nx\r\n0\r\nTrailer-Field: t\r\n\r\n"
      "GET /2 HTTP/1.1\r\nHost: two\r\n\r\n");
  ASSERT_EQ(outcome.messages.size(), 2U);
  EXPECT_EQ(outcome.messages[1].head,
            "GET /2 HTTP/1.1\nauthority two host two port 0\nbody none keep-alive\nhost: two\n");
}

TEST(Parser, NothingIsReadAfterTheLastMessage) {
  const std::string get = "GET / HTTP/1.1\r\nHost: h\r\n";
  const Outcome closed = replay_request(get + "Connection: close\r\n\r\n" + get + "\r\n");
  EXPECT_EQ(closed.messages.size(), 1U);
  EXPECT_EQ(closed.fault, Fault::kDataAfterClose);
  EXPECT_EQ(closed.status, 0U) << "no second answer";
  const Outcome old = replay_request("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + get + "\r\n");
  EXPECT_EQ(old.messages.size(), 1U);
  EXPECT_EQ(old.fault, Fault::kDataAfterClose);
}

TEST(Parser, BlankLinesBeforeARequestAreSkippedUpToAPoint) {
  EXPECT_EQ(
      replay_request("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n").messages.size(),
      2U);
  EXPECT_TRUE(replay_request(repeat("\r\n", 5) + "GET / HTTP/1.1\r\nHost: h\r\n\r\n").refused());
  EXPECT_TRUE(replay_request("\nGET / HTTP/1.1\r\nHost: h\r\n\r\n").refused());
  EXPECT_TRUE(replay_request("\r\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n").refused());
  EXPECT_TRUE(replay_request("\rGET / HTTP/1.1\r\nHost: h\r\n\r\n").refused());
  expect_one_outcome("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n");
}

// H17: what is incomplete is never completed.
TEST(Parser, TruncatedMessagesEndIncomplete) {
  const std::string whole =
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n";
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const Outcome outcome = replay_request(whole.substr(0, size));
    EXPECT_TRUE(outcome.incomplete) << size;
    if (!outcome.messages.empty()) {
      EXPECT_FALSE(outcome.messages[0].complete) << size;
    }
  }
  EXPECT_FALSE(replay_request(whole).incomplete);
  EXPECT_TRUE(replay_request("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhell").incomplete);
}

TEST(Parser, EndOfInputBetweenMessagesIsNoFault) {
  RequestParser parser(default_limits());
  EXPECT_EQ(parser.finish().event, Event::kNeedMore);
  parser.feed("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(parser.finish().event, Event::kMessageComplete) << "due, though not asked for yet";
}

// H14
TEST(Parser, ChunkExtensionsAreReadBoundedAndDropped) {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const Outcome good = replay_request(head + "5;a=b;c=\"d e\"\r\nhello\r\n0;last\r\n\r\n");
  ASSERT_EQ(good.messages.size(), 1U);
  EXPECT_EQ(good.messages[0].body, "hello");
  EXPECT_TRUE(good.messages[0].complete);
  const std::string long_ext(255, 'e');
  EXPECT_FALSE(replay_request(head + "1;" + long_ext + "e\r\nx\r\n0\r\n\r\n").refused());
  EXPECT_EQ(replay_request(head + "1;" + long_ext + "ee\r\nx\r\n0\r\n\r\n").fault, Fault::kChunkExtension);
  EXPECT_EQ(replay_request(head + repeat("1;" + long_ext + "\r\nx\r\n", 65)).fault, Fault::kChunkExtension);
  EXPECT_FALSE(replay_request(head + repeat("1;" + long_ext + "\r\nx\r\n", 64)).refused());
  for (const char* line :
       {"5;a\rb\r\nhello\r\n", "5;a=\"b\r\nhello\r\n", "5;\n\r\nhello\r\n", "5;a\x01\r\nhello\r\n"}) {
    EXPECT_TRUE(replay_request(head + line + "0\r\n\r\n").refused()) << line;
    expect_one_outcome(head + line + "0\r\n\r\n");
  }
  expect_one_outcome(head + "5;a=b;c=\"d e\"\r\nhello\r\n0;last\r\n\r\n");
}

// H15
TEST(Parser, ChunkSizesAreHexDigitsAndNothingElse) {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char* size : {"0x5", "+5", "-1", "5 ", " 5", "5_0", "00000000000000005", "", ";a", "g", "5\t", "\"5\"",
                           "ffffffffffffffff", "10000000000000000", "20000000000001"}) {
    const Outcome outcome = replay_request(head + size + "\r\nhello\r\n0\r\n\r\n");
    EXPECT_TRUE(outcome.refused()) << size;
    EXPECT_EQ(outcome.messages.size(), 1U);
    EXPECT_EQ(outcome.messages[0].body, "") << size;
    expect_one_outcome(head + size + "\r\nhello\r\n0\r\n\r\n");
  }
  for (const char* size : {"5", "05", "0005", "0000000000000005"}) {
    EXPECT_FALSE(replay_request(head + size + "\r\nhello\r\n0\r\n\r\n").refused()) << size;
  }
  EXPECT_TRUE(replay_request(head + "5\r\nhelloX\r\n0\r\n\r\n").refused());
  EXPECT_TRUE(replay_request(head + "5\r\nhello\n0\r\n\r\n").refused());
  EXPECT_TRUE(replay_request(head + "5\r\nhello\r0\r\n\r\n").refused());
  EXPECT_TRUE(replay_request(head + "5\r\nhello0\r\n\r\n").refused());
}

// H16
TEST(Parser, TinyChunksAreStoppedBySmallPayload) {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const Outcome outcome = replay_request(head + repeat("1\r\nx\r\n", 100'000) + "0\r\n\r\n");
  EXPECT_EQ(outcome.fault, Fault::kChunkOverhead);
  EXPECT_LT(outcome.messages.at(0).body.size(), 25'000U);
  EXPECT_FALSE(replay_request(head + repeat("1\r\nx\r\n", 10'000) + "0\r\n\r\n").refused())
      << "a talkative client is none";
  EXPECT_FALSE(replay_request(head + repeat("10\r\n0123456789abcdef\r\n", 50'000) + "0\r\n\r\n").refused());
}

TEST(Parser, SteadyStateKeepsItsMemory) {
  RequestParser parser(default_limits());
  const std::string raw = "GET /a/b?c=d HTTP/1.1\r\nHost: reviews:9080\r\nUser-Agent: " + std::string(300, 'u') +
                          "\r\nEnd-User: jason\r\n\r\n";
  replay(parser, raw);
  const std::size_t capacity = parser.head().headers.arena().capacity();
  for (int i = 0; i < 1000; ++i) {
    parser.feed(raw);
    parser.feed("");
    parser.next_message();
  }
  EXPECT_EQ(parser.head().headers.arena().capacity(), capacity);
  EXPECT_LE(capacity, 4096U);
  parser.release_memory();
  EXPECT_EQ(parser.head().headers.arena().capacity(), 0U);
  EXPECT_EQ(replay(parser, raw).messages.size(), 1U);
}

// H19: memory is bounded by the head limit, however the head is made.
TEST(Parser, MemoryOfAHeadIsBounded) {
  RequestParser parser(default_limits());
  const Outcome outcome =
      replay(parser, "GET / HTTP/1.1\r\nHost: h\r\n" + repeat("a: " + std::string(8000, 'v') + "\r\n", 200));
  EXPECT_EQ(outcome.status, 431U);
  EXPECT_LE(parser.head().headers.arena().capacity(), 3U * 32 * 1024);
}

}  // namespace
}  // namespace weir::http
