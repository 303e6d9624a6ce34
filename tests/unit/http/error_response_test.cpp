#include "http/error_response.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "support.h"

namespace weir::http {
namespace {

std::string error(std::uint16_t status, std::string_view text, Method method = Method::kGet) {
  std::array<char, kErrorResponseBound> out;
  const Written written = write_error_response(status, text, method, out);
  return written ? std::string(out.data(), written.size) : "error";
}

TEST(ErrorResponse, SaysWhyAndCloses) {
  EXPECT_EQ(error(400, "no valid Host"),
            "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: 14\r\nconnection: close\r\n\r\n"
            "no valid Host\n");
  EXPECT_EQ(error(404, ""),
            "HTTP/1.1 404 Not Found\r\ncontent-type: text/plain\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
}

TEST(ErrorResponse, HeadGetsNoBody) {
  EXPECT_EQ(error(503, "no endpoint", Method::kHead),
            "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\ncontent-length: 12\r\nconnection: "
            "close\r\n\r\n");
}

TEST(ErrorResponse, MethodRefusedSaysWhatIsAllowed) {
  EXPECT_NE(error(405, "x").find("\r\nallow: GET, HEAD, "), std::string::npos);
}

TEST(ErrorResponse, EveryFaultMakesASoundResponse) {
  for (int i = 1; i < static_cast<int>(Fault::kCount); ++i) {
    const auto fault = static_cast<Fault>(i);
    if (fault_status(fault) == 0) continue;
    const std::string raw = error(fault_status(fault), fault_text(fault));
    const Outcome outcome = replay_response(raw);
    ASSERT_EQ(outcome.messages.size(), 1U) << raw;
    EXPECT_TRUE(outcome.messages[0].complete) << raw;
    EXPECT_EQ(outcome.messages[0].body, std::string(fault_text(fault)) + "\n");
  }
}

TEST(ErrorResponse, RefusesWhatIsNoErrorOrNoText) {
  EXPECT_EQ(error(200, "x"), "error");
  EXPECT_EQ(error(399, "x"), "error");
  EXPECT_EQ(error(600, "x"), "error");
  EXPECT_EQ(error(400, "a\r\nb"), "error");
  std::array<char, 20> small;
  EXPECT_EQ(write_error_response(400, "x", Method::kGet, small).error, WriteError::kNoSpace);
}

TEST(ErrorResponse, FitsItsBound) {
  EXPECT_NE(error(405, std::string(256, 't')), "error");
  EXPECT_NE(error(511, std::string(256, 't')), "error");
}

}  // namespace
}  // namespace weir::http
