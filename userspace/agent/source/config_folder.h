#pragma once
// The configuration folder read into a Store: only files that changed are read, and what they change is gathered until
// somebody takes it. A change of one file out of 10'000 costs the reading of that file.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "agent/source/file_objects.h"
#include "agent/source/folder.h"
#include "agent/source/folder_watcher.h"
#include "agent/source/read_files.h"
#include "base/result.h"
#include "config/store.h"

namespace weir::agent {

/// Several deltas made one after the other, as one: what came and went again does not show.
class NetDelta {
 public:
  void add(config::Delta delta);
  [[nodiscard]] bool empty() const { return added_.empty() && removed_.empty() && !mesh_changed_; }
  /// In the order of arrival. Leaves it empty.
  config::Delta take();

 private:
  template <class T>
  using Ordered = std::map<uint64_t, T>;
  struct Side {
    Ordered<config::ObjectPtr> in_order;
    std::unordered_map<const config::AnyObject*, uint64_t> place;
    [[nodiscard]] bool empty() const { return in_order.empty(); }
    bool erase(const config::ObjectPtr& object);
    void insert(const config::ObjectPtr& object, uint64_t at);
    std::vector<config::ObjectPtr> take();
  };
  Side added_, removed_;
  uint64_t next_ = 0;
  bool mesh_changed_ = false;
};

/// One thread.
class ConfigFolder {
 public:
  explicit ConfigFolder(std::string path) : path_(std::move(path)) {}

  /// Reads what `change` names; with `everything`, every file whose stamp is another than when it was last read. A file
  /// for which `being_written` holds is left as it is. An error means that the folder itself cannot be read: then
  /// nothing has changed.
  using BeingWritten = std::function<bool(const std::string& name)>;
  Result<void> refresh(const FolderChange& change, const BeingWritten& being_written);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const config::Store& store() const { return store_; }
  /// Every error that the folder as it is now has; empty: it may be used. Costs nothing while there is none.
  [[nodiscard]] config::Diagnostics errors() const;
  [[nodiscard]] size_t warnings() const { return warnings_; }
  /// How many of each kind.
  [[nodiscard]] const std::map<std::string, size_t>& objects() const { return objects_; }
  /// What changed in the store since the last call.
  config::Delta take_delta() { return pending_.take(); }
  /// Files that came, changed or went since the last call.
  ChangedFiles take_changed() { return std::exchange(changed_, {}); }
  [[nodiscard]] bool has_delta() const { return !pending_.empty(); }

  /// What the next refresh() may take files from instead of reading their texts; it is dropped after that.
  void use_cache(config::ObjectCache cache) { cache_ = std::move(cache); }
  /// All files without errors, for a cache; made once after something changed, else nothing. Costs no copy of an
  /// object.
  struct Cachable {
    config::TextKey text;
    config::ParsedFile file;
  };
  std::optional<std::vector<Cachable>> take_cachable();

 private:
  void compare_all(const Folder& folder, const std::vector<FolderEntry>& entries, const BeingWritten& being_written);
  void read(const Folder& folder, std::vector<std::string> names, const BeingWritten& being_written);
  void take(ReadFile read);
  void set(config::ParsedFile file);
  void remove(const std::string& name);
  void count(const config::ParsedFile& file, int sign);

  std::string path_;
  config::Store store_;
  NetDelta pending_;
  ChangedFiles changed_;
  struct Known {
    FileStamp stamp;
    config::TextKey text;
  };
  std::map<std::string, Known> known_;
  std::optional<config::ObjectCache> cache_;
  bool cache_is_old_ = false;
  // What Store::diagnostics() would find, kept up to date: asking it costs a walk over all objects.
  std::unordered_set<std::string> files_with_errors_;
  std::map<std::pair<config::Kind, std::string>, int> places_of_;  // by kind and Metadata::describe()
  int doubly_defined_ = 0;
  int mesh_files_ = 0;
  size_t warnings_ = 0;
  std::map<std::string, size_t> objects_;
};

}  // namespace weir::agent
