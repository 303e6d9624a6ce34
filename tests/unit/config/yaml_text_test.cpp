#include "config/yaml_text.h"

#include <gtest/gtest.h>

#include "config/codes.h"

namespace weir::config::yaml {
namespace {

std::optional<Problem> check(std::string text) {
  std::string_view view = text;
  return check_encoding(view);
}

TEST(CheckEncoding, TakesUtf8WithAndWithoutMark) {
  std::string_view text =
      "\xef\xbb\xbf"
      "a: \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\t\r\n";
  EXPECT_FALSE(check_encoding(text));
  EXPECT_TRUE(text.starts_with("a:"));
  EXPECT_FALSE(check(""));
}

TEST(CheckEncoding, RefusesWhatIsNotText) {
  EXPECT_NE(check(std::string("\xff\xfe"
                              "a\0",
                              4))
                ->message.find("UTF-16"),
            std::string::npos);
  EXPECT_NE(check(std::string("\0a\0:", 4))->message.find("UTF-16"), std::string::npos);
  EXPECT_NE(check(std::string("ab\0", 3))->message.find("0x00"), std::string::npos);
  for (const char* text : {"a\x01", "a\x04", "a\x1b[0m", "a\x7f", "a\x80", "a\xc3", "a\xc0\xaf", "a\xed\xa0\x80",
                           "a\xf5\x80\x80\x80", "a\xe2\x82", "\xf0\x80\x80\x80", "\xfe"}) {
    ASSERT_TRUE(check(text)) << text;
    EXPECT_EQ(check(text)->code, std::string(code::kUnreadable));
  }
}

TEST(CheckEncoding, SaysWhere) {
  EXPECT_EQ(check("a: b\nc:\x02")->at, (Position{2, 3}));
  EXPECT_EQ(check("\x02")->at, (Position{1, 1}));
  EXPECT_EQ(check("\n\x02")->at, (Position{2, 1}));
}

TEST(CheckEncoding, LimitsTheFile) {
  EXPECT_FALSE(check(std::string(kMaxFileBytes, 'a')));
  EXPECT_EQ(check(std::string(kMaxFileBytes + 1, 'a'))->code, std::string(code::kLimit));
}

std::vector<std::pair<std::string, uint32_t>> split(std::string_view text) {
  std::vector<std::pair<std::string, uint32_t>> pieces;
  for (const Piece& piece : split_documents(text)) pieces.emplace_back(piece.text, piece.line);
  return pieces;
}

using Pieces = std::vector<std::pair<std::string, uint32_t>>;

TEST(SplitDocuments, CutsAtMarkers) {
  EXPECT_EQ(split("a\n---\nb"), (Pieces{{"a\n", 1}, {"---\nb", 2}}));
  EXPECT_EQ(split("---\na\n--- # x\nb\n"), (Pieces{{"---\na\n", 1}, {"--- # x\nb\n", 3}}));
  EXPECT_EQ(split("a\r\n---\r\nb"), (Pieces{{"a\r\n", 1}, {"---\r\nb", 2}}));
}

TEST(SplitDocuments, LeavesOutWhatHoldsNothing) {
  EXPECT_EQ(split(""), Pieces{});
  EXPECT_EQ(split("\n# only a comment\n"), Pieces{});
  EXPECT_EQ(split("# c\n---\na"), (Pieces{{"---\na", 2}}));
}

TEST(SplitDocuments, KeepsDirectivesWithTheirDocument) {
  EXPECT_EQ(split("%YAML 1.2\n---\na\n"), (Pieces{{"%YAML 1.2\n---\na\n", 1}}));
}

TEST(SplitDocuments, DoesNotCutAtWhatOnlyLooksLikeAMarker) {
  EXPECT_EQ(split("a: |\n  ---\n  b\n").size(), 1U);
  EXPECT_EQ(split("----\n").size(), 1U);
  EXPECT_EQ(split("---a\n").size(), 1U);
  EXPECT_EQ(split(" ---\n").size(), 1U);
}

TEST(CheckSize, HoldsDocumentsToOneMiBAndLetsListsBeLarger) {
  const std::string filler(kMaxDocumentBytes, ' ');
  EXPECT_FALSE(check_size({filler, 1}));
  const std::string large = filler + "a";
  EXPECT_EQ(check_size({large, 7})->at.line, 7U);
  EXPECT_FALSE(check_size({"kind: List\n" + large, 1}));
  const std::string json = "{\"kind\": \"List\"}" + large;
  EXPECT_FALSE(check_size({json, 1}));
  const std::string dense = "kind: List\n" + std::string(kMaxFlowTokens + 1, '[');
  EXPECT_TRUE(check_size({dense, 1}));
}

}  // namespace
}  // namespace weir::config::yaml
