#include "base/hash.h"

#include <gtest/gtest.h>

#include <bitset>
#include <string>

namespace weir {
namespace {

// Identities in the kernel's maps outlive the program that wrote them: the values may never change.
TEST(Hash64, IsTheSameForEver) {
  EXPECT_EQ(hash64(""), 0xf52a15e9a9b5e89bULL);
  EXPECT_EQ(hash64("default/reviews:9080"), hash64("default/reviews:9080"));
  EXPECT_NE(hash64("default/reviews:9080"), hash64("default/reviews:9081"));
}

TEST(Hash64, OneBitInChangesAboutHalfTheBitsOut) {
  double flipped = 0;
  for (int i = 0; i < 256; ++i) {
    std::string text = "reviews.default.svc.cluster.local" + std::to_string(i);
    const uint64_t before = hash64(text);
    text[static_cast<size_t>(i) % text.size()] ^= 1;
    flipped += static_cast<double>(std::bitset<64>(before ^ hash64(text)).count());
  }
  EXPECT_NEAR(flipped / 256, 32.0, 2.0);
}

}  // namespace
}  // namespace weir
