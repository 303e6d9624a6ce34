#pragma once
// A configuration folder as it is at one moment: every file is read through one directory descriptor, so that the set
// is of one version even while a ConfigMap is swapped under it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace weir::agent {

/// Largest file that is read.
constexpr size_t kMaxFileBytes = 16U << 20;

/// Tells one state of a file from another without reading it.
struct FileStamp {
  uint64_t device = 0, inode = 0;
  int64_t size = 0, modified_ns = 0;
  auto operator<=>(const FileStamp&) const = default;
};

struct FolderEntry {
  std::string name;
  /// Absent: a symbolic link that leads nowhere.
  std::optional<FileStamp> stamp;
};

/// *.yaml, *.yml and *.json, unless hidden (a leading dot: editors' swap files, a ConfigMap's ..data).
bool is_config_name(std::string_view name);

class Folder {
 public:
  /// Opens the directory; where it is a mounted ConfigMap (has `..data`), the version that `..data` names now.
  static Result<Folder> open(const std::string& path);

  /// Sorted by name.
  [[nodiscard]] Result<std::vector<FolderEntry>> list() const;

  struct File {
    std::string text;
    FileStamp stamp;
  };
  /// Nothing when there is no such file. An error for what is not a regular file (never blocks on a FIFO), is too
  /// large, or cannot be read.
  [[nodiscard]] Result<std::optional<File>> read(const std::string& name) const;

 private:
  explicit Folder(FileDescriptor directory) : directory_(std::move(directory)) {}
  FileDescriptor directory_;
};

}  // namespace weir::agent
