#include "agent/source/folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "tests/unit/support/temp_dir.h"

namespace weir::agent {
namespace {

namespace fs = std::filesystem;

class FolderTest : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) { std::ofstream(dir_.file(name)) << text; }
  Folder open() { return std::move(*Folder::open(dir_.path().string())); }
  std::vector<std::string> names() {
    std::vector<std::string> found;
    const auto entries = open().list();
    for (const auto& entry : *entries) found.push_back(entry.name);
    return found;
  }
  test::TempDir dir_;
};

TEST(ConfigName, WhichFilesAreConfiguration) {
  for (const char* name : {"a.yaml", "a.yml", "a.json", "a.b.yaml", "ä.yaml", "a b.yaml"})
    EXPECT_TRUE(is_config_name(name)) << name;
  for (const char* name : {"", ".", "..", ".yaml", ".a.yaml.swp", ".#a.yaml", "..data", "a.yaml~", "a.yaml.bak",
                           "#a.yaml#", "a.YAML", "yaml", "README.md", "4913", "a.yaml.tmp"})
    EXPECT_FALSE(is_config_name(name)) << name;
}

TEST_F(FolderTest, ListsConfigurationByName) {
  write("b.yaml", "");
  write("a.yml", "");
  write("c.json", "");
  write("d.txt", "");
  write(".e.yaml", "");
  EXPECT_EQ(names(), (std::vector<std::string>{"a.yml", "b.yaml", "c.json"}));
}

TEST_F(FolderTest, ListingTwiceGivesTheSame) {
  write("a.yaml", "");
  const Folder folder = open();
  EXPECT_EQ(folder.list()->size(), 1U);
  EXPECT_EQ(folder.list()->size(), 1U);
}

TEST_F(FolderTest, StampChangesWithTheFile) {
  write("a.yaml", "1");
  const auto before = open().list()->front().stamp;
  write("a.yaml", "22");
  EXPECT_NE(open().list()->front().stamp, before);
  ASSERT_TRUE(before);
}

TEST_F(FolderTest, ReadsAFile) {
  write("a.yaml", "text\n");
  const auto file = open().read("a.yaml");
  ASSERT_TRUE(file);
  ASSERT_TRUE(*file);
  EXPECT_EQ((*file)->text, "text\n");
  EXPECT_EQ((*file)->stamp, open().list()->front().stamp);
}

TEST_F(FolderTest, ReadsAnEmptyFile) {
  write("a.yaml", "");
  EXPECT_EQ((*open().read("a.yaml"))->text, "");
}

TEST_F(FolderTest, FollowsASymbolicLinkToAFile) {
  write("real.txt", "x");
  fs::create_symlink("real.txt", dir_.path() / "a.yaml");
  EXPECT_EQ((*open().read("a.yaml"))->text, "x");
}

TEST_F(FolderTest, MissingFileIsNothing) {
  const auto file = open().read("none.yaml");
  ASSERT_TRUE(file);
  EXPECT_FALSE(*file);
}

TEST_F(FolderTest, DanglingLinkIsAnError) {
  fs::create_symlink("nowhere", dir_.path() / "a.yaml");
  const auto entries = *open().list();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_FALSE(entries[0].stamp);
  const auto file = open().read("a.yaml");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().message, "is a symbolic link that leads nowhere");
}

TEST_F(FolderTest, LinkLoopIsAnError) {
  fs::create_symlink("b.yaml", dir_.path() / "a.yaml");
  fs::create_symlink("a.yaml", dir_.path() / "b.yaml");
  EXPECT_EQ(open().read("a.yaml").error().code, ELOOP);
}

TEST_F(FolderTest, FifoDoesNotBlock) {
  ASSERT_EQ(::mkfifo(dir_.file("a.yaml").c_str(), 0600), 0);
  EXPECT_EQ(open().read("a.yaml").error().message, "is a FIFO, not a regular file");
}

TEST_F(FolderTest, DeviceIsAnError) {
  fs::create_symlink("/dev/zero", dir_.path() / "a.yaml");
  EXPECT_EQ(open().read("a.yaml").error().message, "is a device, not a regular file");
}

TEST_F(FolderTest, DirectoryIsAnError) {
  fs::create_directory(dir_.path() / "a.yaml");
  EXPECT_EQ(open().read("a.yaml").error().message, "is a directory, not a regular file");
}

TEST_F(FolderTest, HugeFileIsAnErrorAndNotRead) {
  write("a.yaml", "");
  fs::resize_file(dir_.path() / "a.yaml", 100U << 20);
  const auto file = open().read("a.yaml");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, EFBIG);
}

TEST_F(FolderTest, LargestFileIsRead) {
  write("a.yaml", "");
  fs::resize_file(dir_.path() / "a.yaml", kMaxFileBytes);
  EXPECT_EQ((*open().read("a.yaml"))->text.size(), kMaxFileBytes);
}

TEST_F(FolderTest, ConfigMapIsReadThroughItsData) {
  fs::create_directory(dir_.path() / "..v1");
  fs::create_directory(dir_.path() / "..v2");
  write("..v1/a.yaml", "one");
  write("..v2/a.yaml", "two");
  fs::create_symlink("..v1", dir_.path() / "..data");
  fs::create_symlink("..data/a.yaml", dir_.path() / "a.yaml");
  const Folder first = open();
  fs::create_symlink("..v2", dir_.path() / "..data_tmp");
  fs::rename(dir_.path() / "..data_tmp", dir_.path() / "..data");
  // The set that was opened stays one version although the swap has happened.
  EXPECT_EQ((*first.read("a.yaml"))->text, "one");
  EXPECT_EQ((*open().read("a.yaml"))->text, "two");
  EXPECT_EQ(names(), (std::vector<std::string>{"a.yaml"}));
}

TEST(FolderOpen, MissingDirectory) {
  EXPECT_EQ(Folder::open("/nonexistent/x").error().code, ENOENT);
}

TEST_F(FolderTest, FileInPlaceOfTheDirectory) {
  write("x", "");
  EXPECT_EQ(Folder::open(dir_.file("x")).error().code, ENOTDIR);
}

}  // namespace
}  // namespace weir::agent
