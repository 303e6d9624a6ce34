#include "datapath/cgroup.h"

#include <gtest/gtest.h>

namespace weir::datapath {
namespace {

constexpr const char* kHybrid =
    "25 30 0:23 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755\n"
    "26 25 0:24 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw,nsdelegate\n"
    "27 25 0:25 / /sys/fs/cgroup/net_cls,net_prio rw shared:11 - cgroup cgroup rw,net_cls,net_prio\n";

TEST(Cgroup, FoundByTypeNotByPath) {
  const auto mounts = parse_mountinfo(kHybrid);
  ASSERT_EQ(mounts.size(), 3U);
  EXPECT_EQ(pick_cgroup2(mounts)->path, "/sys/fs/cgroup/unified");
}

TEST(Cgroup, TheWholeHierarchyIsPreferred) {
  const auto mounts = parse_mountinfo(
      "1 2 0:1 /../.. /a rw - cgroup2 cgroup2 rw\n"
      "2 2 0:1 / /b rw master:1 propagate_from:2 - cgroup2 cgroup2 rw\n");
  EXPECT_EQ(pick_cgroup2(mounts)->path, "/b");
}

TEST(Cgroup, MalformedLinesAreSkipped) {
  const auto mounts = parse_mountinfo(
      "\n"
      "1 2 3\n"
      "1 2 0:1 / /a rw shared:1\n"
      "1 2 0:1 / /a rw -\n"
      "1 2 0:1 / /a rw - cgroup2\n"
      "garbage - - - - - - -\n"
      "1 2 0:1 / /with\\040space\\134\\09 rw - cgroup2 none rw");
  ASSERT_FALSE(mounts.empty());
  EXPECT_EQ(mounts.back().path, "/with space\\\\09");
}

TEST(Cgroup, NoneAtAll) {
  EXPECT_EQ(pick_cgroup2({}), std::nullopt);
  EXPECT_EQ(judge_mounts({}, "6.1.0").size(), 1U);
  EXPECT_NE(judge_mounts({}, "6.1.0")[0].find("no cgroup2 file system is mounted"), std::string::npos);
}

TEST(Cgroup, Version1NetworkControllersMatterOnOldKernels) {
  const auto mounts = parse_mountinfo(kHybrid);
  EXPECT_TRUE(judge_mounts(mounts, "5.15.0-generic").empty());
  EXPECT_TRUE(judge_mounts(mounts, "6.1.0").empty());
  EXPECT_TRUE(judge_mounts(mounts, "nonsense").empty());
  const auto warnings = judge_mounts(mounts, "5.10.0-30-amd64");
  ASSERT_EQ(warnings.size(), 2U);
  EXPECT_EQ(warnings[0],
            "cgroup v1 controller net_cls is mounted at /sys/fs/cgroup/net_cls,net_prio: before Linux 5.15, sockets of "
            "processes that "
            "use it slip past the hooks");
}

TEST(Cgroup, APartOfTheHierarchyIsTold) {
  const auto warnings =
      judge_mounts(parse_mountinfo("1 2 0:1 /../../pod7 /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"), "6.1");
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("only /../../pod7 of the cgroup2 hierarchy"), std::string::npos);
}

TEST(Cgroup, WhatIsNoCgroup) {
  EXPECT_FALSE(open_cgroup("/tmp"));
  EXPECT_NE(open_cgroup("/tmp").error().message.find("/tmp is not a cgroup2 directory"), std::string::npos);
  EXPECT_FALSE(open_cgroup("/no/such/folder"));
  EXPECT_FALSE(open_cgroup("/etc/passwd"));
}

}  // namespace
}  // namespace weir::datapath
