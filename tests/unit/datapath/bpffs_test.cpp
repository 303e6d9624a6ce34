// Pins, folders and the lock, in a BPF file system of the test's own.

#include "datapath/bpffs.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/stat.h>

#include <cerrno>

#include "datapath/bpf_map.h"
#include "fixture.h"

namespace weir::datapath::test {
namespace {

class BpffsTest : public LiveTest {
 protected:
  void SetUp() override {
    LiveTest::SetUp();
    if (IsSkipped()) return;
    ASSERT_TRUE(prepare_bpffs(sandbox.bpffs_dir()));
    map.reset(bpf_map_create(BPF_MAP_TYPE_ARRAY, "one", 4, 4, 1, nullptr));
    other.reset(bpf_map_create(BPF_MAP_TYPE_ARRAY, "two", 4, 4, 1, nullptr));
  }
  [[nodiscard]] std::string path(const std::string& name) const { return sandbox.bpffs_dir() + "/" + name; }
  [[nodiscard]] std::string pinned_name(const std::string& name) const {
    const FileDescriptor fd(bpf_obj_get(path(name).c_str()));
    return fd ? map_info(fd.get())->name : "";
  }
  FileDescriptor map, other;
};

TEST_F(BpffsTest, PreparingTwiceIsFine) {
  const auto again = prepare_bpffs(sandbox.bpffs_dir());
  ASSERT_TRUE(again);
  EXPECT_FALSE(*again) << "nothing was mounted";
  EXPECT_EQ(*list_directory(sandbox.bpffs_dir()), (std::vector<std::string>{"links", "progs"}));
}

TEST_F(BpffsTest, AFolderThatOthersMayOpenIsClosed) {
  ASSERT_EQ(chmod(sandbox.bpffs_dir().c_str(), 0777), 0);
  ASSERT_TRUE(prepare_bpffs(sandbox.bpffs_dir()));
  struct stat info {};
  ASSERT_EQ(stat(sandbox.bpffs_dir().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
}

TEST_F(BpffsTest, WherePinsCannotBe) {
  EXPECT_EQ(prepare_bpffs("").error().message, "the bpffs folder '' is not an absolute path");
  EXPECT_EQ(prepare_bpffs("weir").error().code, EINVAL);
  EXPECT_EQ(prepare_bpffs("/tmp/weir").error().message,
            "/tmp/weir is not in a BPF file system (/tmp is another); mount one: mount -t bpf bpf /tmp");
  const auto dotted = prepare_bpffs(path("a.b"));
  ASSERT_FALSE(dotted);
  EXPECT_NE(dotted.error().message.find("bpffs takes no names with a dot"), std::string::npos)
      << dotted.error().message;
}

TEST_F(BpffsTest, APinTakesTheOldOnesPlace) {
  ASSERT_TRUE(pin(map.get(), path("links/x")));
  EXPECT_EQ(pinned_name("links/x"), "one");
  ASSERT_TRUE(pin(other.get(), path("links/x")));
  EXPECT_EQ(pinned_name("links/x"), "two");
  EXPECT_EQ(*list_directory(path("links")), (std::vector<std::string>{"x"})) << "nothing is left of the change";
}

TEST_F(BpffsTest, ALeftoverOfAPinThatDiedIsNoHindrance) {
  ASSERT_TRUE(pin(other.get(), path("links/x_new")));
  ASSERT_TRUE(pin(map.get(), path("links/x")));
  EXPECT_EQ(pinned_name("links/x"), "one");
}

TEST_F(BpffsTest, WhatCannotBePinned) {
  EXPECT_FALSE(pin(-1, path("links/x")));
  EXPECT_FALSE(pin(map.get(), path("nowhere/x")));
  EXPECT_FALSE(pin(map.get(), "/tmp/weir_no_bpffs"));
}

TEST_F(BpffsTest, RemovingIsIdempotent) {
  ASSERT_TRUE(pin(map.get(), path("links/x")));
  EXPECT_TRUE(unpin(path("links/x")));
  EXPECT_TRUE(unpin(path("links/x")));
  ASSERT_TRUE(pin(map.get(), path("links/x")));
  EXPECT_EQ(*remove_directory(path("links")), 1U);
  EXPECT_EQ(*remove_directory(path("links")), 0U);
  EXPECT_TRUE(list_directory(path("links"))->empty());
  EXPECT_FALSE(rename_pin(path("no"), path("where")));
}

TEST_F(BpffsTest, TheLockIsForOneAndEndsWithIt) {
  {
    const auto first = lock_bpffs(sandbox.bpffs_dir());
    ASSERT_TRUE(first);
    EXPECT_EQ(lock_bpffs(sandbox.bpffs_dir()).error().code, EBUSY);
  }
  EXPECT_TRUE(lock_bpffs(sandbox.bpffs_dir()));
  EXPECT_EQ(lock_bpffs(path("nowhere")).error().code, ENOENT);
}

}  // namespace
}  // namespace weir::datapath::test
