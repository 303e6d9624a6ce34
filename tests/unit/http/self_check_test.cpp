#include "http/self_check.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::http {
namespace {

RequestHead post(std::uint64_t length) {
  RequestHead head;
  head.method = Method::kPost;
  head.method_name = "POST";
  head.framing = Framing::kLength;
  head.content_length = length;
  return head;
}

TEST(SelfCheck, RequestsThatAreNotWhatWasMeant) {
  const std::string good = "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\n";
  EXPECT_EQ(unsound_request(good, post(5)), "");
  EXPECT_EQ(unsound_request(good, post(6)), "another framing");
  EXPECT_EQ(unsound_request(std::string("PUT") + good.substr(4), post(5)), "another method");
  EXPECT_EQ(unsound_request(good + "x", post(5)), "bytes after the head");
  EXPECT_EQ(unsound_request(good.substr(0, good.size() - 2), post(5)), "the head does not end");
  EXPECT_NE(unsound_request(
                std::string("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n"),
                post(5)),
            "");
  EXPECT_NE(unsound_request(std::string("POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\n"), post(5)), "");
}

TEST(SelfCheck, ResponsesThatAreNotWhatWasMeant) {
  ResponseHead head;
  head.status = 200;
  head.framing = Framing::kLength;
  head.content_length = 5;
  const std::string good = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
  EXPECT_EQ(unsound_response(good, head, {}), "");
  EXPECT_EQ(unsound_response(std::string("HTTP/1.1 201 OK\r\ncontent-length: 5\r\n\r\n"), head, {}), "another status");
  EXPECT_EQ(unsound_response(std::string("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n"), head, {}), "another framing");
  EXPECT_EQ(unsound_response(std::string("HTTP/1.1 200 OK\r\n\r\n"), head, {}), "another framing");
  EXPECT_EQ(unsound_response(good + "hello", head, {}), "bytes after the head");
}

TEST(SelfCheckDeathTest, UnsoundHeadEndsTheProcess) {
  EXPECT_DEATH(require_sound_request(std::string("nonsense\r\n\r\n"), post(5)), "unsound message head");
}

}  // namespace
}  // namespace weir::http
