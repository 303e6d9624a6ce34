#pragma once
// The objects that the last table was built of, file by file, and which of them are news to the proxy.

#include <map>
#include <memory>
#include <set>
#include <string>

#include "config/store.h"

namespace weir::agent {

/// Accepted files, without their diagnostics. Null: the file has gone.
using ChangedFiles = std::map<std::string, std::shared_ptr<const config::ParsedFile>>;

class FileObjects {
 public:
  void take(ChangedFiles changed) {
    for (auto& [name, file] : changed) {
      news_.insert(name);
      if (file)
        files_.insert_or_assign(name, std::move(file));
      else
        files_.erase(name);
    }
  }
  [[nodiscard]] const ChangedFiles& all() const { return files_; }
  /// Null: not there.
  [[nodiscard]] std::shared_ptr<const config::ParsedFile> find(const std::string& name) const {
    const auto found = files_.find(name);
    return found == files_.end() ? nullptr : found->second;
  }
  /// Names that changed since told().
  [[nodiscard]] const std::set<std::string>& news() const { return news_; }
  void told() { news_.clear(); }

 private:
  ChangedFiles files_;
  std::set<std::string> news_;
};

}  // namespace weir::agent
