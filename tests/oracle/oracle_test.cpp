// Holds `weir explain` against what a real Istio answered (corpus/oracle). One test a folder; expected.txt says which
// folders must agree fully, where Weir differs on purpose, and what is out of scope.

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <set>

#include "compare.h"
#include "oracle_case.h"

namespace weir::oracle {
namespace {

/// The reasons of expected.txt.
struct Expectations {
  using Key = std::pair<std::string, std::string>;  // folder, request ("*": all)
  std::map<Key, std::string> deliberate, out_of_scope;
  std::set<std::string> folders;  // that must agree but for the above
};

/// A line: `agree FOLDER`, or `differ FOLDER | REQUEST | REASON`, or `skip FOLDER | REQUEST | REASON`.
Expectations read_expectations() {
  Expectations result;
  std::ifstream file(std::string(WEIR_SOURCE_DIR) + "/tests/oracle/expected.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    const size_t space = line.find(' ');
    const std::string word = line.substr(0, space), rest = line.substr(space + 1);
    if (word == "agree") {
      result.folders.insert(rest);
      continue;
    }
    const size_t first = rest.find(" | "), last = rest.rfind(" | ");
    if (first == std::string::npos || first == last || (word != "differ" && word != "skip")) {
      ADD_FAILURE() << "expected.txt: cannot read \"" << line << "\"";
      continue;
    }
    const Expectations::Key key(rest.substr(0, first), rest.substr(first + 3, last - first - 3));
    (word == "differ" ? result.deliberate : result.out_of_scope)[key] = rest.substr(last + 3);
  }
  return result;
}

const std::string* find_reason(const std::map<Expectations::Key, std::string>& reasons, const std::string& folder,
                               const std::string& request) {
  for (const auto& key : {Expectations::Key(folder, request), Expectations::Key(folder, "*")}) {
    const auto found = reasons.find(key);
    if (found != reasons.end()) return &found->second;
  }
  return nullptr;
}

struct Tally {
  int agreed = 0, differing = 0, out_of_scope = 0;
};

void compare_entry(const Case& folder, const Entry& entry, const Expectations& expectations, Tally& tally) {
  const std::string& name = entry.question.name;
  if (find_reason(expectations.out_of_scope, folder.name, name) != nullptr) {
    ++tally.out_of_scope;
    return;
  }
  const auto decision = routing::explain(*folder.table, entry.question.client, entry.question.request);
  const auto found = differences(entry.question.request, decision, entry.answer);
  const std::string* reason = find_reason(expectations.deliberate, folder.name, name);
  if (found.empty()) {
    ++tally.agreed;
    EXPECT_EQ(reason, nullptr) << folder.name << ": " << name << " agrees: take it out of expected.txt";
    return;
  }
  ++tally.differing;
  std::printf("  differs: %s%s%s\n", name.c_str(), reason != nullptr ? ": on purpose, " : "",
              reason != nullptr ? reason->c_str() : "");
  for (const auto& difference : found) std::printf("    %s\n", difference.c_str());
  if (reason != nullptr) return;
  for (const auto& step : decision.steps) std::printf("      | %s\n", step.c_str());
  if (expectations.folders.contains(folder.name)) ADD_FAILURE() << folder.name << ": " << name << ": " << found.front();
}

class OracleTest : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(OracleTest, Agrees) {
  const Expectations expectations = read_expectations();
  const auto folder = load_case(GetParam());
  ASSERT_TRUE(folder.has_value()) << folder.error().message;
  Tally tally;
  for (const Entry& entry : folder->entries) compare_entry(*folder, entry, expectations, tally);
  std::printf("%s: agreed %d / differs %d / out of scope %d\n", folder->name.c_str(), tally.agreed, tally.differing,
              tally.out_of_scope);
}

std::string test_name(const testing::TestParamInfo<std::filesystem::path>& info) {
  std::string name = info.param.filename().string();
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(OracleTest);
INSTANTIATE_TEST_SUITE_P(Cases, OracleTest, testing::ValuesIn(find_cases()), test_name);

TEST(OracleCorpusTest, IsThere) {
  if (find_cases().empty()) GTEST_SKIP() << "no corpus: set SHARED_DIR to the folder that holds corpus/oracle";
}

}  // namespace
}  // namespace weir::oracle
