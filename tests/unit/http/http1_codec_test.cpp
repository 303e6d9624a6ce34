#include "http/http1_codec.h"

#include <gtest/gtest.h>

#include <string>

#include "support.h"

namespace weir::http {
namespace {

class ServerTest : public testing::Test {
 protected:
  CodecStep read(std::string_view input) {
    const CodecStep step = codec_.read(input);
    return step;
  }
  /// Reads a request without a body to its end.
  void request(const std::string& fields = "", const std::string& line = "GET / HTTP/1.1") {
    ASSERT_EQ(read(line + "\r\nHost: h\r\n" + fields + "\r\n").event, Event::kHead);
    ASSERT_EQ(read("").event, Event::kMessageComplete);
  }
  std::string head(const ResponseHead& response, bool close = false) {
    std::string out(codec_.head_bound(response, {}), '?');
    const Written written = codec_.write_head(0, response, {.close = close}, out);
    return written ? out.substr(0, written.size) : "error";
  }
  std::string body(std::string_view data) {
    const BodyFrame frame = codec_.frame_body(0, data.size());
    return frame ? std::string(frame.before).append(data).append(frame.after) : "error";
  }
  std::string end() {
    std::string out(codec_.body_overhead(), '?');
    const Written written = codec_.write_end(0, out);
    return written ? out.substr(0, written.size) : "error";
  }
  static ResponseHead response(std::uint16_t status, Framing framing, std::uint64_t length = 0) {
    ResponseHead made;
    made.status = status;
    made.framing = framing;
    made.content_length = length;
    return made;
  }

  Http1ServerCodec codec_{default_limits()};
};

TEST_F(ServerTest, ExchangesFollowEachOther) {
  for (StreamId stream = 0; stream < 3; ++stream) {
    request();
    EXPECT_EQ(read("").stream, stream);
    EXPECT_EQ(head(response(200, Framing::kLength, 2)), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n");
    EXPECT_EQ(body("ok"), "ok");
    EXPECT_EQ(end(), "");
    EXPECT_TRUE(codec_.next(stream));
    EXPECT_TRUE(codec_.idle());
  }
}

TEST_F(ServerTest, NextNeedsBothEnds) {
  EXPECT_FALSE(codec_.next(0)) << "nothing has happened";
  ASSERT_EQ(read("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n").event, Event::kHead);
  head(response(200, Framing::kLength, 0));
  EXPECT_EQ(end(), "");
  EXPECT_FALSE(codec_.next(0)) << "answered early (H34): the body is still on its way";
  EXPECT_EQ(read("ab").event, Event::kBody);
  EXPECT_EQ(read("").event, Event::kMessageComplete);
  EXPECT_TRUE(codec_.next(0)) << "drained";
}

TEST_F(ServerTest, NextNeedsTheEndOfTheResponse) {
  request();
  head(response(200, Framing::kLength, 2));
  EXPECT_FALSE(codec_.next(0));
  EXPECT_EQ(end(), "error") << "short body";
  EXPECT_FALSE(codec_.next(0));
}

TEST_F(ServerTest, ClosesWhenAskedAndSaysSo) {
  request();
  EXPECT_EQ(head(response(200, Framing::kLength, 0), true),
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  end();
  EXPECT_FALSE(codec_.next(0));
}

TEST_F(ServerTest, ClientsCloseIsKept) {
  request("Connection: close\r\n");
  EXPECT_EQ(head(response(200, Framing::kLength, 0)),
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  end();
  EXPECT_FALSE(codec_.next(0));
}

TEST_F(ServerTest, UntilCloseForHttp10) {
  request("", "GET / HTTP/1.0");
  EXPECT_EQ(head(response(200, Framing::kChunked)), "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
  EXPECT_EQ(body("x"), "x");
  EXPECT_EQ(end(), "");
  EXPECT_FALSE(codec_.next(0));
}

TEST_F(ServerTest, InterimThenFinalAndNoSecondFinal) {
  request();
  EXPECT_EQ(head(response(103, Framing::kNone)), "HTTP/1.1 103 Early Hints\r\n\r\n");
  EXPECT_EQ(head(response(200, Framing::kChunked)), "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
  EXPECT_EQ(head(response(200, Framing::kChunked)), "error");
  EXPECT_EQ(head(response(100, Framing::kNone)), "error") << "H31: 100 after the final response";
  EXPECT_EQ(body("x"), "1\r\nx\r\n");
  EXPECT_EQ(end(), "0\r\n\r\n");
}

TEST_F(ServerTest, EndBeforeAHeadIsAnError) {
  request();
  EXPECT_EQ(end(), "error");
  EXPECT_EQ(body("x"), "error");
}

TEST_F(ServerTest, SwitchingEndsTheCodec) {
  request("Connection: upgrade\r\nUpgrade: websocket\r\n");
  ResponseHead switching = response(101, Framing::kNone);
  switching.headers.add("upgrade", "websocket");
  EXPECT_EQ(head(switching), "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
  EXPECT_FALSE(codec_.next(0));
}

TEST_F(ServerTest, ErrorResponseClosesAndComesOnlyFirst) {
  ASSERT_EQ(read("GET / HTTP/1.1\r\n\r\n").event, Event::kError);
  EXPECT_EQ(codec_.fault(), Fault::kHost);
  std::string out(640, '?');
  const Written written = codec_.write_error(0, fault_status(codec_.fault()), fault_text(codec_.fault()), out);
  ASSERT_TRUE(written);
  EXPECT_TRUE(out.starts_with("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_FALSE(codec_.next(0));
  EXPECT_FALSE(codec_.write_error(0, 500, "again", out));
}

class ClientTest : public testing::Test {
 protected:
  std::string send(const std::string& raw) {
    RequestParser parser(default_limits());
    EXPECT_EQ(parser.feed(raw).event, Event::kHead);
    std::string out(codec_.head_bound(parser.head(), {}), '?');
    const Written written = codec_.write_head(parser.head(), {}, out);
    return written ? out.substr(0, written.size) : "error";
  }
  bool end() {
    std::string out(codec_.body_overhead(), '?');
    return bool(codec_.write_end(out));
  }
  Http1ClientCodec codec_{default_limits()};
};

const std::string kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

TEST_F(ClientTest, ConnectionIsReusedAfterSoundExchanges) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(send(kGet), "GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    EXPECT_TRUE(end());
    ASSERT_EQ(codec_.read(kOk).event, Event::kHead);
    ASSERT_EQ(codec_.read("").event, Event::kMessageComplete);
    EXPECT_TRUE(codec_.next());
  }
}

TEST_F(ClientTest, AnswersToHeadHaveNoBody) {
  send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  end();
  ASSERT_EQ(codec_.read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n").event, Event::kHead);
  EXPECT_EQ(codec_.read("").event, Event::kMessageComplete);
  EXPECT_TRUE(codec_.next());
}

TEST_F(ClientTest, InterimResponsesComeBeforeTheFinalOne) {
  send(kGet);
  end();
  const std::string raw = "HTTP/1.1 100 Continue\r\n\r\n" + kOk;
  std::string_view input = raw;
  const CodecStep interim = codec_.read(input);
  ASSERT_EQ(interim.event, Event::kHead);
  EXPECT_EQ(codec_.response().status, 100);
  input.remove_prefix(interim.consumed);
  ASSERT_EQ(codec_.read(input).event, Event::kMessageComplete);
  EXPECT_FALSE(codec_.next()) << "the final response is still due";
  ASSERT_EQ(codec_.read(input).event, Event::kHead);
  EXPECT_EQ(codec_.response().status, 200);
  ASSERT_EQ(codec_.read("").event, Event::kMessageComplete);
  EXPECT_TRUE(codec_.next());
}

// H35
TEST_F(ClientTest, BytesOnAnIdleConnectionAreAFault) {
  EXPECT_EQ(codec_.read("HTTP/1.1 200 OK\r\n").event, Event::kError);
  EXPECT_EQ(codec_.fault(), Fault::kDataAfterClose);
  EXPECT_FALSE(codec_.next());
}

TEST_F(ClientTest, ExtraBytesBehindAResponseAreAFaultAfterNext) {
  send(kGet);
  end();
  const CodecStep head = codec_.read(kOk + "HTTP/1.1 200 OK\r\n");
  EXPECT_EQ(head.consumed, kOk.size()) << "the session sees what is left, and does not call next()";
  codec_.read("");
  EXPECT_TRUE(codec_.next());
  EXPECT_EQ(codec_.read("HTTP/1.1").event, Event::kError);
}

TEST_F(ClientTest, NotReusedWhileTheRequestIsUnfinished) {
  EXPECT_NE(send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"), "error");
  codec_.read(kOk);
  codec_.read("");
  EXPECT_FALSE(end()) << "five bytes are missing";
  EXPECT_FALSE(codec_.next());
}

TEST_F(ClientTest, NotReusedAfterCloseOrSwitching) {
  send(kGet);
  end();
  codec_.read("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  codec_.read("");
  EXPECT_FALSE(codec_.next());
}

TEST_F(ClientTest, EndOfInputWithoutAResponseIsTruncated) {
  send(kGet);
  end();
  EXPECT_EQ(codec_.read_end().event, Event::kError);
  EXPECT_EQ(codec_.fault(), Fault::kTruncated);
}

TEST_F(ClientTest, EndOfInputAfterAnInterimResponseIsTruncated) {
  send(kGet);
  end();
  codec_.read("HTTP/1.1 100 Continue\r\n\r\n");
  codec_.read("");
  EXPECT_EQ(codec_.read_end().event, Event::kError);
}

TEST_F(ClientTest, EndOfInputOfAnIdleConnectionIsNone) {
  EXPECT_EQ(codec_.read_end().event, Event::kNeedMore);
}

TEST_F(ClientTest, EndOfInputEndsABodyUntilClose) {
  send(kGet);
  end();
  codec_.read("HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(codec_.read("data").body, "data");
  EXPECT_EQ(codec_.read_end().event, Event::kMessageComplete);
  EXPECT_FALSE(codec_.next());
}

TEST_F(ClientTest, SecondRequestBeforeTheAnswerIsRefused) {
  send(kGet);
  EXPECT_EQ(send(kGet), "error");
}

}  // namespace
}  // namespace weir::http
