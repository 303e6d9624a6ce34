#pragma once
// Configuration read from files without an agent.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/store.h"
#include "routing/table.h"

namespace weir::cli {

struct Loaded {
  config::Store store;
  std::map<std::string, std::string> texts;  // by name, as diagnostics have it
  size_t files = 0;
  /// Some file could not be read or is not YAML.
  bool unreadable = false;

  /// Line `line` of `file`, without its end; empty when there is none.
  [[nodiscard]] std::string source_line(const std::string& file, uint32_t line) const;
};

/// Files and folders (their *.yaml, *.yml, *.json; with `recursive`, those of the folders below too; hidden ones
/// never). A file is named as its path was given; with `bare_names`, by its place below the folder. An error for a path
/// that is not there or cannot be listed.
Result<Loaded> load(const std::vector<std::string>& paths, bool recursive, bool bare_names = false);

/// What the objects of a folder mean, as an agent that follows it would have it.
std::shared_ptr<const routing::Table> file_table(const config::Store& store, bool http_by_request = false);

/// One more file, from text.
void add_text(Loaded& loaded, const std::string& name, std::string text);

}  // namespace weir::cli
