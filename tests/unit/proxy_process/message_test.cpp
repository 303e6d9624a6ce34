#include "proxy_process/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::proxy_process {
namespace {

using ::testing::HasSubstr;

std::string framed(std::string_view json) {
  std::string bytes = "WPX1";
  for (size_t i = 0; i < 4; ++i) bytes += static_cast<char>(json.size() >> (8 * i) & 0xff);
  return bytes + std::string(json);
}

constexpr const char* kGood = R"({"type":"hello","id":7,"fds":0,"blob":0,"body":{}})";

TEST(Message, ComesBackAsItWasWritten) {
  const Message message{"start", 18'446'744'073'709'551'615ULL, {{"workers", 2}, {"name", "ä\n"}}};
  const auto bytes = to_bytes(message, {3, 4096});
  ASSERT_TRUE(bytes);
  const auto read = read_message(*bytes);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->message.type, "start");
  EXPECT_EQ(read->message.id, message.id);
  EXPECT_EQ(read->message.body, message.body);
  EXPECT_EQ(read->enclosed.fds, 3U);
  EXPECT_EQ(read->enclosed.blob_bytes, 4096U);
}

TEST(Message, OfMoreThanTheLimitIsNotWritten) {
  const Message message{"hello", 1, {{"text", std::string(kMaxMessageBytes, 'x')}}};
  const auto bytes = to_bytes(message, {});
  ASSERT_FALSE(bytes);
  EXPECT_THAT(bytes.error().message, HasSubstr("too long"));
}

TEST(Message, BytesThatAreNoUtf8DoNotThrow) {
  const auto bytes = to_bytes({"hello", 1, {{"text", "\xff\xfe"}}}, {});
  ASSERT_TRUE(bytes);
  EXPECT_TRUE(read_message(*bytes));
}

TEST(Message, EveryTruncationIsRefused) {
  const std::string whole = framed(kGood);
  ASSERT_TRUE(read_message(whole));
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(read_message(whole.substr(0, size))) << size;
  EXPECT_FALSE(read_message(whole + " "));
}

TEST(Message, WhatIsWrongIsRefused) {
  for (const char* json : {
           "", "null", "[]", "7", "\"x\"", "{", R"({"type":"hello"})",                               // no id ...
           R"({"type":"hello","id":-1,"fds":0,"blob":0,"body":{}})",                                 // negative
           R"({"type":"hello","id":1.5,"fds":0,"blob":0,"body":{}})",                                // fraction
           R"({"type":"hello","id":1,"fds":129,"blob":0,"body":{}})",                                // too many
           R"({"type":"hello","id":1,"fds":99999999999999999999999,"blob":0,"body":{}})",            // no number
           R"({"type":"hello","id":1,"fds":0,"blob":0,"body":[]})",                                  // no object
           R"({"type":"hello","id":1,"fds":0,"blob":0})",                                            // no body
           R"({"type":7,"id":1,"fds":0,"blob":0,"body":{}})",                                        // no text
           R"({"type":"","id":1,"fds":0,"blob":0,"body":{}})",                                       // empty
           R"({"type":"HELLO","id":1,"fds":0,"blob":0,"body":{}})",                                  // upper case
           R"({"type":"../../x","id":1,"fds":0,"blob":0,"body":{}})",                                // no word
           R"({"type":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","id":1,"fds":0,"blob":0,"body":{}})",  // long
       })
    EXPECT_FALSE(read_message(framed(json))) << json;
}

TEST(Message, AnotherMagicIsRefused) {
  std::string bytes = framed(kGood);
  bytes[3] = '2';
  EXPECT_FALSE(read_message(bytes));
}

TEST(Message, OfMoreThanTheLimitIsNotRead) {
  std::string json = kGood;
  json.insert(1, std::string(kMaxMessageBytes, ' '));
  EXPECT_FALSE(read_message(framed(json)));
}

TEST(Json, DepthIsBounded) {
  const auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(read_json(nested(kMaxDepth)));
  const auto deep = read_json(nested(kMaxDepth + 1));
  ASSERT_FALSE(deep);
  EXPECT_THAT(deep.error().message, HasSubstr("too deep"));
  EXPECT_FALSE(read_json(nested(100'000)));
  EXPECT_FALSE(read_json(std::string(100'000, '[')));
}

}  // namespace
}  // namespace weir::proxy_process
