#include "agent/source/file_objects.h"

#include <gtest/gtest.h>

namespace weir::agent {
namespace {

std::shared_ptr<const config::ParsedFile> file(const char* name) {
  config::ParsedFile parsed;
  parsed.name = name;
  return std::make_shared<const config::ParsedFile>(std::move(parsed));
}

TEST(FileObjects, KnowWhatIsNewsAndWhatIsThere) {
  FileObjects files;
  files.take({{"a", file("1")}, {"b", file("2")}});
  EXPECT_EQ(files.news(), (std::set<std::string>{"a", "b"}));
  files.told();
  EXPECT_TRUE(files.news().empty());
  files.take({{"a", file("3")}, {"b", nullptr}, {"c", file("4")}});
  EXPECT_EQ(files.news(), (std::set<std::string>{"a", "b", "c"}));
  EXPECT_EQ(files.find("a")->name, "3");
  EXPECT_EQ(files.find("b"), nullptr);
  EXPECT_EQ(files.all().size(), 2U);
}

TEST(FileObjects, WhatCameAndWentUnseenIsTold) {
  FileObjects files;
  files.take({{"a", file("1")}});
  files.take({{"a", nullptr}});
  EXPECT_EQ(files.news().size(), 1U) << "the proxy may have it";
}

}  // namespace
}  // namespace weir::agent
