// Rows H1-H30 of the hardening rules that a codec can hold, by row: what is refused, with which status, however the
// bytes are cut. The rows on chunks, trailers and pipelining are in parser_test and parser_callbacks_test.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support.h"

namespace weir::http {
namespace {

struct Row {
  const char* row;
  std::string raw;
  unsigned status;
};

std::string get(const std::string& fields) {
  return "GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}
std::string post(const std::string& fields, const std::string& body = "") {
  return "POST / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n" + body;
}
std::string line(const std::string& request_line) {
  return request_line + "\r\nHost: h\r\n\r\n";
}
std::string host(const std::string& value) {
  return "GET / HTTP/1.1\r\nHost: " + value + "\r\n\r\n";
}

void expect_refused(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const Outcome outcome = replay_request(row.raw);
    EXPECT_TRUE(outcome.refused()) << row.row << ": " << row.raw.substr(0, 200);
    EXPECT_EQ(outcome.status, row.status) << row.row << ": " << row.raw.substr(0, 200) << fault_text(outcome.fault);
    EXPECT_TRUE(outcome.messages.empty()) << row.row << ": the head got through: " << row.raw.substr(0, 200);
    EXPECT_EQ(first_disagreement(row.raw, [](std::string_view r, const auto& cuts) { return replay_request(r, cuts); }),
              "")
        << row.row << ": " << row.raw.substr(0, 200);
  }
}

const std::string kChunks = "5\r\nhello\r\n0\r\n\r\n";

TEST(RequestFraming, H1ToH5TransferEncoding) {
  expect_refused({
      {"H1", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", kChunks), 400},
      {"H1", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", kChunks), 400},
      {"H1", post("Transfer-Encoding: gzip\r\nContent-Length: 5\r\n", "hello"), 400},
      {"H2", post("Transfer-Encoding:\r\nContent-Length: 5\r\n", "hello"), 400},
      {"H2", post("Transfer-Encoding: \r\n", kChunks), 400},
      {"H3", post("Transfer-Encoding: ,chunked\r\n", kChunks), 400},
      {"H3", post("Transfer-Encoding: chunked,\r\n", kChunks), 400},
      {"H3", post("Transfer-Encoding: chunked, chunked\r\n", kChunks), 400},
      {"H3", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", kChunks), 400},
      {"H3", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", kChunks), 400},
      {"H3",
       post("Transfer-Encoding: \x0b"
            "chunked\r\n",
            kChunks),
       400},
      {"H3", post("Transfer-Encoding: \"chunked\"\r\n", kChunks), 400},
      {"H3", post("Transfer-Encoding: xchunked\r\n", kChunks), 501},
      {"H4", post("Transfer-Encoding: gzip, chunked\r\n", kChunks), 501},
      {"H4", post("Transfer-Encoding: identity\r\n", "hello"), 501},
      {"H5", "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + kChunks, 400},
  });
  EXPECT_FALSE(replay_request(post("transfer-ENCODING: cHuNkEd \r\n", kChunks)).refused());
}

TEST(RequestFraming, H6ToH8ContentLength) {
  std::vector<Row> rows = {
      {"H6", post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"), 400},
      {"H6", post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), 400},
      {"H8", post("Content-Length: 18446744073709551615\r\n"), 413},
      {"H8", post("Content-Length: 9223372036854775808\r\n"), 413},
      {"H8", post("Content-Length: 9007199254740993\r\n"), 413},
      {"H8", post("Content-Length: 1000000000000000000000000000000\r\n"), 413},
  };
  for (const char* value : {"5,5", "5, 5", "+5", "-0", "-5", "0x5", "5_0", " 5 5", "", " ", "5;", "5.0", "1e1", "0005",
                            "00", "05", "5a", "\xd9\xa5", "five"}) {
    rows.push_back({"H6/H7", post("Content-Length: " + std::string(value) + "\r\n", "hello"), 400});
  }
  expect_refused(rows);
  EXPECT_EQ(replay_request(post("Content-Length: \t5  \r\n", "hello")).messages.at(0).body, "hello");
}

TEST(RequestHead, H9ToH12LinesAndNames) {
  expect_refused({
      {"H9", get("A: b\r\n c\r\n"), 400},
      {"H9", get("A: b\r\n\tc\r\n"), 400},
      {"H9", get("A:\r\n b\r\n"), 400},
      {"H10", "GET / HTTP/1.1\nHost: h\r\n\r\n", 400},
      {"H10", "GET / HTTP/1.1\r\nHost: h\n\r\n", 400},
      {"H10", "GET / HTTP/1.1\r\nHost: h\r\n\n", 400},
      {"H10", "GET / HTTP/1.1\rHost: h\r\n\r\n", 400},
      {"H10", "GET / HTTP/1.1\r\nHost: h\r\r\n\r\n", 400},
      {"H10", get("A: b\rC: d\r\n"), 400},
      {"H10", "GET / HTTP/1.1\r\nHost: h\r\n\rX\n", 400},
      {"H11", get(std::string("A: b\0c\r\n", 8)), 400},
      {"H11", get(std::string("A\0: b\r\n", 7)), 400},
      {"H11", get("A: b\x07\r\n"), 400},
      {"H11", get("A: b\x7f\r\n"), 400},
      {"H11",
       get("A: b\x0c"
           "c\r\n"),
       400},
      {"H12", get("A : b\r\n"), 400},
      {"H12", get("A\t: b\r\n"), 400},
      {"H12", get(": b\r\n"), 400},
      {"H12", get("no colon\r\n"), 400},
      {"H12", get("nocolon\r\n"), 400},
      {"H12", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400},
      {"H12", "GET / HTTP/1.1\r\n\tHost: h\r\n\r\n", 400},
      {"H12", "GET / HTTP/1.1\r\n \r\nHost: h\r\n\r\n", 400},
      {"H13", get("Transfer_Encoding: chunked\r\n"), 400},
      {"H13", get("Content_Length: 5\r\n"), 400},
      {"H13", get("Transfer-Encoding\x85: chunked\r\n"), 400},
  });
}

TEST(RequestHead, H19Sizes) {
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "a: b\r\n";
  std::string large;
  for (int i = 0; i < 40; ++i) large += "a: " + std::string(1000, 'v') + "\r\n";
  expect_refused({
      {"H19", get(many), 431},
      {"H19", get(large), 431},
      {"H19", get("A: " + std::string(9000, 'v') + "\r\n"), 431},
      {"H19", get("A:" + std::string(9000, ' ') + "\r\n"), 431},
      {"H19", get(std::string(9000, 'n') + ": v\r\n"), 431},
      {"H19", line("GET /" + std::string(8192, 'u') + " HTTP/1.1"), 414},
      {"H19", line("GET /" + std::string(20'000, 'u') + " HTTP/1.1"), 414},
      {"H19", line(std::string(10'000, 'M') + " / HTTP/1.1"), 400},
  });
  EXPECT_EQ(replay_request("GET /" + std::string(1 << 20, 'u') + " HTTP/1.1\r\n").status, 414U);
  EXPECT_EQ(replay_request("GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(1 << 20, 'v')).status, 431U);
  EXPECT_FALSE(replay_request(line("GET /" + std::string(8191, 'u') + " HTTP/1.1")).refused());
  EXPECT_FALSE(replay_request(get("A: " + std::string(8189, 'v') + "\r\n")).refused());
}

TEST(RequestHost, H20OneAndValid) {
  std::vector<Row> rows = {
      {"H20", "GET / HTTP/1.1\r\n\r\n", 400},
      {"H20", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"H20", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
      {"H20", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400},
      {"H20", "GET / HTTP/1.0\r\nHost: a b\r\n\r\n", 400},
      {"H20", "GET http://a/ HTTP/1.1\r\n\r\n", 400},
      {"H20", "GET http://a/ HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
      {"H20", host(std::string("h\0x", 3)), 400},
  };
  for (const char* value : {"",    " ",   "a, b", "a b",  "u@h",      "h/p",    "h:99999",
                            "h:x", "h:0", "[::1", "::1",  ".",        "a..b",   ".a",
                            "h#",  "h?",  "h\\",  "h%41", "\xff\xfe", "[::1]x", "[fe80::1%25eth0]"}) {
    rows.push_back({"H20", host(value), 400});
  }
  expect_refused(rows);
}

TEST(RequestHost, H21NormalisedOnceAndKeptAsWritten) {
  RequestParser parser(default_limits());
  ASSERT_EQ(parser.feed(host("Web.Default.SVC.:8080")).event, Event::kHead);
  EXPECT_EQ(parser.head().authority, "Web.Default.SVC.:8080");
  EXPECT_EQ(parser.head().host, "web.default.svc");
  EXPECT_EQ(parser.head().port, 8080);
  EXPECT_TRUE(parser.head().host_had_dot);
}

TEST(RequestHost, Http10MayHaveNone) {
  RequestParser parser(default_limits());
  ASSERT_EQ(parser.feed("GET / HTTP/1.0\r\n\r\n").event, Event::kHead);
  EXPECT_EQ(parser.head().authority, "");
  EXPECT_EQ(parser.head().host, "");
  EXPECT_FALSE(parser.head().keep_alive);
}

TEST(RequestTarget, H22AbsoluteFormTakesThePlaceOfHost) {
  struct Case {
    const char* request_line;
    const char* authority;
    const char* host;
    const char* path_and_query;
  };
  const Case cases[] = {
      {"GET http://Other:81/a?b=c HTTP/1.1", "Other:81", "other", "/a?b=c"},
      {"GET HTTP://other/ HTTP/1.1", "other", "other", "/"},
      {"GET http://other HTTP/1.1", "other", "other", "/"},
      {"GET http://other?x=/y HTTP/1.1", "other", "other", "/?x=/y"},
      {"OPTIONS http://other HTTP/1.1", "other", "other", "*"},
      {"OPTIONS http://other/ HTTP/1.1", "other", "other", "/"},
      {"GET http://[::1]:8080/foo HTTP/1.1", "[::1]:8080", "[::1]", "/foo"},
  };
  for (const Case& c : cases) {
    RequestParser parser(default_limits());
    ASSERT_EQ(parser.feed(line(c.request_line)).event, Event::kHead) << c.request_line;
    EXPECT_EQ(parser.head().authority, c.authority) << c.request_line;
    EXPECT_EQ(parser.head().host, c.host) << c.request_line;
    EXPECT_EQ(parser.head().path_and_query, c.path_and_query) << c.request_line;
    EXPECT_EQ(parser.head().form, TargetForm::kAbsolute);
  }
  expect_refused({
      {"H22", line("GET https://h/ HTTP/1.1"), 400},
      {"H22", line("GET ftp://h/ HTTP/1.1"), 400},
      {"H22", line("GET http:///a HTTP/1.1"), 400},
      {"H22", line("GET http:/a HTTP/1.1"), 400},
      {"H22", line("GET http:a HTTP/1.1"), 400},
      {"H22", line("GET http://u:p@h/ HTTP/1.1"), 400},
      {"H22", line("GET http://h:99999/ HTTP/1.1"), 400},
  });
}

TEST(RequestTarget, H23BytesAreForwardedUnchanged) {
  for (const char* target : {"//a", "/../b", "/a%2fb", "/%00", "/%0d%0a", "/a\\b", "/with_\"quotes\"?foo=\"bar\"",
                             "/a?b?c", "/?", "/a|b", "/{x}", "/a?x=<y>", "/;a=b"}) {
    RequestParser parser(default_limits());
    ASSERT_EQ(parser.feed(line("GET " + std::string(target) + " HTTP/1.1")).event, Event::kHead) << target;
    EXPECT_EQ(parser.head().path_and_query, target);
  }
  std::vector<Row> rows;
  for (const char* target : {"/a#b", "/#", "/caf\xc3\xa9", "/\x80", "/a\x7f",
                             "/a\x01"
                             "b",
                             "/a\tb", "/sp ace"}) {
    rows.push_back({"H23", line("GET " + std::string(target) + " HTTP/1.1"), 400});
  }
  rows.push_back({"H23", line(std::string("GET /\0 HTTP/1.1", 15)), 400});
  expect_refused(rows);
}

TEST(RequestTarget, QueryAndPath) {
  RequestParser parser(default_limits());
  ASSERT_EQ(parser.feed(line("GET /a/b?c=d?e HTTP/1.1")).event, Event::kHead);
  EXPECT_EQ(parser.head().path, "/a/b");
  EXPECT_EQ(parser.head().query, "c=d?e");
}

TEST(RequestTarget, H24FormFitsTheMethod) {
  expect_refused({
      {"H24", line("GET * HTTP/1.1"), 400},
      {"H24", line("GET h:80 HTTP/1.1"), 400},
      {"H24", line("GET foo/bar HTTP/1.1"), 400},
      {"H24", line("GET ?a HTTP/1.1"), 400},
      {"H24", line("OPTIONS ** HTTP/1.1"), 400},
      {"H24", line("GET  / HTTP/1.1"), 400},
      {"H24", line("GET /  HTTP/1.1"), 400},
      {"H24", line("GET / HTTP/1.1 "), 400},
      {"H24", line("GET\t/ HTTP/1.1"), 400},
      {"H24", line(" GET / HTTP/1.1"), 400},
      {"H24", line("get / HTTP/1.1"), 400},
      {"H24", line("GET HTTP/1.1"), 400},
      {"H24", line("GET"), 400},
  });
  EXPECT_FALSE(replay_request(line("OPTIONS * HTTP/1.1")).refused());
}

TEST(RequestMethod, H25H26ConnectAndTraceAreRefused) {
  expect_refused({
      {"H25", line("CONNECT h:443 HTTP/1.1"), 405},
      {"H25", "CONNECT h:443 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", 400},
      {"H25", "CONNECT h:443 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + kChunks, 400},
      {"H26", line("TRACE / HTTP/1.1"), 405},
  });
  RequestParser parser(default_limits());
  parser.feed("OPTIONS / HTTP/1.1\r\nHost: h\r\nMax-Forwards: 3\r\n\r\n");
  EXPECT_EQ(parser.head().max_forwards, 3U);
}

TEST(RequestUpgrade, H27OnlyListedProtocolsOnlyWithoutBody) {
  const auto upgrade = [](const std::string& raw) {
    RequestParser parser(default_limits());
    return parser.feed(raw).event == Event::kHead ? std::string(parser.head().upgrade) : "refused";
  };
  EXPECT_EQ(upgrade(get("Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n")), "websocket");
  EXPECT_EQ(upgrade(get("Connection: upgrade\r\nUpgrade: h2c, websocket\r\n")), "websocket");
  EXPECT_EQ(upgrade(get("Connection: upgrade\r\nUpgrade: h2c\r\n")), "");
  EXPECT_EQ(upgrade(get("Connection: upgrade\r\nUpgrade: foo\r\n")), "");
  EXPECT_EQ(upgrade(get("Upgrade: websocket\r\n")), "") << "without Connection: upgrade";
  EXPECT_EQ(upgrade(get("Connection: upgrade\r\n")), "");
  EXPECT_EQ(upgrade("GET / HTTP/1.0\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"), "");
  EXPECT_EQ(upgrade(post("Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n")), "") << "stripped, body read";
  expect_refused({
      {"H27", post("Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n", "x"), 400},
      {"H27", post("Connection: upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n", kChunks), 400},
  });
}

TEST(RequestUpgrade, H27BytesBehindTheRequestAreNotTouched) {
  RequestParser parser(default_limits());
  const std::string raw = get("Connection: upgrade\r\nUpgrade: websocket\r\n") + "\x81\x05hello";
  const ParseStep head = parser.feed(raw);
  EXPECT_EQ(raw.substr(head.consumed), "\x81\x05hello");
  const ParseStep end = parser.feed(std::string_view(raw).substr(head.consumed));
  EXPECT_EQ(end.event, Event::kMessageComplete);
  EXPECT_EQ(end.consumed, 0U);
}

TEST(RequestVersion, H28H29OnlyTwoVersions) {
  expect_refused({
      {"H28", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"H29", "GET /\r\n", 505},
      {"H29", "GET /\r\n\r\n", 505},
      {"H29", line("GET / HTTP/0.9"), 505},
      {"H29", line("GET / HTTP/1.2"), 505},
      {"H29", line("GET / HTTP/2.0"), 505},
      {"H29", line("GET / HTTP/9.9"), 505},
      {"H29", line("GET / http/1.1"), 505},
      {"H29", line("GET / HTTP/111"), 400},
      {"H29", line("GET / HTTP/1.10"), 400},
      {"H29", line("GET / HTTP/01.1"), 505},
      {"H29", line("GET / HTTP/1,1"), 400},
      {"H29", line("GET / FTP/1.1"), 400},
      {"H29", line("OPTIONS / RTSP/1.0"), 400},
      {"H29", line("SOURCE / ICE/1.0"), 400},
  });
}

TEST(RequestExpect, H30OnlyContinue) {
  const auto expects = [](const std::string& raw) {
    RequestParser parser(default_limits());
    EXPECT_EQ(parser.feed(raw).event, Event::kHead);
    return parser.head().expect_continue;
  };
  EXPECT_TRUE(expects(post("Expect: 100-continue\r\nContent-Length: 1\r\n")));
  EXPECT_TRUE(expects(post("Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n")));
  EXPECT_FALSE(expects(get("Expect: 100-continue\r\n"))) << "no body to wait for";
  EXPECT_FALSE(expects("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"));
  EXPECT_FALSE(expects("POST / HTTP/1.0\r\nExpect: other\r\nContent-Length: 1\r\n\r\n"));
  std::vector<Row> rows;
  for (const char* value : {"other", "", "100-continue, x", "y 100-continue", "100-continuee", "100-continue;a=b"}) {
    rows.push_back({"H30", post("Expect: " + std::string(value) + "\r\nContent-Length: 1\r\n", "x"), 417});
  }
  rows.push_back({"H30", post("Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 1\r\n", "x"), 417});
  expect_refused(rows);
}

TEST(RequestConnection, PersistenceAndOptions) {
  const auto keeps = [](const std::string& raw) {
    RequestParser parser(default_limits());
    EXPECT_EQ(parser.feed(raw).event, Event::kHead);
    return parser.head().keep_alive;
  };
  EXPECT_TRUE(keeps(get("")));
  EXPECT_FALSE(keeps(get("Connection: keep-alive, Close\r\n")));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  std::string many = "a";
  for (int i = 0; i < 40; ++i) many += ",a";
  expect_refused({{"5.1", get("Connection: " + many + "\r\n"), 400}});
}

TEST(Request, TextOfARequest) {
  const Outcome outcome = replay_request(
      "PUT /a?b HTTP/1.1\r\nHOST: H:1\r\nX-A: 1\r\nExpect: 100-continue\r\nContent-Length: 5\r\nx-a:2\r\n\r\nhello");
  EXPECT_EQ(outcome.messages.at(0).head,
            "PUT /a?b HTTP/1.1\nauthority H:1 host h port 1\nbody length 5 keep-alive expects-100\n"
            "host: H:1\nx-a: 1\nexpect: 100-continue\ncontent-length: 5\nx-a: 2\n");
  EXPECT_EQ(outcome.messages.at(0).body, "hello");
}

}  // namespace
}  // namespace weir::http
