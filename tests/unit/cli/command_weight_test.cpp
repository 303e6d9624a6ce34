#include <gmock/gmock.h>

#include "cli_fixture.h"

namespace weir::cli {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

class Weight : public CliTest {
 protected:
  static std::string replaced(std::string text, const std::string& from, const std::string& to) {
    return text.replace(text.find(from), from.size(), to);
  }
};

TEST_F(Weight, ChangesTheNumbersAndNothingElse) {
  const auto done = offline({"weight", "reviews", "v1=5", "v2=95"});
  EXPECT_EQ(done.code, kOk) << done.err;
  EXPECT_THAT(done.out, HasSubstr("  v1  90 -> 5\n  v2  10 -> 95\n"));
  EXPECT_EQ(read("rules.yaml"), replaced(replaced(kRules, "weight: 90 ", "weight: 5 "), "weight: 10 ", "weight: 95 "));
}

TEST_F(Weight, FindsTheServiceByAnyOfItsNames) {
  for (const char* name : {"reviews", "reviews.default", "reviews.default.svc.cluster.local", "10.96.0.3"})
    EXPECT_EQ(offline({"weight", name, "v1=50", "v2=50", "--dry-run"}).code, kOk) << name;
}

TEST_F(Weight, DryRunChangesNothing) {
  const auto done = offline({"weight", "reviews", "v1=5", "v2=95", "--dry-run"});
  EXPECT_EQ(done.code, kOk);
  EXPECT_THAT(done.out, HasSubstr("dry run"));
  EXPECT_EQ(read("rules.yaml"), kRules);
}

TEST_F(Weight, ZeroIsWrittenAsZero) {
  EXPECT_EQ(offline({"weight", "reviews", "v1=0", "v2=100"}).code, kOk);
  EXPECT_THAT(read("rules.yaml"), HasSubstr("weight: 0  # old"));
}

TEST_F(Weight, Json) {
  const auto json = offline({"weight", "reviews", "v1=5", "v2=95", "-o", "json"}).json();
  EXPECT_EQ(json["changes"][1]["destination"], "v2");
  EXPECT_EQ(json["changes"][1]["before"], 10);
  EXPECT_EQ(json["changes"][1]["after"], 95);
  EXPECT_EQ(json["file"], "rules.yaml");
}

TEST_F(Weight, AddsAWeightWhereThereIsNone) {
  write("rules.yaml", replaced(kRules, "      weight: 90  # old\n", ""));  // in a list, none means 0
  const auto done = offline({"weight", "reviews", "v1=70", "v2=30"});
  EXPECT_EQ(done.code, kOk) << done.err;
  EXPECT_THAT(done.out, HasSubstr("  v1  0 -> 70\n  v2  10 -> 30\n"));
  EXPECT_THAT(read("rules.yaml"), HasSubstr("subset: v1}\n      weight: 70\n    - destination"));
  EXPECT_THAT(read("rules.yaml"), HasSubstr("weight: 30  # new"));
}

TEST_F(Weight, UnknownSubsetIsNamedWithWhatThereIs) {
  const auto done = offline({"weight", "reviews", "v1=60", "v9=40"});
  EXPECT_EQ(done.code, kError);
  EXPECT_THAT(done.err, HasSubstr("no route of the rule has a destination \"v9\""));
  EXPECT_THAT(done.err, HasSubstr("v1, v2"));
  EXPECT_EQ(read("rules.yaml"), kRules);
}

TEST_F(Weight, UnnamedDestinationMustNotKeepASilentShare) {
  const auto done = offline({"weight", "reviews", "v2=100"});
  EXPECT_EQ(done.code, kError);
  EXPECT_THAT(done.err, HasSubstr("v1 has weight 90 and is not named"));
  EXPECT_THAT(done.err, HasSubstr("v1=0"));
}

TEST_F(Weight, UnknownServiceSuggests) {
  const auto done = offline({"weight", "review", "v1=60", "v2=40"});
  EXPECT_EQ(done.code, kError);
  EXPECT_THAT(done.err, HasSubstr("did you mean \"reviews\"?"));
}

TEST_F(Weight, BadAssignments) {
  const std::vector<std::vector<std::string>> cases = {
      {"v1=x"}, {"v1"}, {"=5"}, {"v1="}, {"v1=-1"}, {"v1=1.5"}, {"v1=9999999999"}, {"v1=0", "v2=0"}, {"v1=1", "v1=2"}};
  for (auto words : cases) {
    words.insert(words.begin(), {"weight", "reviews"});
    EXPECT_EQ(offline(words).code, kUsage) << ::testing::PrintToString(words);
  }
  EXPECT_EQ(read("rules.yaml"), kRules);
}

TEST_F(Weight, SeveralRoutesNeedAChoice) {
  const std::string more =
      std::string(kRules) +
      "  - name: second\n    route:\n    - destination: {host: reviews, subset: v1}\n      weight: 1\n"
      "    - destination: {host: reviews, subset: v2}\n      weight: 1\n";
  write("rules.yaml", more);
  const auto done = offline({"weight", "reviews", "v1=60", "v2=40"});
  EXPECT_EQ(done.code, kError);
  EXPECT_THAT(done.err, HasSubstr("choose one with --route"));
  EXPECT_THAT(done.err, HasSubstr("second"));
  EXPECT_EQ(offline({"weight", "reviews", "v1=60", "v2=40", "--route", "second"}).code, kOk);
  EXPECT_THAT(read("rules.yaml"), HasSubstr("weight: 90  # old"));
  EXPECT_THAT(read("rules.yaml"), ContainsRegex("weight: 60\n.*\n +weight: 40"));
  EXPECT_EQ(offline({"weight", "reviews", "v1=60", "v2=40", "--route", "third"}).code, kError);
}

TEST_F(Weight, AliasIsRefusedRatherThanChangedElsewhere) {
  const std::string text = R"(apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews}
spec:
  hosts: [reviews]
  http:
  - route:
    - destination: {host: reviews, subset: v1}
      weight: &w 50
    - destination: {host: reviews, subset: v2}
      weight: *w
)";
  write("rules.yaml", text);
  EXPECT_EQ(offline({"weight", "reviews", "v1=60", "v2=40"}).code, kError);
  EXPECT_EQ(read("rules.yaml"), text);
}

TEST_F(Weight, WithoutAgentOrFolder) {
  EXPECT_EQ(weir({"weight", "reviews", "v1=1", "--run-dir", dir_.file("run")}).code, kUnreachable);
}

}  // namespace
}  // namespace weir::cli
