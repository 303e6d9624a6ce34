// Taking everything away, whatever state it is in.

#include <cerrno>

#include "datapath/bpffs.h"
#include "datapath/map_set.h"
#include "lifecycle.h"

namespace weir::datapath::test {
namespace {

using UninstallTest = LifecycleTest;

TEST_F(UninstallTest, RemovalMayDieBeforeAnyStep) {
  int step = 0;
  for (;; ++step) {
    SCOPED_TRACE(step);
    { auto datapath = start(plan(1, 0)); }
    if (!dies_before(step, [&] { (void)uninstall(sandbox.bpffs_dir()); })) break;
    ASSERT_TRUE(uninstall(sandbox.bpffs_dir()));
    EXPECT_FALSE(exists(sandbox.bpffs_dir()));
    EXPECT_EQ(connect_to(kVip, 80).error, ECONNREFUSED);
  }
  EXPECT_GT(step, 5);
}

TEST_F(UninstallTest, UninstallLeavesNothing) {
  { auto datapath = start(plan(1, 0)); }
  const auto removed = uninstall(sandbox.bpffs_dir());
  ASSERT_TRUE(removed);
  EXPECT_EQ(*removed, kMapCount + 2 * kHookCount);
  EXPECT_FALSE(exists(sandbox.bpffs_dir()));
  EXPECT_EQ(connect_to(kVip, 80).error, ECONNREFUSED);
  const auto again = uninstall(sandbox.bpffs_dir());
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, 0U);
  EXPECT_EQ(read_maps(sandbox.bpffs_dir()).error().code, ENOENT);
}

TEST_F(UninstallTest, UninstallTouchesNoFolderThatIsNotOurs) {
  ASSERT_TRUE(make_directory(sandbox.bpffs_dir()));
  ASSERT_TRUE(make_directory(sandbox.bpffs_dir() + "/cilium"));
  const auto removed = uninstall(sandbox.bpffs_dir());
  ASSERT_FALSE(removed);
  EXPECT_NE(removed.error().message.find("'cilium', which is not weir's"), std::string::npos)
      << removed.error().message;
  ASSERT_TRUE(remove_directory(sandbox.bpffs_dir() + "/cilium"));
  ASSERT_TRUE(remove_directory(sandbox.bpffs_dir()));
}

}  // namespace
}  // namespace weir::datapath::test
