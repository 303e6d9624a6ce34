#include <gmock/gmock.h>
#include <sys/stat.h>

#include "cli_fixture.h"

namespace weir::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Apply : public CliTest {
 protected:
  static std::string rule(const std::string& name, int weight) {
    return "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: " + name +
           "}\nspec:\n  hosts: [" + name +
           "]\n  http:\n  - route:\n    - destination: {host: reviews, subset: v1}\n      weight: " +
           std::to_string(weight) + "\n    - destination: {host: reviews, subset: v2}\n      weight: 10\n";
  }
};

TEST_F(Apply, ReplacesTheDocumentWhereItStands) {
  const auto done = offline({"apply", "-f", outside("change.yaml", rule("reviews", 75))});
  EXPECT_EQ(done.code, kOk) << done.err;
  EXPECT_EQ(done.out, "virtualservice/reviews configured\n");
  EXPECT_FALSE(exists("change.yaml"));
  const std::string all = kRules;
  EXPECT_EQ(read("rules.yaml"), all.substr(0, all.find("---\n") + 4) + rule("reviews", 75));
}

TEST_F(Apply, AgainIsUnchanged) {
  const auto change = outside("change.yaml", rule("reviews", 75));
  offline({"apply", "-f", change});
  EXPECT_EQ(offline({"apply", "-f", change}).out, "virtualservice/reviews unchanged\n");
}

TEST_F(Apply, NewObjectsGoToAFileOfTheInputsName) {
  const auto done = offline({"apply", "-f", outside("new.yaml", rule("ratings", 1) + "---\n" + rule("details", 2))});
  EXPECT_EQ(done.out, "virtualservice/ratings created\nvirtualservice/details created\n");
  EXPECT_EQ(read("new.yaml"), rule("ratings", 1) + "---\n" + rule("details", 2));
}

TEST_F(Apply, StandardInput) {
  EXPECT_EQ(offline({"apply", "-f", "-"}, rule("ratings", 1)).code, kOk);
  EXPECT_EQ(read("stdin.yaml"), rule("ratings", 1));
}

TEST_F(Apply, DryRunWritesNothing) {
  const auto done = offline({"apply", "-f", outside("change.yaml", rule("reviews", 75)), "--dry-run"});
  EXPECT_EQ(done.out, "virtualservice/reviews configured (dry run)\n");
  EXPECT_EQ(read("rules.yaml"), kRules);
}

TEST_F(Apply, Json) {
  const auto json = offline({"apply", "-f", outside("change.yaml", rule("reviews", 75)), "-o", "json"}).json();
  EXPECT_EQ(json["objects"][0]["change"], "configured");
  EXPECT_EQ(json["objects"][0]["file"], "rules.yaml");
  EXPECT_TRUE(json["generation"].is_null());
}

TEST_F(Apply, KeepsModeAndLeavesNoTemporaryFile) {
  ::chmod((folder_ + "/rules.yaml").c_str(), 0600);
  offline({"apply", "-f", outside("change.yaml", rule("reviews", 75))});
  struct stat info {};
  ::stat((folder_ + "/rules.yaml").c_str(), &info);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_)) ++files;
  EXPECT_EQ(files, 2U);
}

TEST_F(Apply, FileBehindALinkIsReplacedAndTheLinkStays) {
  std::filesystem::rename(folder_ + "/rules.yaml", dir_.file("real.yaml"));
  std::filesystem::create_symlink(dir_.file("real.yaml"), folder_ + "/rules.yaml");
  EXPECT_EQ(offline({"apply", "-f", outside("change.yaml", rule("reviews", 75))}).code, kOk);
  EXPECT_TRUE(std::filesystem::is_symlink(folder_ + "/rules.yaml"));
  EXPECT_THAT(read("rules.yaml"), HasSubstr("weight: 75"));
}

TEST_F(Apply, ErrorsInTheInputChangeNothing) {
  const auto done = offline({"apply", "-f", outside("change.yaml", rule("reviews", -1))});
  EXPECT_EQ(done.code, kFindings);
  EXPECT_THAT(done.err, HasSubstr("change.yaml:9:15"));
  EXPECT_THAT(done.err, HasSubstr("nothing was changed"));
  EXPECT_EQ(read("rules.yaml"), kRules);
}

TEST_F(Apply, UnreadableInput) {
  EXPECT_EQ(offline({"apply", "-f", outside("bad.yaml", "kind: [\n")}).code, kUnreadable);
  EXPECT_EQ(offline({"apply", "-f", "/nonexistent.yaml"}).code, kUnreadable);
  EXPECT_EQ(offline({"apply", "-f", outside("empty.yaml", "")}).code, kUnreadable);
  EXPECT_EQ(
      offline({"apply", "-f", outside("other.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n")})
          .code,
      kUnreadable);
}

TEST_F(Apply, MissingReferenceIsAWarning) {
  const auto done = offline(
      {"apply", "-f", outside("new.yaml", rule("reviews", 5).replace(rule("reviews", 5).rfind("v2"), 2, "v7"))});
  EXPECT_EQ(done.code, kOk) << done.err;
  EXPECT_THAT(done.err, HasSubstr("v7"));
}

TEST_F(Apply, ErrorsElsewhereInTheFolderAreSaid) {
  write("broken.yaml", "kind: [\n");
  const auto done = offline({"apply", "-f", outside("new.yaml", rule("ratings", 5))});
  EXPECT_EQ(done.code, kOk);
  EXPECT_THAT(done.err, HasSubstr("the agent refuses the folder as long as"));
}

TEST_F(Apply, BrokenFileOfTheSameNameIsReplaced) {
  write("change.yaml", "kind: [\n");
  const auto done = offline({"apply", "-f", outside("change.yaml", rule("ratings", 5))});
  EXPECT_EQ(done.code, kOk) << done.err;
  EXPECT_EQ(read("change.yaml"), rule("ratings", 5));
}

TEST_F(Apply, PartOfAListIsRefused) {
  const std::string indented =
      "  apiVersion: networking.istio.io/v1\n  kind: VirtualService\n  metadata: {name: a}\n"
      "  spec: {hosts: [a], http: [{route: [{destination: {host: reviews}}]}]}\n";
  write("list.yaml", "apiVersion: v1\nkind: List\nitems:\n-" + indented.substr(1) + "-" +
                         std::string(indented.substr(1)).replace(indented.find("name: a") - 1, 7, "name: b"));
  const auto done = offline({"apply", "-f",
                             outside("a.yaml",
                                     "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\n"
                                     "spec: {hosts: [a], http: [{route: [{destination: {host: ratings}}]}]}\n")});
  EXPECT_EQ(done.code, kError) << done.out << done.err;
  EXPECT_THAT(done.err, HasSubstr("List"));
}

TEST_F(Apply, MountedConfigMapIsNotChanged) {
  std::filesystem::create_directory(folder_ + "/..v1");
  std::filesystem::create_symlink("..v1", folder_ + "/..data");
  const auto done = offline({"apply", "-f", outside("new.yaml", rule("ratings", 5))});
  EXPECT_EQ(done.code, kUnreadable);
  EXPECT_THAT(done.err, HasSubstr("change the ConfigMap"));
}

TEST_F(Apply, NoFolder) {
  EXPECT_EQ(weir({"apply", "-f", outside("new.yaml", rule("a", 5)), "--config", "/nonexistent"}).code, kUnreadable);
  EXPECT_EQ(weir({"apply", "-f", outside("new.yaml", rule("a", 5)), "--run-dir", dir_.file("run")}).code, kUnreachable);
}

TEST_F(Apply, BadTimeout) {
  EXPECT_EQ(offline({"apply", "-f", outside("new.yaml", rule("a", 5)), "--timeout", "soon"}).code, kUsage);
  EXPECT_FALSE(exists("new.yaml"));
}

// ---------------------------------------------------------------- delete

class Delete : public Apply {};

TEST_F(Delete, TakesOneDocumentOutAndKeepsTheRest) {
  const auto done = offline({"delete", "-f", outside("old.yaml", rule("reviews", 1))});
  EXPECT_EQ(done.code, kOk) << done.err;
  EXPECT_EQ(done.out, "virtualservice/reviews deleted\n");
  const std::string all = kRules;
  EXPECT_EQ(read("rules.yaml"), all.substr(0, all.find("---\n")));
}

TEST_F(Delete, EmptyFileGoes) {
  const auto done = offline({"delete", "-f", outside("old.yaml", kRules)});
  EXPECT_EQ(done.code, kOk) << done.err;
  EXPECT_FALSE(exists("rules.yaml"));
  EXPECT_TRUE(exists("services.yaml"));
}

TEST_F(Delete, FromWhicheverFilesHoldThem) {
  write("more.yaml", rule("ratings", 1));
  EXPECT_EQ(offline({"delete", "-f", outside("old.yaml", rule("reviews", 1) + "---\n" + rule("ratings", 1))}).code,
            kOk);
  EXPECT_FALSE(exists("more.yaml"));
  EXPECT_THAT(read("rules.yaml"), Not(HasSubstr("VirtualService")));
}

TEST_F(Delete, WhatIsNotThere) {
  const auto done = offline({"delete", "-f", outside("old.yaml", rule("nobody", 1))});
  EXPECT_EQ(done.code, kError);
  EXPECT_EQ(done.out, "virtualservice/nobody not found\n");
  EXPECT_EQ(read("rules.yaml"), kRules);
}

TEST_F(Delete, DryRun) {
  EXPECT_EQ(offline({"delete", "-f", outside("old.yaml", rule("reviews", 1)), "--dry-run"}).code, kOk);
  EXPECT_EQ(read("rules.yaml"), kRules);
}

// ---------------------------------------------------------------- diff

class Diff : public Apply {};

TEST_F(Diff, ShowsFilesAndRouting) {
  const auto done = offline({"diff", "-f", outside("change.yaml", rule("reviews", 75))});
  EXPECT_EQ(done.code, 1) << done.err;
  EXPECT_THAT(done.out, HasSubstr("--- a/rules.yaml\n+++ b/rules.yaml\n"));
  EXPECT_THAT(done.out, HasSubstr("\n-      weight: 90  # old\n"));
  EXPECT_THAT(done.out, HasSubstr("\n+      weight: 75\n"));
  EXPECT_THAT(done.out, HasSubstr("+++ routing then"));
  EXPECT_EQ(read("rules.yaml"), kRules);
}

TEST_F(Diff, Same) {
  const auto done = offline({"diff", "-f", outside("change.yaml", kRules)});
  EXPECT_EQ(done.code, 0) << done.out;
  EXPECT_EQ(done.out, "");
}

TEST_F(Diff, ErrorsAreMoreThanOne) {
  EXPECT_GT(offline({"diff", "-f", outside("bad.yaml", "kind: [\n")}).code, 1);
  EXPECT_GT(offline({"diff", "-f", "/nonexistent"}).code, 1);
  EXPECT_GT(weir({"diff", "-f", outside("a.yaml", rule("a", 1)), "--run-dir", dir_.file("run")}).code, 1);
}

}  // namespace
}  // namespace weir::cli
