#include "agent/file_texts.h"

#include <gtest/gtest.h>

namespace weir::agent {
namespace {

std::shared_ptr<const std::string> text(const char* what) {
  return std::make_shared<const std::string>(what);
}

TEST(FileTexts, KnowWhatIsNewsAndWhatIsThere) {
  FileTexts texts;
  texts.take({{"a", text("1")}, {"b", text("2")}});
  EXPECT_EQ(texts.news(), (std::set<std::string>{"a", "b"}));
  texts.told();
  EXPECT_TRUE(texts.news().empty());
  texts.take({{"a", text("3")}, {"b", nullptr}, {"c", text("4")}});
  EXPECT_EQ(texts.news(), (std::set<std::string>{"a", "b", "c"}));
  EXPECT_EQ(*texts.find("a"), "3");
  EXPECT_EQ(texts.find("b"), nullptr);
  EXPECT_EQ(texts.all().size(), 2U);
}

TEST(FileTexts, WhatCameAndWentUnseenIsTold) {
  FileTexts texts;
  texts.take({{"a", text("1")}});
  texts.take({{"a", nullptr}});
  EXPECT_EQ(texts.news().size(), 1U) << "the proxy may have it";
}

}  // namespace
}  // namespace weir::agent
