#include "agent/source/read_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "samples.h"
#include "tests/unit/support/temp_dir.h"

namespace weir::agent {
namespace {

TEST(ReadFiles, KeepTheOrderOfTheirNamesHoweverManyThereAre) {
  const test::TempDir dir;
  std::vector<std::string> names;
  for (int i = 0; i < 300; ++i) {
    const std::string number = std::to_string(1000 + i);
    names.push_back(number + ".yaml");
    std::ofstream(dir.file(names.back())) << "apiVersion: v1\nkind: Pod\nmetadata: {name: p" << number << "}\n";
  }
  std::filesystem::remove(dir.file(names[7]));
  std::filesystem::remove(dir.file(names[200]));
  ASSERT_EQ(::mkfifo(dir.file(names[200]).c_str(), 0600), 0);
  const auto folder = Folder::open(dir.path().string());
  ASSERT_TRUE(folder);
  const auto files = read_files(*folder, names, nullptr);
  ASSERT_EQ(files.size(), names.size());
  for (size_t i = 0; i < files.size(); ++i) {
    EXPECT_EQ(files[i].name, names[i]);
    if (i == 7) {
      EXPECT_EQ(files[i].what, ReadFile::What::kGone);
    } else if (i == 200) {
      EXPECT_EQ(files[i].what, ReadFile::What::kUnreadable);
      EXPECT_EQ(files[i].why.message, "is a FIFO, not a regular file");
    } else {
      ASSERT_EQ(files[i].what, ReadFile::What::kObjects);
      EXPECT_EQ(files[i].file.name, names[i]);
      ASSERT_EQ(files[i].file.objects.size(), 1U);
      EXPECT_EQ(config::metadata(*files[i].file.objects[0]).name, "p" + std::to_string(1000 + i));
      EXPECT_FALSE(files[i].cached);
    }
  }
}

TEST(ReadFiles, NoNamesAreNoFiles) {
  const test::TempDir dir;
  const auto folder = Folder::open(dir.path().string());
  ASSERT_TRUE(folder);
  EXPECT_TRUE(read_files(*folder, {}, nullptr).empty());
}

}  // namespace
}  // namespace weir::agent
