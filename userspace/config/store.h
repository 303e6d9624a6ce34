#pragma once
// The set of objects that a folder (or an API server) holds, kept file by file, so that a change of one file costs
// the reading of one file. Pure: the caller reads the bytes.
//
// Not thread-safe: one owner.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.h"
#include "config/model.h"

namespace weir::config {

/// What one file says. Immutable.
struct ParsedFile {
  std::string name;
  std::vector<ObjectPtr> objects;
  /// Objects with an error, as far as they could be read. For analyze() (their names and subsets are known, so that one
  /// fault does not show as many) and for nothing else: Istio's admission refuses them.
  std::vector<ObjectPtr> rejected;
  std::optional<MeshConfig> mesh;
  /// Errors here mean that the file as a whole must not be used; warnings and infos (skipped kinds, fields that Weir
  /// cannot honour) do not.
  Diagnostics diagnostics;
};

/// Reads one YAML (or JSON) file: several documents, `kind: List`, unknown kinds skipped with an Info.
/// Never throws; every fault is a Diagnostic. Limits: hardening C1-C4 (1 MiB a document and 16 MiB a file, 100 aliases,
/// 100'000 nodes visited, depth 64). Any thread.
ParsedFile read_yaml(std::string_view text, std::string file_name);

/// Which objects came, went or were replaced. Pointers stay valid as long as either set is held.
struct Delta {
  std::vector<ObjectPtr> removed;
  std::vector<ObjectPtr> added;
  bool mesh_changed = false;
  [[nodiscard]] bool empty() const { return removed.empty() && added.empty() && !mesh_changed; }
};

class Store {
 public:
  /// Puts `file` in place of the file of the same name. An object whose text did not change keeps its old pointer
  /// where that is cheap to see; otherwise it shows as removed and added.
  Delta set(ParsedFile file);
  Delta remove(std::string_view file_name);

  [[nodiscard]] const std::map<std::string, ParsedFile, std::less<>>& files() const { return files_; }
  [[nodiscard]] const MeshConfig& mesh() const { return mesh_; }
  /// All objects, in the order of file name, then of place in the file.
  [[nodiscard]] std::vector<ObjectPtr> objects() const;
  /// The same of ParsedFile::rejected.
  [[nodiscard]] std::vector<ObjectPtr> rejected() const;
  /// Of all files, plus what only the whole set shows: one object in two places (an error that names both).
  [[nodiscard]] Diagnostics diagnostics() const;

 private:
  /// Walks over all files: only where a file with mesh settings came or went.
  bool refresh_mesh();

  std::map<std::string, ParsedFile, std::less<>> files_;
  MeshConfig mesh_;
};

}  // namespace weir::config
