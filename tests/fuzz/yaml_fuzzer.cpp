// Any bytes as a configuration file: read, stored, analyzed. What is looked for: crashes, endless loops, memory, and a
// file that is neither accepted nor refused with a reason.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/analysis.h"
#include "config/store.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir::config;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ParsedFile file = read_yaml(text, "fuzz.yaml");
  for (const Diagnostic& diagnostic : file.diagnostics) {
    if (diagnostic.message.empty() || to_text_with_source(diagnostic, text.substr(0, 200)).empty()) std::abort();
  }
  if (!file.rejected.empty() && !has_errors(file.diagnostics)) std::abort();
  for (const ObjectPtr& object : file.objects) {
    if (to_text(*object).empty() || metadata(*object).name.empty()) std::abort();
  }
  Store store;
  store.set(file);
  if (!store.set(read_yaml(text, "fuzz.yaml")).empty()) std::abort();  // the same text is no change
  std::vector<ObjectPtr> all = store.objects();
  all.insert(all.end(), file.rejected.begin(), file.rejected.end());
  const Diagnostics found = analyze(all, store.mesh());
  return found.size() > SIZE_MAX / 2 ? 1 : 0;
}
