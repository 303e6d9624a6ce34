// read_yaml() as a whole: kinds, lists, the tables in tests/data/config, and the corpora that others wrote.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "config/codes.h"
#include "support.h"

namespace weir::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;
namespace fs = std::filesystem;

std::vector<std::string> object_names(const ParsedFile& file) {
  std::vector<std::string> all;
  for (const ObjectPtr& object : file.objects) all.push_back(metadata(*object).describe());
  return all;
}

TEST(ReadYaml, AllThreeVersionsOfIstiosApi) {
  for (const char* version : {"v1", "v1beta1", "v1alpha3"}) {
    const ParsedFile file = read_yaml(std::string("apiVersion: networking.istio.io/") + version +
                                          "\nkind: DestinationRule\nmetadata: {name: a}\nspec: {host: a}\n",
                                      "f");
    EXPECT_THAT(object_names(file), ElementsAre("DestinationRule default/a")) << version;
  }
}

TEST(ReadYaml, SkipsFilesOfOtherToolsWithALine) {
  for (const char* name :
       {"kustomization.yaml", "a/b/values.yaml", "Chart.yaml", "values-prod.yml", "docker-compose.yaml"}) {
    const ParsedFile file = read_yaml("resources: [a.yaml]\n", name);
    ASSERT_EQ(file.diagnostics.size(), 1U) << name;
    EXPECT_EQ(file.diagnostics[0].level, Level::kInfo);
    EXPECT_EQ(file.diagnostics[0].code, code::kSkippedKind);
  }
  // Others are cut off or mistyped, and an object is one in whatever file.
  EXPECT_TRUE(has_errors(read_yaml("resources: [a.yaml]\n", "rules.yaml").diagnostics));
  EXPECT_EQ(read_yaml("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n", "values.yaml").objects.size(), 1U);
}

TEST(ReadYaml, AnEmptyValueIsFoundAtItsKey) {
  for (const auto& [spec, finding] : std::initializer_list<std::pair<const char*, const char*>>{
           {"host:\nsubsets: []", "6:3 Error"},
           {"host: a\nsubsets:\ntrafficPolicy: {tls: {}}", "7:3 Error"},
           {"host: a\nsubsets:\n- name:\n  labels: {a: b}", "8:5 Error"},
           {"host: ~", "6:3 Error"},
           {"host: a\ntrafficPolicy:\n  tls:\n    mode:\n\n  # more\n\nsubsets: []", "9:7 Error"}}) {
    const auto found = test::read_findings(test::istio("DestinationRule", spec));
    ASSERT_FALSE(found.empty()) << spec;
    EXPECT_THAT(found.front(), StartsWith(finding)) << spec;
  }
}

TEST(ReadYaml, SkipsOtherKindsWithALine) {
  const ParsedFile file = read_yaml(
      "apiVersion: apps/v1\nkind: Deployment\n---\napiVersion: networking.k8s.io/v1\nkind: Ingress\n---\n"
      "apiVersion: serving.knative.dev/v1\nkind: Service\n---\napiVersion: networking.istio.io/v2\nkind: "
      "VirtualService\n",
      "f");
  EXPECT_TRUE(file.objects.empty());
  ASSERT_EQ(file.diagnostics.size(), 4U);
  EXPECT_EQ(to_text(file.diagnostics[0]),
            "f:2:7: Info [WEIR0004] skipped: kind Deployment (apps/v1) is not used by Weir");
  EXPECT_EQ(file.diagnostics[1].level, Level::kInfo);
  EXPECT_EQ(file.diagnostics[2].level, Level::kInfo);
  EXPECT_EQ(to_text(file.diagnostics[3]),
            "f:10:13: Warning [WEIR0004] skipped: VirtualService (networking.istio.io/v2) is of a version that Weir "
            "does not read");
}

TEST(ReadYaml, Lists) {
  EXPECT_THAT(object_names(read_yaml("apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: "
                                     "{name: a}\n- apiVersion: v1\n  kind: List\n  items:\n"
                                     "  - {apiVersion: v1, kind: Service, metadata: {name: b}}\n",
                                     "f")),
              ElementsAre("Pod default/a", "Service default/b"));
  EXPECT_THAT(object_names(read_yaml(
                  "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a}\n- metadata: {name: b}\n", "f")),
              ElementsAre("Pod default/a", "Pod default/b"));
  EXPECT_THAT(object_names(read_yaml("{\"apiVersion\": \"networking.istio.io/v1\", \"kind\": \"DestinationRuleList\", "
                                     "\"items\": [{\"metadata\": {\"name\": \"a\"}, "
                                     "\"spec\": {\"host\": \"a\"}}]}",
                                     "f")),
              ElementsAre("DestinationRule default/a"));
  EXPECT_THAT(test::read_findings("apiVersion: v1\nkind: List\nitems:\n"), IsEmpty());
}

TEST(ReadYaml, BadDocuments) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"kind: Pod\nmetadata: {name: a}", "1:1 Error IST0106 apiVersion is required"},
      {"apiVersion: v1\nmetadata: {name: a}", "1:1 Error IST0106 kind is required"},
      {"apiVersion: v1\nkind:\nmetadata: {name: a}", "1:1 Error IST0106 kind is required"},
      {"apiVersion: [v1]\nkind: Pod", "1:1 Error IST0106 apiVersion is required"},
      {"some: thing", "1:1 Error IST0106 kind is required"},
      {"just text", "1:1 Error IST0106 a document must be a map with apiVersion and kind, this is a scalar"},
      {"- apiVersion: v1", "1:1 Error IST0106 a document must be a map with apiVersion and kind, this is a list"},
      {"apiVersion: v1\nkind: List\nitems: {}", "3:8 Error IST0106 items must be a list"},
      {"apiVersion: v1\nkind: List\nitems: [a]", "3:9 Error IST0106 an object must be a map"},
      {"apiVersion: v1\nkind: List\nitems: [{}]", "3:9 Error IST0106 kind is required"},
      {"apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}",
       "3:18 Error IST0106 spec is required"},
      {"apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec: []",
       "4:7 Error IST0106 spec must be a map"},
      {"apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\nspec: {host: a}\nspek: {}",
       "5:1 Warning IST0133 unknown field \"spek\""},
      {"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nstatus: {podIP: 1", "4:1 Error WEIR0001 not readable as YAML"},
      {"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n\t- x", "6:"},
  };
  for (const auto& [text, expected] : table)
    EXPECT_THAT(test::read_findings(text), ElementsAre(StartsWith(expected))) << text;
}

TEST(ReadYaml, HalfWrittenFilesGiveOneErrorEach) {
  const std::string whole =
      test::istio("DestinationRule", "host: reviews\nsubsets:\n- name: v1\n  labels: {version: v1}\n");
  for (size_t length = 1; length < whole.size(); ++length) {
    const ParsedFile file = read_yaml(whole.substr(0, length), "f");
    size_t errors = 0;
    for (const Diagnostic& diagnostic : file.diagnostics) errors += diagnostic.level == Level::kError;
    EXPECT_LE(errors, 1U) << whole.substr(0, length);
    EXPECT_TRUE(errors == 0 || file.objects.empty()) << whole.substr(0, length);
  }
}

TEST(ReadYaml, AnErrorInOneObjectLeavesTheOthers) {
  const ParsedFile file = read_yaml(
      test::istio("DestinationRule", "subsets: []") + "---\n" + test::istio("WorkloadEntry", "address: 10.0.0.1"), "f");
  EXPECT_THAT(object_names(file), ElementsAre("WorkloadEntry default/a"));
  ASSERT_EQ(file.rejected.size(), 1U);
  EXPECT_EQ(metadata(*file.rejected[0]).describe(), "DestinationRule default/a");
  EXPECT_TRUE(has_errors(file.diagnostics));
}

TEST(ReadYaml, TenThousandObjectsInOneList) {
  std::string text = "apiVersion: v1\nkind: List\nitems:\n";
  for (int i = 0; i < 10'000; ++i) {
    text += "- apiVersion: v1\n  kind: Pod\n  metadata: {name: p" + std::to_string(i) +
            ", labels: {app: a, version: v1}}\n  status: {podIP: 10.0." + std::to_string(i / 256) + "." +
            std::to_string(i % 256) + "}\n";
  }
  const ParsedFile file = read_yaml(text, "f");
  EXPECT_EQ(file.objects.size(), 10'000U);
  EXPECT_TRUE(file.diagnostics.empty());
}

// ---------------------------------------------------------------- tests/data/config

/// What reading (or, in the folder `analysis`, analyzing) a case says.
std::string outcome(const std::string& path, bool analysis) {
  const ParsedFile file = read_yaml(test::read_file(path), fs::path(path).filename().string());
  std::string text;
  if (!analysis) {
    for (const ObjectPtr& object : file.objects) text += "object " + to_text(*object) + "\n";
    for (const ObjectPtr& object : file.rejected) text += "rejected " + metadata(*object).describe() + "\n";
  }
  Diagnostics diagnostics = file.diagnostics;
  if (analysis) {
    std::vector<ObjectPtr> objects = file.objects;
    objects.insert(objects.end(), file.rejected.begin(), file.rejected.end());
    diagnostics = analyze(objects, file.mesh.value_or(MeshConfig{}));
  }
  for (const Diagnostic& diagnostic : diagnostics) {
    text += to_text(diagnostic) + "\n";
    if (!diagnostic.hint.empty()) text += "  hint: " + diagnostic.hint + "\n";
  }
  return text;
}

/// WEIR_UPDATE_EXPECT=1 writes the expectations; look at the difference before committing it.
void check_folder(const std::string& folder, bool analysis) {
  const std::string path = std::string(WEIR_TEST_DATA) + "/config/" + folder;
  std::set<std::string> cases, expectations;
  for (const auto& entry : fs::directory_iterator(path)) {
    (entry.path().extension() == ".yaml" ? cases : expectations).insert(entry.path().stem().string());
    EXPECT_TRUE(entry.path().extension() == ".yaml" || entry.path().extension() == ".expect") << entry.path();
  }
  const bool update = std::getenv("WEIR_UPDATE_EXPECT") != nullptr;
  if (!update) {
    EXPECT_EQ(cases, expectations) << "an unpaired file";
  }
  EXPECT_FALSE(cases.empty());
  for (const std::string& name : cases) {
    const std::string got = outcome(path + "/" + name + ".yaml", analysis);
    if (update) std::ofstream(path + "/" + name + ".expect") << got;
    EXPECT_EQ(got, test::read_file(path + "/" + name + ".expect")) << name;
  }
}

TEST(ReadYamlData, ReadCases) {
  check_folder("read", false);
}
TEST(ReadYamlData, AnalysisCases) {
  check_folder("analysis", true);
}

// ---------------------------------------------------------------- corpora

const std::set<std::string> kReadKinds = {"destinationrule", "serviceentry", "workloadentry", "virtualservice",
                                          "gateway"};

TEST(Corpus, WhatIstiosCrdsAcceptIsAcceptedAndWhatTheyRefuseIsRefused) {
  const std::string folder = test::corpus("istio/pkg/config/validation/testdata/crds");
  if (folder.empty()) GTEST_SKIP() << "no corpus";
  size_t valid = 0, invalid = 0;
  for (const std::string& path : test::yaml_files(folder)) {
    const std::string stem = fs::path(path).stem().string();
    const std::string kind = stem.substr(0, stem.find('-'));
    if (!kReadKinds.contains(kind)) continue;
    const ParsedFile file = read_yaml(test::read_file(path), path);
    if (stem.ends_with("-valid")) {
      valid += file.objects.size();
      for (const ObjectPtr& object : file.rejected)
        ADD_FAILURE() << path << ": refused " << metadata(*object).describe() << ":" << metadata(*object).at.line;
    } else {
      invalid += file.rejected.size();
      for (const ObjectPtr& object : file.objects)
        ADD_FAILURE() << path << ": accepted " << metadata(*object).describe() << ":" << metadata(*object).at.line;
    }
  }
  std::cout << "crds: " << valid << " valid objects accepted, " << invalid << " invalid ones refused\n";
  EXPECT_GE(valid, 14U);
  EXPECT_GE(invalid, 20U);
}

TEST(Corpus, SamplesAreReadWithoutAnError) {
  const std::string folder = test::corpus("istio/samples");
  if (folder.empty()) GTEST_SKIP() << "no corpus";
  size_t files = 0, objects = 0, skipped = 0;
  for (const std::string& path : test::yaml_files(folder)) {
    const ParsedFile file = read_yaml(test::read_file(path), path);
    ++files;
    objects += file.objects.size();
    for (const Diagnostic& diagnostic : file.diagnostics) {
      skipped += diagnostic.code == code::kSkippedKind;
      EXPECT_NE(diagnostic.level, Level::kError) << to_text(diagnostic);
    }
  }
  std::cout << "samples: " << files << " files, " << objects << " objects read, " << skipped
            << " of other kinds skipped\n";
  EXPECT_GE(objects, 60U);
}

TEST(Corpus, OracleIsReadAsIstioReadIt) {
  const std::string folder = test::corpus("oracle/cases");
  if (folder.empty()) GTEST_SKIP() << "no corpus";
  size_t objects = 0;
  std::vector<std::string> rejected;
  for (const std::string& path : test::yaml_files(folder)) {
    const ParsedFile file = read_yaml(test::read_file(path), path);
    objects += file.objects.size();
    for (const ObjectPtr& object : file.rejected) rejected.push_back(metadata(*object).describe());
  }
  std::cout << "oracle: " << objects << " objects read, " << rejected.size() << " refused\n";
  EXPECT_GE(objects, 990U);
  // What the CRDs and Istio's webhook refused (`rejected` in the answers).
  EXPECT_THAT(rejected,
              ElementsAre("HTTPRoute default/noport", "HTTPRoute default/refused-0", "HTTPRoute default/refused-1",
                          "HTTPRoute default/refused", "HTTPRoute default/refused", "VirtualService default/empty",
                          "VirtualService default/rw-empty", "VirtualService default/m-regex-empty",
                          "VirtualService default/star"));
}

TEST(Corpus, AnalyzersTestdataIsReadWithoutACrash) {
  const std::string folder = test::corpus("istio/pkg/config/analysis/analyzers/testdata");
  if (folder.empty()) GTEST_SKIP() << "no corpus";
  size_t files = 0, objects = 0, refused = 0;
  for (const std::string& path : test::yaml_files(folder)) {
    const ParsedFile file = read_yaml(test::read_file(path), path);
    ++files;
    objects += file.objects.size();
    refused += file.rejected.size();
    for (const Diagnostic& diagnostic : file.diagnostics) {
      EXPECT_FALSE(is_unreadable(diagnostic)) << to_text(diagnostic);
      EXPECT_FALSE(diagnostic.message.empty());
    }
  }
  std::cout << "analyzers: " << files << " files, " << objects << " objects accepted, " << refused
            << " refused with a reason\n";
}

}  // namespace
}  // namespace weir::config
