#include "agent/source/folder_watcher.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/support/temp_dir.h"

namespace weir::agent {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using ::testing::ElementsAre;
using Clock = FolderWatcher::Clock;

// inotify queues an event before the system call that caused it returns, so nothing here needs to wait.
class FolderWatcherTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(folder_);
    auto created = FolderWatcher::create(folder_.string());
    ASSERT_TRUE(created);
    watcher_.emplace(std::move(*created));
    EXPECT_TRUE(watcher_->present());
    EXPECT_TRUE(watcher_->take().everything);  // the first look
  }
  void write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }
  void write(const std::string& name, const std::string& text = "x") { write(folder_ / name, text); }
  bool events() { return watcher_->read_events(now_); }

  test::TempDir dir_;
  fs::path folder_ = dir_.path() / "config";
  std::optional<FolderWatcher> watcher_;
  Clock::time_point now_ = Clock::now();
};

TEST_F(FolderWatcherTest, NothingHappened) {
  EXPECT_FALSE(events());
  EXPECT_TRUE(watcher_->take().empty());
  EXPECT_FALSE(watcher_->check(now_));
}

TEST_F(FolderWatcherTest, WrittenInPlace) {
  write("a.yaml");
  EXPECT_TRUE(events());
  EXPECT_THAT(watcher_->take().names, ElementsAre("a.yaml"));
  EXPECT_TRUE(watcher_->take().empty());
}

TEST_F(FolderWatcherTest, RenamedOver) {
  write("a.yaml");
  write(".a.yaml.tmp");
  events();
  watcher_->take();
  fs::rename(folder_ / ".a.yaml.tmp", folder_ / "a.yaml");
  EXPECT_TRUE(events());
  EXPECT_THAT(watcher_->take().names, ElementsAre("a.yaml"));
}

TEST_F(FolderWatcherTest, RenamedTellsBothNames) {
  write("a.yaml");
  events();
  watcher_->take();
  fs::rename(folder_ / "a.yaml", folder_ / "b.yaml");
  events();
  EXPECT_THAT(watcher_->take().names, ElementsAre("a.yaml", "b.yaml"));
}

TEST_F(FolderWatcherTest, MovedOutAndRemoved) {
  write("a.yaml");
  write("b.yaml");
  events();
  watcher_->take();
  fs::rename(folder_ / "a.yaml", dir_.path() / "a.yaml");
  fs::remove(folder_ / "b.yaml");
  events();
  EXPECT_THAT(watcher_->take().names, ElementsAre("a.yaml", "b.yaml"));
}

TEST_F(FolderWatcherTest, LinkedIn) {
  write(dir_.path() / "elsewhere.yaml", "x");
  fs::create_symlink(dir_.path() / "elsewhere.yaml", folder_ / "a.yaml");
  fs::create_hard_link(dir_.path() / "elsewhere.yaml", folder_ / "b.yaml");
  events();
  EXPECT_THAT(watcher_->take().names, ElementsAre("a.yaml", "b.yaml"));
}

TEST_F(FolderWatcherTest, EditorsOwnFilesAreNoChange) {
  write(".a.yaml.swp");
  write("4913");
  write("a.yaml~");
  fs::create_symlink("user@host.1234", folder_ / ".#a.yaml");
  EXPECT_FALSE(events());
  EXPECT_TRUE(watcher_->take().empty());
}

TEST_F(FolderWatcherTest, HalfWrittenFileIsKeptBackUntilItsWriterCloses) {
  write("other.yaml");
  const FileDescriptor writer(::open((folder_ / "a.yaml").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(::write(writer.get(), "half", 4), 4);
  events();
  EXPECT_TRUE(watcher_->is_being_written("a.yaml"));
  EXPECT_THAT(watcher_->take().names, ElementsAre("other.yaml"));
  ASSERT_EQ(::write(writer.get(), "rest", 4), 4);
  events();
  EXPECT_TRUE(watcher_->take().empty());
  FileDescriptor(std::move(const_cast<FileDescriptor&>(writer))).reset();
  EXPECT_TRUE(events());
  EXPECT_THAT(watcher_->take().names, ElementsAre("a.yaml"));
}

TEST_F(FolderWatcherTest, TruncatedFileIsKeptBack) {
  write("a.yaml");
  events();
  watcher_->take();
  FileDescriptor writer(::open((folder_ / "a.yaml").c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  events();
  EXPECT_TRUE(watcher_->take().empty());
  writer.reset();
  events();
  EXPECT_THAT(watcher_->take().names, ElementsAre("a.yaml"));
}

TEST_F(FolderWatcherTest, SilentWriterIsNotWaitedForForever) {
  const FileDescriptor writer(::open((folder_ / "a.yaml").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(::write(writer.get(), "x", 1), 1);
  events();
  EXPECT_FALSE(watcher_->check(now_ + seconds(4)));
  EXPECT_TRUE(watcher_->take().empty());
  EXPECT_TRUE(watcher_->check(now_ + seconds(6)));
  EXPECT_THAT(watcher_->take().names, ElementsAre("a.yaml"));
}

TEST_F(FolderWatcherTest, WriterThatIsRenamedAwayIsNotWaitedFor) {
  FileDescriptor writer(::open((folder_ / "a.yaml").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(::write(writer.get(), "x", 1), 1);
  fs::rename(folder_ / "a.yaml", folder_ / "gone.txt");
  events();
  EXPECT_THAT(watcher_->take().names, ElementsAre("a.yaml"));
}

TEST_F(FolderWatcherTest, ConfigMapSwapMeansEverything) {
  fs::create_directory(folder_ / "..2026_1");
  write(folder_ / "..2026_1" / "a.yaml", "x");
  fs::create_symlink("..2026_1", folder_ / "..data_tmp");
  EXPECT_FALSE(events());
  fs::rename(folder_ / "..data_tmp", folder_ / "..data");
  EXPECT_TRUE(events());
  EXPECT_TRUE(watcher_->take().everything);
}

TEST_F(FolderWatcherTest, DirectoryVanishesAndComesBack) {
  fs::remove_all(folder_);
  EXPECT_TRUE(events());
  EXPECT_FALSE(watcher_->present());
  EXPECT_TRUE(watcher_->take().everything);
  fs::create_directory(folder_);
  EXPECT_TRUE(events());
  EXPECT_TRUE(watcher_->present());
  EXPECT_TRUE(watcher_->take().everything);
  write("a.yaml");
  EXPECT_TRUE(events());
  EXPECT_THAT(watcher_->take().names, ElementsAre("a.yaml"));
}

TEST_F(FolderWatcherTest, DirectoryReplacedByRename) {
  fs::create_directory(dir_.path() / "next");
  write(dir_.path() / "next" / "b.yaml", "x");
  fs::rename(folder_, dir_.path() / "old");
  fs::rename(dir_.path() / "next", folder_);
  EXPECT_TRUE(events());
  EXPECT_TRUE(watcher_->present());
  EXPECT_TRUE(watcher_->take().everything);
  write(dir_.path() / "old" / "a.yaml", "x");
  EXPECT_FALSE(events());  // the old one is of no interest any more
  write("b.yaml");
  EXPECT_TRUE(events());
}

TEST_F(FolderWatcherTest, ParentVanishesToo) {
  auto deep = FolderWatcher::create((dir_.path() / "p" / "config").string());
  ASSERT_TRUE(deep);
  EXPECT_FALSE(deep->present());
  fs::create_directories(dir_.path() / "p" / "config");
  EXPECT_TRUE(deep->check(now_));
  EXPECT_TRUE(deep->present());
  fs::remove_all(dir_.path() / "p");
  EXPECT_TRUE(deep->read_events(now_));
  EXPECT_FALSE(deep->present());
  fs::create_directories(dir_.path() / "p" / "config");
  EXPECT_TRUE(deep->check(now_));
  EXPECT_TRUE(deep->present());
}

TEST_F(FolderWatcherTest, LinkToTheDirectoryIsTurned) {
  const fs::path link = dir_.path() / "link";
  fs::create_directory(dir_.path() / "v2");
  fs::create_directory_symlink(folder_, link);
  auto watcher = FolderWatcher::create(link.string() + "/");
  ASSERT_TRUE(watcher);
  watcher->take();
  fs::create_directory_symlink(dir_.path() / "v2", dir_.path() / "link_tmp");
  fs::rename(dir_.path() / "link_tmp", link);
  EXPECT_TRUE(watcher->read_events(now_));
  EXPECT_TRUE(watcher->take().everything);
  write(dir_.path() / "v2" / "a.yaml", "x");
  EXPECT_TRUE(watcher->read_events(now_));
  EXPECT_THAT(watcher->take().names, ElementsAre("a.yaml"));
}

TEST_F(FolderWatcherTest, ManyFilesAtOnce) {
  for (int i = 0; i < 3000; ++i) write("f" + std::to_string(i) + ".yaml");
  EXPECT_TRUE(events());
  const auto change = watcher_->take();
  EXPECT_TRUE(change.everything || change.names.size() == 3000U);
}

TEST_F(FolderWatcherTest, FileInPlaceOfTheDirectoryIsNoDirectory) {
  fs::remove_all(folder_);
  write(folder_, "x");
  events();
  EXPECT_FALSE(watcher_->present());
}

}  // namespace
}  // namespace weir::agent
