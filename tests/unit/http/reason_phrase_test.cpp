#include "http/reason_phrase.h"

#include <gtest/gtest.h>

namespace weir::http {
namespace {

TEST(ReasonPhrase, KnownAndUnknown) {
  EXPECT_EQ(reason_phrase(200), "OK");
  EXPECT_EQ(reason_phrase(100), "Continue");
  EXPECT_EQ(reason_phrase(431), "Request Header Fields Too Large");
  EXPECT_EQ(reason_phrase(511), "Network Authentication Required");
  for (const int status : {0, 99, 199, 299, 599, 600, 65535}) {
    EXPECT_EQ(reason_phrase(static_cast<std::uint16_t>(status)), "") << status;
  }
}

}  // namespace
}  // namespace weir::http
