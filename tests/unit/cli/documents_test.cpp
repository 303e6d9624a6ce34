#include "cli/documents.h"

#include <gtest/gtest.h>

namespace weir::cli {
namespace {

std::vector<Document> split(std::string_view text) {
  auto documents = split_documents(text);
  EXPECT_TRUE(documents);
  return documents ? *documents : std::vector<Document>{};
}

TEST(SplitDocuments, OneWithoutMarker) {
  const auto documents = split("a: 1\nb: 2\n");
  ASSERT_EQ(documents.size(), 1U);
  EXPECT_EQ(documents[0].begin, 0U);
  EXPECT_EQ(documents[0].end, 10U);
  EXPECT_EQ(documents[0].last_line, 2U);
  EXPECT_TRUE(documents[0].has_content);
}

TEST(SplitDocuments, MarkerAtTheStartMakesNoEmptyOne) {
  EXPECT_EQ(split("---\na: 1\n---\nb: 2\n").size(), 2U);
}

TEST(SplitDocuments, CommentBeforeTheFirstMarkerIsAPartWithoutContent) {
  const auto documents = split("# head\n---\na: 1\n");
  ASSERT_EQ(documents.size(), 2U);
  EXPECT_FALSE(documents[0].has_content);
  EXPECT_EQ(documents[1].first_line, 2U);
}

TEST(SplitDocuments, WhatIsNoMarker) {
  EXPECT_EQ(split("a: |\n  ---\n  x\n").size(), 1U);
  EXPECT_EQ(split("----\n").size(), 1U);
  EXPECT_EQ(split("---x: 1\n").size(), 1U);
}

TEST(SplitDocuments, MarkersInTheirForms) {
  EXPECT_EQ(split("a: 1\n--- # second\nb: 2\n").size(), 2U);
  EXPECT_EQ(split("a: 1\r\n---\r\nb: 2\r\n").size(), 2U);
  EXPECT_EQ(split("a: 1\n--- {b: 2}\n").size(), 2U);
  EXPECT_EQ(split("a: 1\n---").size(), 2U);
}

TEST(SplitDocuments, EmptyText) {
  const auto documents = split("");
  ASSERT_EQ(documents.size(), 1U);
  EXPECT_FALSE(documents[0].has_content);
}

TEST(SplitDocuments, DirectivesAreRefused) {
  EXPECT_FALSE(split_documents("%YAML 1.2\n---\na: 1\n"));
}

TEST(DocumentAt, ByLine) {
  const auto documents = split("a: 1\n---\nb: 2\nc: 3\n---\nd: 4\n");
  EXPECT_EQ(document_at(documents, 1), 0U);
  EXPECT_EQ(document_at(documents, 4), 1U);
  EXPECT_EQ(document_at(documents, 6), 2U);
  EXPECT_EQ(document_at(documents, 99), 2U);
}

struct Case {
  const char* text;
  size_t index;
  const char* after;
};

TEST(RemoveDocument, TheRestStaysByteForByte) {
  const std::vector<Case> cases = {
      {"a: 1\n---\nb: 2\n", 0, "---\nb: 2\n"},
      {"a: 1\n---\nb: 2\n", 1, "a: 1\n"},
      {"a: 1 # x\n---\nb: 2\n--- # third\n\nc:   3\n", 1, "a: 1 # x\n--- # third\n\nc:   3\n"},
      {"# head\n---\na: 1\n---\nb: 2", 2, "# head\n---\na: 1\n"},
      {"a: 1\n", 0, ""},
      {"# only this\n---\na: 1\n", 1, ""},
      {"a: 1\n---\n# nothing\n", 0, ""},
  };
  for (const auto& c : cases) EXPECT_EQ(remove_document(c.text, split(c.text), c.index), c.after) << c.text;
}

TEST(ReplaceDocument, TheRestStaysByteForByte) {
  const std::vector<Case> cases = {
      {"a: 1\n---\nb: 2\n", 0, "x: 9\n---\nb: 2\n"},
      {"a: 1\n---\nb: 2\n", 1, "a: 1\n---\nx: 9\n"},
      {"a: 1\n--- # keep\nb: 2\n---\nc: 3\n", 1, "a: 1\n--- # keep\nx: 9\n---\nc: 3\n"},
      {"a: 1\n--- {b: 2}\n", 1, "a: 1\n---\nx: 9\n"},
  };
  for (const auto& c : cases) EXPECT_EQ(replace_document(c.text, split(c.text), c.index, "x: 9"), c.after) << c.text;
}

TEST(AppendDocument, WithAMarkerBetween) {
  EXPECT_EQ(append_document("", "a: 1"), "a: 1\n");
  EXPECT_EQ(append_document("a: 1\n", "b: 2\n"), "a: 1\n---\nb: 2\n");
  EXPECT_EQ(append_document("a: 1", "b: 2"), "a: 1\n---\nb: 2\n");
}

}  // namespace
}  // namespace weir::cli
