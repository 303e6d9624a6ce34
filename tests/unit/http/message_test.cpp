#include "http/message.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::http {
namespace {

std::string lines(const HeaderList& headers) {
  std::string text;
  for (const Header& header : headers) text.append(header.name).append("=").append(header.value).append(";");
  return text;
}

TEST(HeaderList, AddKeepsOrderAndLowersNames) {
  HeaderList headers;
  headers.add("X-B", "2");
  headers.add("Host", "h");
  headers.add("x-b", "3");
  EXPECT_EQ(lines(headers), "x-b=2;host=h;x-b=3;");
  EXPECT_EQ(headers.value(HeaderId::kHost), "h");
  EXPECT_EQ(headers.find("x-b")->value, "2");
  EXPECT_EQ(headers.find("host")->value, "h");
  EXPECT_EQ(headers.find("X-B"), nullptr);
}

TEST(HeaderList, MissingIsNullAndEmpty) {
  HeaderList headers;
  EXPECT_EQ(headers.find(HeaderId::kVia), nullptr);
  EXPECT_EQ(headers.find("nothing"), nullptr);
  EXPECT_EQ(headers.value(HeaderId::kVia), "");
  EXPECT_EQ(headers.count(HeaderId::kVia), 0U);
  EXPECT_FALSE(headers.remove("via"));
}

TEST(HeaderList, SetReplacesAllAtThePlaceOfTheFirst) {
  HeaderList headers;
  headers.add("a", "1");
  headers.add("via", "x");
  headers.add("b", "2");
  headers.add("Via", "y");
  headers.set("VIA", "z");
  EXPECT_EQ(lines(headers), "a=1;via=z;b=2;");
  EXPECT_EQ(headers.count(HeaderId::kVia), 1U);
  headers.set("new", "n");
  EXPECT_EQ(headers.find("new")->value, "n");
}

TEST(HeaderList, RemoveTakesAllAndTheIndexFollows) {
  HeaderList headers;
  headers.add("x", "1");
  headers.add("via", "1");
  headers.add("X", "2");
  headers.add("via", "2");
  EXPECT_TRUE(headers.remove("X"));
  EXPECT_EQ(lines(headers), "via=1;via=2;");
  EXPECT_EQ(headers.find(HeaderId::kVia), headers.begin());
  EXPECT_TRUE(headers.remove("Via"));
  EXPECT_EQ(headers.find(HeaderId::kVia), nullptr);
  EXPECT_EQ(headers.size(), 0U);
}

TEST(HeaderList, NominatedAreThoseThatConnectionNames) {
  HeaderList headers;
  headers.add("x-a", "1");
  headers.add("Connection", "close, X-A, nothing");
  headers.add("x-b", "2");
  headers.add("close", "a field of that name is no option");
  headers.add("connection", "x-b");
  headers.add("x-c", "3");
  headers.mark_nominated();
  std::string nominated;
  for (const Header& header : headers) {
    if (header.nominated) nominated.append(header.name).append(";");
  }
  EXPECT_EQ(nominated, "x-a;x-b;");
}

TEST(HeaderList, AFieldSetOrAddedLaterIsNotNominated) {
  HeaderList headers;
  headers.add("connection", "x-a, x-b");
  headers.add("x-a", "client");
  headers.mark_nominated();
  headers.set("x-a", "ours");
  headers.add("x-b", "ours");
  EXPECT_FALSE(headers.find("x-a")->nominated);
  EXPECT_FALSE(headers.find("x-b")->nominated);
}

TEST(HeaderList, ViewsSurviveManyAdditions) {
  HeaderList headers;
  headers.add("first", "value");
  const std::string_view first = headers.find("first")->value;
  for (int i = 0; i < 1000; ++i) headers.add("x-" + std::to_string(i), std::string(20, 'v'));
  EXPECT_EQ(first, "value");
  EXPECT_EQ(headers.size(), 1001U);
}

TEST(HeaderList, ClearForgetsEverything) {
  HeaderList headers;
  headers.add("host", "h");
  headers.clear();
  EXPECT_EQ(headers.size(), 0U);
  EXPECT_EQ(headers.find(HeaderId::kHost), nullptr);
  headers.release();
  EXPECT_EQ(headers.arena().capacity(), 0U);
}

TEST(Message, MethodsByName) {
  EXPECT_EQ(method_of("GET"), Method::kGet);
  EXPECT_EQ(method_of("TRACE"), Method::kTrace);
  EXPECT_EQ(method_of("CONNECT"), Method::kConnect);
  EXPECT_EQ(method_of("get"), Method::kOther);
  EXPECT_EQ(method_of(""), Method::kOther);
  EXPECT_EQ(method_of("PURGE"), Method::kOther);
}

TEST(Message, ClearResetsEachFieldAndKeepsTheMemory) {
  RequestHead head;
  head.headers.add("a", std::string(2000, 'v'));
  head.headers.clear();
  head.headers.add("a", std::string(2000, 'v'));
  head.method = Method::kGet;
  head.content_length = 5;
  head.framing = Framing::kLength;
  head.upgrade = "websocket";
  head.max_forwards = 3;
  const std::size_t capacity = head.headers.arena().capacity();
  head.clear();
  EXPECT_EQ(to_text(head), to_text(RequestHead()));
  EXPECT_EQ(head.headers.arena().capacity(), capacity);
}

TEST(Message, TextOfAResponse) {
  ResponseHead head;
  head.status = 200;
  head.reason = "OK";
  head.framing = Framing::kLength;
  head.content_length = 3;
  head.keep_alive = false;
  head.headers.add("Server", "x");
  EXPECT_EQ(to_text(head), "HTTP/1.1 200 OK\nbody length 3 close\nserver: x\n");
}

TEST(Message, InterimIsEvery1xxBut101) {
  ResponseHead head;
  for (const int status : {100, 102, 103, 199}) {
    head.status = static_cast<std::uint16_t>(status);
    EXPECT_TRUE(head.interim()) << status;
  }
  for (const int status : {101, 200, 204, 304, 500}) {
    head.status = static_cast<std::uint16_t>(status);
    EXPECT_FALSE(head.interim()) << status;
  }
}

}  // namespace
}  // namespace weir::http
