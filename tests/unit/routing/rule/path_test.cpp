#include "routing/rule/path.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::routing {
namespace {

using Mode = config::MeshConfig::PathNormalization;

/// "400" where the path is refused.
std::string normalise(std::string_view target, Mode mode = Mode::kBase) {
  std::string buffer;
  const auto result = normalise_target(target, mode, buffer);
  return result ? std::string(*result) : "400";
}

struct Case {
  const char *target, *none, *base, *merge, *decode;
};

// The oracle's path-normalisation cases, and what they leave open.
TEST(PathTest, EachModeAsInTheOracle) {
  const Case cases[] = {
      {"/a/b", "/a/b", "/a/b", "/a/b", "/a/b"},
      {"/", "/", "/", "/", "/"},
      {"//a/b", "//a/b", "//a/b", "/a/b", "/a/b"},
      {"/a///b", "/a///b", "/a///b", "/a/b", "/a/b"},
      {"/a/./b", "/a/./b", "/a/b", "/a/b", "/a/b"},
      {"/a/x/../b", "/a/x/../b", "/a/b", "/a/b", "/a/b"},
      {"/a/%2e/b", "/a/%2e/b", "/a/b", "/a/b", "/a/b"},
      {"/a/x/%2E%2E/b", "/a/x/%2E%2E/b", "/a/b", "/a/b", "/a/b"},
      {"/a%2Fb", "/a%2Fb", "/a%2Fb", "/a%2Fb", "/a/b"},
      {"/a%2fb", "/a%2fb", "/a%2fb", "/a%2fb", "/a/b"},
      {"/a%5Cb", "/a%5Cb", "/a%5Cb", "/a%5Cb", "/a/b"},
      {"/a\\b", "/a\\b", "/a/b", "/a/b", "/a/b"},
      {"/a/b/", "/a/b/", "/a/b/", "/a/b/", "/a/b/"},
      {"/a/b/.", "/a/b/.", "/a/b/", "/a/b/", "/a/b/"},
      {"/a/b/..", "/a/b/..", "/a/", "/a/", "/a/"},
      {"/%61/b", "/%61/b", "/a/b", "/a/b", "/a/b"},
      {"/a/b%00", "/a/b%00", "400", "400", "400"},
      {"/a/b?x=/../c", "/a/b?x=/../c", "/a/b?x=/../c", "/a/b?x=/../c", "/a/b?x=/../c"},
      {"/a/../b?x=//y%2f", "/a/../b?x=//y%2f", "/b?x=//y%2f", "/b?x=//y%2f", "/b?x=//y%2f"},
      {"/../admin", "/../admin", "/admin", "/admin", "/admin"},
      {"/../../a", "/../../a", "/a", "/a", "/a"},
      {"/x/..%2fadmin", "/x/..%2fadmin", "/x/..%2fadmin", "/x/..%2fadmin", "/admin"},
      {"/x/%2e%2e/admin", "/x/%2e%2e/admin", "/admin", "/admin", "/admin"},
      {"/..;/admin", "/..;/admin", "/admin", "/admin", "/admin"},
      {"/x/..;a=b/admin", "/x/..;a=b/admin", "/admin", "/admin", "/admin"},
      {"/x/.;a/admin", "/x/.;a/admin", "/x/admin", "/x/admin", "/x/admin"},
      {"/a/b;x=1", "/a/b;x=1", "/a/b;x=1", "/a/b;x=1", "/a/b;x=1"},
      {"/admin%20", "/admin%20", "/admin%20", "/admin%20", "/admin%20"},
      {"/a/b#frag", "/a/b", "/a/b", "/a/b", "/a/b"},
      {"/e?a=1#f", "/e?a=1", "/e?a=1", "/e?a=1", "/e?a=1"},
      {"/a/b%23frag", "/a/b%23frag", "/a/b%23frag", "/a/b%23frag", "/a/b%23frag"},
      {"/%zz", "/%zz", "/%zz", "/%zz", "/%zz"},
      {"/a/b%", "/a/b%", "/a/b%", "/a/b%", "/a/b%"},
      {"/a/b%4", "/a/b%4", "/a/b%4", "/a/b%4", "/a/b%4"},
      {"/...", "/...", "/...", "/...", "/..."},
      {"/.well-known/x", "/.well-known/x", "/.well-known/x", "/.well-known/x", "/.well-known/x"},
      {"/a/.b/..c", "/a/.b/..c", "/a/.b/..c", "/a/.b/..c", "/a/.b/..c"},
      {"/a//../b", "/a//../b", "/a/b", "/a/b", "/a/b"},
      {"/%7Euser/%2D%5F", "/%7Euser/%2D%5F", "/~user/-_", "/~user/-_", "/~user/-_"},
      {"/a<b>\"{}|^`", "/a<b>\"{}|^`", "/a%3Cb%3E%22%7B%7D%7C%5E%60", "/a%3Cb%3E%22%7B%7D%7C%5E%60",
       "/a%3Cb%3E%22%7B%7D%7C%5E%60"},
      {"/a!$&'()*+,:;=@[]", "/a!$&'()*+,:;=@[]", "/a!$&'()*+,:;=@[]", "/a!$&'()*+,:;=@[]", "/a!$&'()*+,:;=@[]"},
  };
  for (const Case& test : cases) {
    EXPECT_EQ(normalise(test.target, Mode::kNone), test.none) << test.target;
    EXPECT_EQ(normalise(test.target, Mode::kBase), test.base) << test.target;
    EXPECT_EQ(normalise(test.target, Mode::kMergeSlashes), test.merge) << test.target;
    EXPECT_EQ(normalise(test.target, Mode::kDecodeAndMergeSlashes), test.decode) << test.target;
  }
}

TEST(PathTest, LeavesWhatIsNoPathAlone) {
  EXPECT_EQ(normalise("*"), "*");
  EXPECT_EQ(normalise(""), "");
  EXPECT_EQ(normalise("?x"), "?x");
}

TEST(PathTest, RefusesNul) {
  EXPECT_EQ(normalise(std::string_view("/a\0b", 4)), "400");
  EXPECT_EQ(normalise("/%00/../b"), "400");
  EXPECT_EQ(normalise("/a?b=%00"), "/a?b=%00");
}

TEST(PathTest, DecodingMakesNoNewEscape) {
  // "%%30%30" decoded once must not read "%00".
  EXPECT_EQ(normalise("/%%300"), "/%2500");
  EXPECT_EQ(normalise("/%%30%30"), "/%2500");
  EXPECT_EQ(normalise("/%%32%65%%32%65/x").find("/%2e"), std::string::npos);
}

TEST(PathTest, ASecondPassChangesNothing) {
  for (const Mode mode : {Mode::kNone, Mode::kBase, Mode::kMergeSlashes, Mode::kDecodeAndMergeSlashes}) {
    for (const char* target : {"/a/../b", "/%61%2e/..", "/%%300", "//x//%2e%2e//y", "/a\\..\\b", "/<>", "/%2F%2f/a"}) {
      const std::string once = normalise(target, mode);
      EXPECT_EQ(normalise(once, mode), once) << target;
    }
  }
}

TEST(PathTest, AnOrdinaryPathIsNotCopied) {
  std::string buffer;
  const std::string_view target = "/reviews/0?x=%20";
  const auto result = normalise_target(target, Mode::kBase, buffer);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->data(), target.data());
  EXPECT_TRUE(buffer.empty());
}

}  // namespace
}  // namespace weir::routing
