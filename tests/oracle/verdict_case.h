#pragma once
// What Istio's admission said of objects: corpus/verdicts, and the part of it that tests/data/verdicts carries.

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace weir::oracle {

struct Verdict {
  std::string source;  // "validation", or the file below corpus/verdicts/istio-files
  std::string name;    // of the case, or the number of the document in its file
  std::string text;    // the object, YAML or JSON
  std::string kind;
  bool accepted = false;  // by the webhook and the CRD
  std::string reason;     // why not
};

/// Where others' data lie: $SHARED_DIR/corpus, else ../shared/corpus beside the sources.
std::filesystem::path corpus_folder();

/// Lines of JSON that hold their objects.
Result<std::vector<Verdict>> load_objects(const std::filesystem::path& file, const std::string& source);
/// `folder`/verdicts.jsonl and the documents below `folder`/`files` that it names.
Result<std::vector<Verdict>> load_documents(const std::filesystem::path& folder, const std::filesystem::path& files);

/// `folder`/*-valid.yaml and *-invalid.yaml, document by document; `_err` of an invalid one is the reason.
Result<std::vector<Verdict>> load_crd_tests(const std::filesystem::path& folder);

}  // namespace weir::oracle
