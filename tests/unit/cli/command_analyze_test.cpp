#include <gmock/gmock.h>

#include "cli_fixture.h"

namespace weir::cli {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class Analyze : public CliTest {};

constexpr const char* kNegative = R"(apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
spec:
  hosts: [reviews]
  http:
  - route:
    - destination: {host: reviews}
      weight: -1
)";

TEST_F(Analyze, GoodFolder) {
  const auto done = weir({"analyze", folder_});
  EXPECT_EQ(done.code, kOk) << done.out << done.err;
  EXPECT_THAT(done.out, Not(HasSubstr("Error")));
  EXPECT_THAT(done.err, HasSubstr("no problems found: 6 objects in 2 files"));
}

TEST_F(Analyze, VerboseNamesEachObject) {
  write("bad.yaml", kNegative);
  const auto done = weir({"analyze", "-v", folder_ + "/bad.yaml", folder_ + "/services.yaml"});
  EXPECT_EQ(done.code, kFindings);
  EXPECT_THAT(done.out, HasSubstr("services.yaml:1:1: accepted Service default/reviews"));
  EXPECT_THAT(done.out, HasSubstr("VirtualService default/reviews"));
}

TEST_F(Analyze, ShowsPlaceLineCaretAndHint) {
  write("bad.yaml", kNegative);
  const auto done = weir({"analyze", folder_ + "/bad.yaml"});
  EXPECT_EQ(done.code, kFindings);
  EXPECT_THAT(done.out, HasSubstr(folder_ + "/bad.yaml:10:15: Error [IST0106] (VirtualService default/reviews)"));
  EXPECT_THAT(done.out, ContainsRegex("      weight: -1\n +\\^"));
  EXPECT_THAT(done.err, HasSubstr("2 errors, "));
}

TEST_F(Analyze, MissingSubsetIsFoundAcrossFiles) {
  write("rules.yaml", std::string(kRules).replace(std::string(kRules).rfind("subset: v2"), 10, "subset: v9"));
  const auto done = weir({"analyze", folder_});
  EXPECT_EQ(done.code, kFindings) << done.out;
  EXPECT_THAT(done.out, HasSubstr("IST0101"));
  EXPECT_THAT(done.out, HasSubstr("rules.yaml:21:44"));
}

TEST_F(Analyze, DuplicateObjectNamesBothPlaces) {
  write("again.yaml", kServices);
  const auto done = weir({"analyze", folder_});
  EXPECT_EQ(done.code, kFindings);
  EXPECT_THAT(done.out, HasSubstr("services.yaml:"));
  EXPECT_THAT(done.out, HasSubstr("again.yaml:1:1"));
}

TEST_F(Analyze, JsonHasIstiosKeysAndColumn) {
  write("bad.yaml", kNegative);
  const auto done = weir({"analyze", folder_ + "/bad.yaml", "-o", "json"});
  EXPECT_EQ(done.code, kFindings);
  const auto json = done.json();
  const auto first = *std::ranges::find_if(json, [](const auto& entry) { return entry["code"] == "IST0106"; });
  EXPECT_EQ(first["code"], "IST0106");
  EXPECT_EQ(first["origin"], "VirtualService default/reviews");
  EXPECT_EQ(first["reference"], folder_ + "/bad.yaml:10");
  EXPECT_EQ(first["line"], 10);
  EXPECT_EQ(first["column"], 15);
  EXPECT_EQ(first["documentationUrl"], "https://istio.io/latest/docs/reference/config/analysis/ist0106/");
}

TEST_F(Analyze, NotYamlIsUnreadable) {
  write("bad.yaml", "kind: [\n");
  const auto done = weir({"analyze", folder_});
  EXPECT_EQ(done.code, kUnreadable);
  EXPECT_THAT(done.out, ContainsRegex("bad\\.yaml:[0-9]+:[0-9]+: Error"));
}

TEST_F(Analyze, MissingPathIsUnreadable) {
  const auto done = weir({"analyze", folder_ + "/none.yaml"});
  EXPECT_EQ(done.code, kUnreadable);
  EXPECT_THAT(done.err, HasSubstr("none.yaml: no such file or folder"));
}

TEST_F(Analyze, FifoDoesNotBlock) {
  ASSERT_EQ(::system(("mkfifo " + folder_ + "/fifo.yaml").c_str()), 0);
  const auto done = weir({"analyze", folder_});
  EXPECT_EQ(done.code, kUnreadable);
  EXPECT_THAT(done.out, HasSubstr("is a FIFO"));
}

TEST_F(Analyze, OtherKindsAreSkippedWithALine) {
  const auto done =
      weir({"analyze", outside("d.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n")});
  EXPECT_EQ(done.code, kOk);
  EXPECT_THAT(done.out, HasSubstr("Deployment"));
}

TEST_F(Analyze, FoldersBelowOnlyWhenAsked) {
  std::filesystem::create_directory(folder_ + "/below");
  write("below/bad.yaml", kNegative);
  EXPECT_EQ(weir({"analyze", folder_}).code, kOk);
  EXPECT_EQ(weir({"analyze", "-R", folder_}).code, kFindings);
}

TEST_F(Analyze, StandardInput) {
  EXPECT_EQ(weir({"analyze", "-"}, kServices).code, kOk);
  const auto done = weir({"analyze", "-"}, kNegative);
  EXPECT_EQ(done.code, kFindings);
  EXPECT_THAT(done.out, HasSubstr("stdin:10:15"));
}

}  // namespace
}  // namespace weir::cli
