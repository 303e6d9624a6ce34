#include "proxy/sniff.h"

#include <gtest/gtest.h>

#include <string>

#include "http/parser.h"

namespace weir::proxy {
namespace {

TEST(Sniff, WhatIsHttp1) {
  for (const char* text : {"GET / HTTP/1.1\r\n", "POST /a?b=c HTTP/1.0\r\nHost: x\r\n\r\nbody", "M-SEARCH * HTTP/1.1\n",
                           "\r\n\r\nGET / HTTP/1.1\r\n", "GET / HTTP/9.9\r\n", "GET /a b HTTP/1.1\r\n"})
    EXPECT_EQ(sniff(text), Sniffed::kHttp1) << text;
}

TEST(Sniff, WhatIsNot) {
  for (const char* text :
       {"\x16\x03\x01", "PING\r\n", "SET a b\r\n", "*1\r\n$4\r\nPING\r\n", "get / HTTP/1.1\r\n", "GET /\r\n",
        "GET / HTTP/1\r\n", "GET / http/1.1\r\n", "GET\t/ HTTP/1.1\r\n", "GET  HTTP/1.1\r\n",
        "EHLO mail.example.com\r\n", "\x01", "GET /\x01 HTTP/1.1\r\n", "SSH-2.0-x\r\n"})
    EXPECT_EQ(sniff(text), Sniffed::kOther) << text;
  EXPECT_EQ(sniff(std::string("\0\0\0\x08", 4)), Sniffed::kOther);
}

TEST(Sniff, WhatCannotBeToldYet) {
  for (const char* text : {"", "G", "GET ", "GET /path", "\r", "\r\n", "P", "PR", "PRI * HTTP/2.0\r\n", "SSH", "PING"})
    EXPECT_EQ(sniff(text), Sniffed::kMore) << text;
}

TEST(Sniff, Http2WithPriorKnowledge) {
  EXPECT_EQ(sniff("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Sniffed::kHttp2);
  EXPECT_EQ(sniff(std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12", 27)), Sniffed::kHttp2);
  EXPECT_EQ(sniff("PRI / HTTP/1.1\r\n"), Sniffed::kHttp1);
}

/// Cut anywhere, the verdict is the same or not there yet.
TEST(Sniff, CutAnywhere) {
  for (const std::string text : {"GET /index HTTP/1.1\r\n", "\r\nPUT /x HTTP/1.0\r\n",
                                 "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "SET key value\r\n", "EHLO x\r\n"}) {
    const Sniffed whole = sniff(text);
    ASSERT_NE(whole, Sniffed::kMore);
    for (size_t size = 0; size < text.size(); ++size) {
      const Sniffed part = sniff(std::string_view(text).substr(0, size));
      EXPECT_TRUE(part == Sniffed::kMore || part == whole) << text << " at " << size;
    }
  }
}

TEST(Sniff, NobodyWaitsForAnEndlessLine) {
  EXPECT_EQ(sniff("GET /" + std::string(kMaxSniff, 'a')), Sniffed::kOther);
  EXPECT_EQ(sniff("GET /" + std::string(kMaxSniff - 10, 'a')), Sniffed::kMore);
  EXPECT_EQ(sniff(std::string(33, 'A')), Sniffed::kOther);
}

/// Blank lines without end on a sniffed port were gathered without end: 206 MB in 2.5 s.
TEST(Sniff, NobodyWaitsForBlankLinesWithoutEnd) {
  std::string lines;
  for (unsigned count = 0; count < http::kMaxBlankLines; ++count) lines += "\r\n";
  EXPECT_EQ(sniff(lines), Sniffed::kMore);
  EXPECT_EQ(sniff(lines + "\r"), Sniffed::kMore);
  EXPECT_EQ(sniff(lines + "GET / HTTP/1.1\r\n"), Sniffed::kHttp1) << "as many as the parser bears";
  EXPECT_EQ(sniff(lines + "\r\n"), Sniffed::kOther);
  EXPECT_EQ(sniff(lines + "\r\nGET / HTTP/1.1\r\n"), Sniffed::kOther);
}

TEST(Sniff, WorthWaitingFor) {
  for (const char* text : {"G", "GET", "GET ", "GET /a", "OPTIONS *"}) EXPECT_TRUE(begins_like_http(text)) << text;
  for (const char* text : {"", "X", "SET a", "GETS", "get "}) EXPECT_FALSE(begins_like_http(text)) << text;
}

}  // namespace
}  // namespace weir::proxy
