#include "proxy_process/build.h"

#include <gtest/gtest.h>

namespace weir::proxy_process {
namespace {

TEST(BuildId, IsTheLinkersAndStaysTheSame) {
  const std::string id = build_id();
  EXPECT_GE(id.size(), 16U) << id;
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos) << id;
  EXPECT_EQ(id, build_id());
}

}  // namespace
}  // namespace weir::proxy_process
