// Holds what Weir accepts and refuses against what the admission of a real Istio said of the same objects
// (corpus/verdicts; a part of it in tests/data/verdicts). verdicts_expected.txt names each difference and its reason.

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <map>

#include "config/store.h"
#include "verdict_case.h"

namespace weir::oracle {
namespace {

namespace fs = std::filesystem;

/// A line: `SOURCE | NAME | accepts or refuses | REASON`: what Weir does, unlike Istio. The name may be `*` for all of
/// the source.
using Expectations = std::map<std::pair<std::string, std::string>, std::pair<bool, std::string>>;

Expectations read_expectations() {
  Expectations result;
  std::ifstream file(std::string(WEIR_SOURCE_DIR) + "/tests/oracle/verdicts_expected.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::vector<std::string> cells;
    for (size_t begin = 0; begin != std::string::npos;) {
      const size_t end = line.find(" | ", begin);
      cells.push_back(line.substr(begin, end == std::string::npos ? end : end - begin));
      begin = end == std::string::npos ? end : end + 3;
    }
    if (cells.size() != 4 || (cells[2] != "accepts" && cells[2] != "refuses")) {
      ADD_FAILURE() << "verdicts_expected.txt: cannot read \"" << line << "\"";
      continue;
    }
    result[{cells[0], cells[1]}] = {cells[2] == "accepts", cells[3]};
  }
  return result;
}

std::string first_error(const config::Diagnostics& diagnostics) {
  for (const auto& diagnostic : diagnostics) {
    if (diagnostic.level == config::Level::kError) return config::to_text(diagnostic);
  }
  return {};
}

/// The number of verdicts that differ without a reason.
int compare(const std::vector<Verdict>& verdicts) {
  const Expectations expectations = read_expectations();
  int agreed = 0, on_purpose = 0, differing = 0;
  for (const Verdict& verdict : verdicts) {
    const std::string error = first_error(config::read_yaml(verdict.text, "object").diagnostics);
    const bool accepts = error.empty();
    const auto expected = expectations.find({verdict.source, verdict.name});
    const bool known = expected != expectations.end();
    if (accepts == verdict.accepted) {
      ++agreed;
      EXPECT_FALSE(known) << verdict.source << " | " << verdict.name << " agrees: take it out of verdicts_expected.txt";
    } else if (known && expected->second.first == accepts) {
      ++on_purpose;
    } else {
      ++differing;
      std::printf("%s | %s | %s | %s: %s\n", verdict.source.c_str(), verdict.name.c_str(),
                  accepts ? "accepts" : "refuses", verdict.kind.c_str(),
                  (accepts ? "Istio: " + verdict.reason : error).c_str());
    }
  }
  std::printf("agreed %d / differs on purpose %d / differs %d\n", agreed, on_purpose, differing);
  return differing;
}

TEST(Verdicts, OfIstiosValidationTestsHere) {
  const auto verdicts = load_objects(fs::path(WEIR_SOURCE_DIR) / "tests/data/verdicts/validation.jsonl", "validation");
  ASSERT_TRUE(verdicts.has_value()) << verdicts.error().message;
  ASSERT_FALSE(verdicts->empty());
  EXPECT_EQ(compare(*verdicts), 0);
}

TEST(Verdicts, OfOurOwnObjects) {
  const fs::path folder = fs::path(WEIR_SOURCE_DIR) / "tests/data/verdicts/own";
  const auto verdicts = load_documents(folder, folder);
  ASSERT_TRUE(verdicts.has_value()) << verdicts.error().message;
  ASSERT_FALSE(verdicts->empty());
  EXPECT_EQ(compare(*verdicts), 0);
}

TEST(Verdicts, OfIstiosValidationTests) {
  const fs::path file = corpus_folder() / "verdicts" / "validation.jsonl";
  if (!fs::exists(file)) GTEST_SKIP() << "no corpus: set SHARED_DIR to the folder that holds corpus/verdicts";
  const auto verdicts = load_objects(file, "validation");
  ASSERT_TRUE(verdicts.has_value()) << verdicts.error().message;
  EXPECT_EQ(compare(*verdicts), 0);
}

TEST(Verdicts, OfIstiosFiles) {
  const fs::path folder = corpus_folder() / "verdicts" / "istio-files";
  if (!fs::exists(folder)) GTEST_SKIP() << "no corpus: set SHARED_DIR to the folder that holds corpus/verdicts";
  const auto verdicts = load_documents(folder, folder / "files");
  ASSERT_TRUE(verdicts.has_value()) << verdicts.error().message;
  EXPECT_EQ(compare(*verdicts), 0);
}

TEST(Verdicts, OfFurtherObjects) {
  const fs::path folder = corpus_folder() / "verdicts" / "extra";
  if (!fs::exists(folder)) GTEST_SKIP() << "no corpus: set SHARED_DIR to the folder that holds corpus/verdicts";
  const auto verdicts = load_documents(folder, folder);
  ASSERT_TRUE(verdicts.has_value()) << verdicts.error().message;
  EXPECT_EQ(compare(*verdicts), 0);
}

/// `*-valid.yaml` holds what the CRDs accept; in `*-invalid.yaml` each object says in `_err` why it is not.
TEST(Verdicts, OfIstiosCrdTests) {
  const fs::path folder = corpus_folder() / "istio/pkg/config/validation/testdata/crds";
  if (!fs::exists(folder)) GTEST_SKIP() << "no corpus: set SHARED_DIR to the folder that holds corpus/istio";
  const auto verdicts = load_crd_tests(folder);
  ASSERT_TRUE(verdicts.has_value()) << verdicts.error().message;
  EXPECT_EQ(compare(*verdicts), 0);
}

}  // namespace
}  // namespace weir::oracle
