#include "agent/proxy/cgroup.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datapath/cgroup.h"
#include "tests/unit/support/temp_dir.h"

namespace weir::agent {
namespace {

TEST(ProxyCgroup, IsMadeOnceAndHasAnId) {
  const auto root = datapath::find_cgroup2_root();
  if (!root || ::geteuid() != 0) GTEST_SKIP() << "needs root and cgroup2";
  const std::string parent = *root + "/weir-test-" + std::to_string(::getpid());
  ASSERT_EQ(::mkdir(parent.c_str(), 0755), 0);
  const std::string dir = proxy_cgroup_dir(parent);
  const auto id = make_proxy_cgroup(dir);
  EXPECT_TRUE(id) << id.error().message;
  const auto again = make_proxy_cgroup(dir);
  EXPECT_TRUE(again);
  EXPECT_EQ(Result(id).value_or(0), Result(again).value_or(1));
  ::rmdir(dir.c_str());
  ::rmdir(parent.c_str());
}

TEST(ProxyCgroup, OutsideOfCgroup2IsAnError) {
  const weir::test::TempDir dir;
  EXPECT_FALSE(make_proxy_cgroup(dir.file("x")));
  EXPECT_FALSE(make_proxy_cgroup(dir.file("not/there")));
}

}  // namespace
}  // namespace weir::agent
