#pragma once
// A change of the configuration folder, made up in memory, checked, shown, then written file by file, each atomically.

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/offline.h"
#include "config/diagnostic.h"

namespace weir::cli {

struct ObjectChange {
  enum class What { kCreated, kConfigured, kUnchanged, kDeleted, kNotFound };
  What what = What::kUnchanged;
  std::string object;  // "virtualservice/reviews", with ".NAMESPACE" outside of default
  std::string file;    // in the folder
};
/// "created", "configured", "unchanged", "deleted", "not found".
std::string_view to_string(ObjectChange::What what);

struct FileEdit {
  std::string before, after;
  bool existed = false;
  [[nodiscard]] bool changed() const { return before != after; }
  /// Nothing is left in it: it goes.
  [[nodiscard]] bool removes() const { return existed && after.empty(); }
};

class FolderEdit {
 public:
  /// Reads the folder. An error also where it cannot be changed file by file: a mounted ConfigMap.
  static Result<FolderEdit> open(const std::string& folder);

  /// Takes every object of `input` into the folder: in place of the one of its kind, namespace and name, else into the
  /// file of the input's name.
  Result<std::vector<ObjectChange>> put(const Loaded& input);
  /// Takes every object that `input` names out.
  Result<std::vector<ObjectChange>> remove(const Loaded& input);
  /// Another text for a file of the folder.
  void set_text(const std::string& name, std::string text);

  /// Text of a file as it would be now; empty: none.
  [[nodiscard]] std::string text(const std::string& name) const;
  /// By name; only files that change.
  [[nodiscard]] std::map<std::string, FileEdit> edits() const;
  [[nodiscard]] const Loaded& before() const { return before_; }
  [[nodiscard]] const std::string& folder() const { return folder_; }

  struct Verdict {
    config::Diagnostics errors;     // of files that change: an agent would refuse the folder
    config::Diagnostics elsewhere;  // errors that were there before, in files that stay
    config::Diagnostics warnings;   // new ones
    Loaded after;
  };
  [[nodiscard]] Verdict check() const;

  /// Writes what changes: each file by a temporary one and a rename.
  Result<void> write() const;

 private:
  FolderEdit(std::string folder, Loaded before) : folder_(std::move(folder)), before_(std::move(before)) {}
  /// Where an object is: file and line; null: nowhere.
  [[nodiscard]] const config::Metadata* find(const config::Metadata& wanted) const;
  [[nodiscard]] bool is_beyond_reading(const std::string& name) const;
  void reread(const std::string& name, std::string text);

  std::string folder_;
  Loaded before_;
  Loaded now_;
};

/// "virtualservice/reviews".
std::string object_name(const config::Metadata& meta);

/// Writes `text` to `path` so that no reader sees half of it; mode and owner stay. A symbolic link's target is
/// replaced, not the link.
Result<void> write_atomically(const std::string& path, const std::string& text);

}  // namespace weir::cli
