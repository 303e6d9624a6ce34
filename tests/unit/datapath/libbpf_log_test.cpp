#include "datapath/libbpf_log.h"

#include <bpf/libbpf.h>
#include <gtest/gtest.h>

namespace weir::datapath::test {
namespace {

/// Something libbpf complains about.
void provoke() {
  EXPECT_EQ(bpf_object__open("/no/such/object.o"), nullptr);
}

TEST(LibbpfLog, HearsWhileItLives) {
  const LibbpfLog log;
  provoke();
  EXPECT_NE(log.text().find("/no/such/object.o"), std::string::npos) << log.text();
}

TEST(LibbpfLog, TheInnerOneHears) {
  const LibbpfLog outer;
  {
    const LibbpfLog inner;
    provoke();
    EXPECT_FALSE(inner.text().empty());
  }
  EXPECT_EQ(outer.text(), "");
  provoke();
  EXPECT_NE(outer.text(), "");
}

TEST(LibbpfLog, KeepsTheFirstSixteenKilobytes) {
  const LibbpfLog log;
  for (int i = 0; i < 1000; ++i) provoke();
  EXPECT_GT(log.text().size(), 16000U);
  EXPECT_LE(log.text().size(), 16384U);
}

TEST(LibbpfLog, NobodyListensNothingIsPrinted) {
  { const LibbpfLog installed; }
  ::testing::internal::CaptureStderr();
  provoke();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace weir::datapath::test
