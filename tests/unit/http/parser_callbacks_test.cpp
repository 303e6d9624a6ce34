// How the head is collected: names, values, counts, trailers.
#include <gtest/gtest.h>

#include <string>

#include "support.h"

namespace weir::http {
namespace {

const std::string kHead = "GET / HTTP/1.1\r\nHost: h\r\n";

Outcome with_field(const std::string& line) {
  return replay_request(kHead + line + "\r\n\r\n");
}

TEST(Collect, NamesAreExactlyTokensForEveryByte) {
  const std::string tchar = "!#$%&'*+-.^`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (int c = 0; c < 256; ++c) {
    const char byte = static_cast<char>(c);
    if (byte == '_' || byte == ':') continue;
    for (const std::string& name : {std::string(1, byte), std::string("x") + byte, std::string("x") + byte + "y",
                                    std::string("Content-Length") + byte}) {
      const bool good = tchar.find(byte) != std::string::npos;
      EXPECT_EQ(!with_field(name + ": v").refused(), good) << name << " with byte " << c;
    }
  }
}

TEST(Collect, ValuesAreFreeOfControlCharactersForEveryByte) {
  for (int c = 0; c < 256; ++c) {
    const bool good = c == '\t' || (c >= 0x20 && c != 0x7f);
    // llhttp reads the values of some fields in states of their own.
    for (const char* name : {"x-any", "connection", "proxy-connection", "upgrade", "keep-alive", "x-forwarded-for"}) {
      const Outcome outcome = with_field(std::string(name) + ": a" + static_cast<char>(c) + "b");
      EXPECT_EQ(!outcome.refused(), good) << name << " with byte " << c;
    }
  }
}

// llhttp and we look at blocks of 16 and 8 bytes.
TEST(Collect, ControlCharactersAreFoundAnywhereInALongValue) {
  for (const char byte : {'\0', '\x01', '\x08', '\x0b', '\x1f', '\x7f'}) {
    for (std::size_t at = 0; at < 70; ++at) {
      std::string value(70, 'v');
      value[at] = byte;
      EXPECT_TRUE(with_field("x: " + value).refused()) << at << " " << static_cast<int>(byte);
    }
  }
  EXPECT_FALSE(with_field("x: " + std::string(70, '\xff') + "\x80\t~").refused());
}

TEST(Collect, EmptyNameIsRefused) {
  EXPECT_EQ(with_field(": v").status, 400U);
  EXPECT_EQ(with_field(":").status, 400U);
  EXPECT_EQ(replay_request("GET / HTTP/1.1\r\n: ignored\r\nHost: h\r\n\r\n").status, 400U);
}

TEST(Collect, BlanksAroundValuesAreTrimmedInsideKept) {
  const Outcome outcome = with_field("x: \t a \t b \t ");
  EXPECT_NE(outcome.messages.at(0).head.find("\nx: a \t b\n"), std::string::npos) << outcome.messages.at(0).head;
  const Outcome empty = with_field("x:");
  EXPECT_NE(empty.messages.at(0).head.find("\nx: \n"), std::string::npos);
  const Outcome blank = with_field("x:   ");
  EXPECT_EQ(blank, empty);
}

// H19
TEST(Collect, HundredFieldsAreTheMost) {
  std::string fields;
  for (int i = 0; i < 99; ++i) fields += "a" + std::to_string(i) + ": v\r\n";
  EXPECT_FALSE(replay_request(kHead + fields + "\r\n").refused());
  const Outcome outcome = replay_request(kHead + fields + "one: more\r\n\r\n");
  EXPECT_EQ(outcome.fault, Fault::kTooManyHeaders);
  EXPECT_EQ(outcome.status, 431U);
}

TEST(Collect, NameAndValueOfAwkwardLengths) {
  for (const std::size_t size : {1U, 7U, 8U, 9U, 255U, 256U, 257U, 4000U}) {
    const Outcome outcome = with_field(std::string(size, 'N') + ": " + std::string(size, 'v'));
    const std::string expected = std::string(size, 'n') + ": " + std::string(size, 'v') + "\n";
    EXPECT_NE(outcome.messages.at(0).head.find(expected), std::string::npos) << size;
  }
}

// H13
TEST(Collect, UnderscoreNamesAreDroppedAndCounted) {
  const Outcome outcome = with_field("end_user: jason\r\nEnd-User: jason");
  EXPECT_EQ(outcome.messages.at(0).head,
            "GET / HTTP/1.1\nauthority h host h port 0\nbody none keep-alive dropped 1\nhost: h\nend-user: jason\n");
}

TEST(Collect, UnderscorePoliciesRejectAndKeep) {
  Limits limits;
  limits.underscores = UnderscorePolicy::kReject;
  EXPECT_EQ(replay_request(kHead + "a_b: c\r\n\r\n", {}, limits).fault, Fault::kUnderscore);
  limits.underscores = UnderscorePolicy::kKeep;
  const Outcome kept = replay_request(kHead + "a_b: c\r\n\r\n", {}, limits);
  EXPECT_NE(kept.messages.at(0).head.find("\na_b: c\n"), std::string::npos);
}

TEST(Collect, FramingLookalikesAreRefused) {
  for (const char* line :
       {"Transfer_Encoding: chunked", "Content_Length: 5", "TRANSFER_ENCODING: x", "Keep_Alive: 1"}) {
    EXPECT_EQ(with_field(line).fault, Fault::kUnderscore) << line;
  }
  for (const char* line : {"Transfer-Encoding\x85: chunked", "Content-Length\xc3\x9f: 5"}) {
    EXPECT_EQ(with_field(line).status, 400U) << line;
  }
}

// H18
TEST(Collect, TrailersNeverReachTheHead) {
  RequestParser parser(default_limits());
  std::string_view raw =
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nAuthorization: x\r\nEnd-User: "
      "jason\r\n\r\n";
  for (;;) {
    const ParseStep step = parser.feed(raw);
    raw.remove_prefix(step.consumed);
    if (step.event == Event::kMessageComplete) break;
    ASSERT_NE(step.event, Event::kError);
  }
  EXPECT_TRUE(raw.empty());
  EXPECT_EQ(parser.dropped_trailers(), 2U);
  EXPECT_EQ(parser.head().headers.find("authorization"), nullptr);
  EXPECT_EQ(parser.head().headers.find("end-user"), nullptr);
}

TEST(Collect, BadTrailersAreRefused) {
  const std::string chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
  std::string many;
  for (int i = 0; i < 101; ++i) many += "t: v\r\n";
  for (const std::string& trailer :
       {std::string("Host: evil\r\n"), std::string("Content-Length: 99\r\n"),
        std::string("Transfer-Encoding: chunked\r\n"), std::string("bad name: v\r\n"), std::string(": v\r\n"),
        std::string("a: b\r\n c\r\n"), std::string("a: b\n"), std::string("a: b\rc\r\n"), std::string("a\r\n"),
        "a: " + std::string(9000, 'v') + "\r\n", many, std::string("a: \x01\r\n")}) {
    const Outcome outcome = replay_request(chunked + trailer + "\r\n");
    EXPECT_TRUE(outcome.refused()) << trailer.substr(0, 40);
    ASSERT_EQ(outcome.messages.size(), 1U);
    EXPECT_FALSE(outcome.messages[0].complete);
    EXPECT_EQ(first_disagreement(chunked + trailer + "\r\n",
                                 [](std::string_view raw, const auto& cuts) { return replay_request(raw, cuts); }),
              "");
  }
}

}  // namespace
}  // namespace weir::http
