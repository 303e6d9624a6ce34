#include "http/scanner.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::http {
namespace {

LineScanner::Bounds small_bounds() {
  return {.first_line = 10,
          .line = 8,
          .section = 40,
          .first_line_too_long = Fault::kTargetTooLong,
          .line_too_long = Fault::kLineTooLong,
          .section_too_large = Fault::kHeadTooLarge};
}

/// Fault and offset of it, or how far the section reached: whole and byte by byte must agree.
std::string run(std::string_view input, bool head, bool bytewise) {
  LineScanner scanner;
  scanner.start(small_bounds(), head);
  std::size_t at = 0;
  std::string trace;
  while (at < input.size()) {
    const auto scan = scanner.scan(bytewise ? input.substr(at, 1) : input.substr(at));
    at += scan.size;
    switch (scan.stop) {
      case LineScanner::Stop::kInput:
        break;
      case LineScanner::Stop::kFirstLine:
        trace += "first:" + std::to_string(scanner.first_line_size()) + " ";
        break;
      case LineScanner::Stop::kEnd:
        return trace + "end@" + std::to_string(at);
      case LineScanner::Stop::kFault:
        return trace + std::string(fault_text(scan.fault)) + "@" + std::to_string(at);
    }
  }
  return trace + "more@" + std::to_string(at);
}

void expect_scan(std::string_view input, bool head, const std::string& expected) {
  EXPECT_EQ(run(input, head, false), expected) << input;
  EXPECT_EQ(run(input, head, true), expected) << input << " byte by byte";
}

TEST(LineScanner, FindsTheEndOfAHead) {
  expect_scan("GET /\r\na:1\r\n\r\nrest", true, "first:5 end@14");
  expect_scan("GET /\r\na:1\r\n", true, "first:5 more@12");
  expect_scan("", true, "more@0");
}

TEST(LineScanner, TrailerSectionMayBeEmpty) {
  expect_scan("\r\nnext", false, "end@2");
  expect_scan("a:1\r\n\r\n", false, "end@7");
}

TEST(LineScanner, BareLineFeedIsAFaultAtTheLineFeed) {
  expect_scan("GET /\n", true, "line end is not CR LF@5");
  expect_scan("GET /\r\na:1\n", true, "first:5 line end is not CR LF@10");
  expect_scan("GET /\r\n\n", true, "first:5 line end is not CR LF@7");
  expect_scan("\n", false, "line end is not CR LF@0");
}

TEST(LineScanner, FoldIsAFaultAtTheBlank) {
  expect_scan("GET /\r\n a\r\n", true, "first:5 folded header line@7");
  expect_scan("GET /\r\na:1\r\n\tb\r\n", true, "first:5 folded header line@12");
  expect_scan(" a:1\r\n", false, "folded header line@0");
}

TEST(LineScanner, BoundsAreWithoutLineEnds) {
  expect_scan("0123456789\r\n", true, "first:10 more@12");
  expect_scan("0123456789ab\r\n", true, "request target too long@12");
  expect_scan("G\r\n12345678\r\n\r\n", true, "first:1 end@15");
  expect_scan("G\r\n123456789ab\r\n", true, "first:1 header field too long@13");
  expect_scan("G\r\n123456789\r\n", true, "first:1 header field too long@13");
}

TEST(LineScanner, SectionBoundCountsEverything) {
  const std::string lines = "G\r\n1234567\r\n1234567\r\n1234567\r\n1234567\r\n\r\n";
  expect_scan(lines, true, "first:1 header section too large@40");
}

TEST(LineScanner, LastBoundaryOfTheSection) {
  // 3 + 4 * 9 = 39 bytes, and the empty line would end at 41.
  expect_scan("G\r\n123456\r\n123456\r\n123456\r\n123456\r\n\r\n", true, "first:1 end@37");
}

std::string run_chunk(std::string_view input, bool after_data, bool bytewise) {
  ChunkLineScanner scanner;
  scanner.start_message({.chunk_extension = 5, .message_extension = 8});
  scanner.start_line(after_data);
  std::size_t at = 0;
  while (at < input.size()) {
    const auto scan = scanner.scan(bytewise ? input.substr(at, 1) : input.substr(at));
    at += scan.size;
    if (scan.fault != Fault::kNone) return std::string(fault_text(scan.fault)) + "@" + std::to_string(at);
    if (scan.complete) return "end@" + std::to_string(at);
  }
  return "more@" + std::to_string(at);
}

TEST(ChunkLineScanner, Lines) {
  struct Case {
    const char* input;
    bool after_data;
    const char* expected;
  };
  const Case cases[] = {
      {"5\r\nhello", false, "end@3"},
      {"\r\n5\r\nhello", true, "end@5"},
      {"5;12345\r\n", false, "end@9"},
      {"5;123456\r\n", false, "chunk extensions too long@7"},
      {"0123456789abcdef\r\n", false, "end@18"},
      {"0123456789abcdef0\r\n", false, "malformed chunk@16"},
      {"5\n", false, "line end is not CR LF@1"},
      {"5\r5\r\n", false, "line end is not CR LF@2"},
      {"5;a\rb\r\n", false, "line end is not CR LF@4"},
      {"5\r\r\n", false, "line end is not CR LF@2"},
      {"\n5\r\n", true, "line end is not CR LF@0"},
      {"x\r\n5\r\n", true, "malformed chunk@0"},
      {"5;a=b;c\r\n", false, "end@9"},
      {"5; a=b\r\n", false, "end@8"},
      {"5;a =\t1\r\n", false, "end@9"},
      {"5;a=\";\"\r\n", false, "end@9"},
      {"5;\"a\"\r\n", false, "malformed chunk@2"},
      {"5;\r\n", false, "malformed chunk@2"},
      {"5;;a\r\n", false, "malformed chunk@2"},
      {"5;=a\r\n", false, "malformed chunk@2"},
      {"5;a=\r\n", false, "malformed chunk@4"},
      {"5;a \r\n", false, "malformed chunk@4"},
      {"5;a b\r\n", false, "malformed chunk@4"},
      {"5;a=\"b\r\n", false, "malformed chunk@6"},
      {"5;a=\"\\\"\r\n", false, "malformed chunk@7"},
      {"5;a=\"\"b\r\n", false, "malformed chunk@6"},
      {"5;a=b=c\r\n", false, "malformed chunk@5"},
      {"5;a\x01\r\n", false, "malformed chunk@3"},
      {";a\r\n", false, "malformed chunk@0"},
      {"\r\n", true, "more@2"},
      {"", false, "more@0"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(run_chunk(c.input, c.after_data, false), c.expected) << c.input;
    EXPECT_EQ(run_chunk(c.input, c.after_data, true), c.expected) << c.input << " byte by byte";
  }
}

TEST(ChunkLineScanner, ExtensionsAreMarkedToBeSkipped) {
  ChunkLineScanner scanner;
  scanner.start_message({.chunk_extension = 50, .message_extension = 80});
  scanner.start_line(true);
  const auto whole = scanner.scan("\r\n5;a=b\r\nhello");
  EXPECT_EQ(whole.skip_begin, 3U);
  EXPECT_EQ(whole.skip_end, 7U);
  EXPECT_EQ(whole.size, 9U);
  scanner.start_line(false);
  EXPECT_EQ(scanner.scan("5").skip_end, 0U);
  EXPECT_EQ(scanner.scan(";a").skip_end, 2U);
  const auto rest = scanner.scan("bc\r");
  EXPECT_EQ(rest.skip_begin, 0U);
  EXPECT_EQ(rest.skip_end, 2U);
  EXPECT_EQ(rest.size, 3U);
  EXPECT_EQ(scanner.scan("\n").skip_end, 0U);
}

TEST(ChunkLineScanner, ExtensionsOfAMessageAddUp) {
  ChunkLineScanner scanner;
  scanner.start_message({.chunk_extension = 5, .message_extension = 8});
  scanner.start_line(false);
  EXPECT_TRUE(scanner.scan("1;12345\r\n").complete);
  scanner.start_line(true);
  EXPECT_TRUE(scanner.scan("\r\n1;123\r\n").complete);
  scanner.start_line(true);
  EXPECT_EQ(scanner.scan("\r\n1;1\r\n").fault, Fault::kChunkExtension);
}

}  // namespace
}  // namespace weir::http
