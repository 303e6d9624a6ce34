#include "agent/node/run_dir.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "tests/unit/support/temp_dir.h"

namespace weir::agent {
namespace {

TEST(RunDir, MakesTheDirectoryForGroupOnly) {
  const test::TempDir dir;
  const auto taken = RunDir::take(dir.file("run"));
  ASSERT_TRUE(taken) << taken.error().message;
  struct stat info {};
  ASSERT_EQ(::stat(dir.file("run").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0750U);
  EXPECT_EQ(socket_path(taken->path()), dir.file("run") + "/weir.sock");
}

TEST(RunDir, SecondAgentIsToldWhoHoldsIt) {
  const test::TempDir dir;
  const auto first = RunDir::take(dir.file("run"));
  const auto second = RunDir::take(dir.file("run"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EBUSY);
  EXPECT_NE(second.error().message.find("pid " + std::to_string(::getpid())), std::string::npos);
  EXPECT_NE(second.error().message.find("--run-dir"), std::string::npos);
}

TEST(RunDir, FreeAgainWhenTheAgentIsGone) {
  const test::TempDir dir;
  { ASSERT_TRUE(RunDir::take(dir.file("run"))); }
  EXPECT_TRUE(RunDir::take(dir.file("run")));
}

TEST(RunDir, NoteOutlivesTheAgent) {
  const test::TempDir dir;
  {
    const auto taken = RunDir::take(dir.file("run"));
    ASSERT_TRUE(taken->leave_note("first"));
    ASSERT_TRUE(taken->leave_note("{}"));
  }
  std::ifstream file(note_path(dir.file("run")));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "{}");
}

TEST(RunDir, FileInItsPlace) {
  const test::TempDir dir;
  std::ofstream(dir.file("run")) << "x";
  EXPECT_EQ(RunDir::take(dir.file("run")).error().code, ENOTDIR);
}

TEST(RunDir, NoParent) {
  const test::TempDir dir;
  EXPECT_EQ(RunDir::take(dir.file("a/b")).error().code, ENOENT);
}

TEST(RunDir, LockFileThatIsALinkIsNotFollowed) {
  const test::TempDir dir;
  std::filesystem::create_directory(dir.file("run"));
  std::filesystem::create_symlink(dir.file("victim"), dir.file("run") + "/agent.lock");
  EXPECT_EQ(RunDir::take(dir.file("run")).error().code, ELOOP);
  EXPECT_FALSE(std::filesystem::exists(dir.file("victim")));
}

TEST(ReplaceFile, PutsAllOrNothingAndLeavesNothingBeside) {
  const test::TempDir dir;
  const std::string path = dir.file("objects.cache");
  ASSERT_TRUE(replace_file(path, std::string(1 << 20, 'a'), 0600));
  ASSERT_TRUE(replace_file(path, "b", 0600));
  EXPECT_EQ(read_own_file(path, 10).value().value_or(""), "b");
  EXPECT_FALSE(std::filesystem::exists(dir.file(".objects.cache")));
  EXPECT_FALSE(replace_file(dir.file("no/such/folder"), "b", 0600));
}

TEST(ReadOwnFile, TakesOnlyARegularFileOfOurs) {
  const test::TempDir dir;
  const std::string path = dir.file("objects.cache");
  const auto absent = read_own_file(path, 10);
  ASSERT_TRUE(absent);
  EXPECT_FALSE(absent->has_value());
  ASSERT_TRUE(replace_file(path, "12345", 0600));
  EXPECT_TRUE(read_own_file(path, 5));
  EXPECT_FALSE(read_own_file(path, 4)) << "too large";
  ASSERT_EQ(::chmod(path.c_str(), 0620), 0);
  EXPECT_FALSE(read_own_file(path, 10)) << "others can write it";
  ASSERT_EQ(::chmod(path.c_str(), 0602), 0);
  EXPECT_FALSE(read_own_file(path, 10));
  ASSERT_EQ(::symlink("/etc/hostname", dir.file("link").c_str()), 0);
  EXPECT_FALSE(read_own_file(dir.file("link"), 1000));
  ASSERT_EQ(::mkfifo(dir.file("fifo").c_str(), 0600), 0);
  EXPECT_FALSE(read_own_file(dir.file("fifo"), 10)) << "and does not wait for it";
  EXPECT_FALSE(read_own_file(dir.path().string(), 10));
}

}  // namespace
}  // namespace weir::agent
