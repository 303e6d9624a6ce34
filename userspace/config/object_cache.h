#pragma once
// What files said when they were last read, as one text of bytes that another start of the same build may read instead.
// Pure: the caller reads and writes the bytes.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/store.h"

namespace weir::config {

/// Tells one text of a file from another.
struct TextKey {
  uint64_t hash = 0, size = 0;
  bool operator==(const TextKey&) const = default;
};
TextKey key_of(std::string_view text);

class ObjectCache {
 public:
  struct Entry {
    TextKey text;
    const ParsedFile* file = nullptr;
  };
  /// `build`: readers and their rules change without a change of the model, so a cache is of one build.
  static std::string write(std::string_view build, const std::vector<Entry>& entries);

  ObjectCache() = default;
  /// An error says why the bytes are of no use.
  static Result<ObjectCache> read(std::string bytes, std::string_view build);

  /// Any thread. Nothing where the text was another, or the file is not there.
  [[nodiscard]] std::optional<ParsedFile> find(std::string_view name, const TextKey& text) const;
  [[nodiscard]] size_t size() const { return entries_.size(); }

 private:
  struct Place {
    TextKey text;
    size_t at = 0, size = 0;  // in bytes_
  };
  std::string bytes_;
  std::map<std::string, Place, std::less<>> entries_;
};

}  // namespace weir::config
