#include "proxy/flags.h"

#include <gtest/gtest.h>

#include <set>

namespace weir::proxy {
namespace {

TEST(Flags, TextOfSets) {
  EXPECT_EQ(to_text(0), "-");
  EXPECT_EQ(to_text(kNoRoute), "NR");
  EXPECT_EQ(to_text(kEndpointClosed | kRetriesUsedUp), "URX,UC");
  EXPECT_EQ(to_text(kFaultInjected | kDelayInjected), "DI,FI");
}

TEST(Flags, EachHasATextOfItsOwn) {
  std::set<std::string> seen;
  for (uint32_t number = 0; number < kFlagCount; ++number) EXPECT_TRUE(seen.insert(flag_text(number)).second);
}

}  // namespace
}  // namespace weir::proxy
