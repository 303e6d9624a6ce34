#pragma once
// One folder of the oracle: its configuration as a table, its requests, and what a real Istio answered.

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "routing/decide/explain_json.h"
#include "routing/table.h"

namespace weir::oracle {

struct Entry {
  routing::Question question;
  nlohmann::json answer;  // of answers.json
};

struct Case {
  std::string name;
  std::shared_ptr<const routing::Table> table;
  std::vector<Entry> entries;
};

/// Reads config/*.yaml, mesh.yaml, requests.json and answers.json of one folder.
Result<Case> load_case(const std::filesystem::path& folder);

/// The folders of corpus/oracle/cases, sorted; empty when the corpus is not there. It is looked for under $SHARED_DIR,
/// else in
/// ../shared beside the source tree.
std::vector<std::filesystem::path> find_cases();

}  // namespace weir::oracle
