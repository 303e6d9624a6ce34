#pragma once
// The texts that the last table was built of, and which of them are news to the proxy.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace weir::agent {

/// A null text: the file has gone.
using ChangedTexts = std::map<std::string, std::shared_ptr<const std::string>>;

class FileTexts {
 public:
  void take(ChangedTexts changed) {
    for (auto& [name, text] : changed) {
      news_.insert(name);
      if (text)
        texts_.insert_or_assign(name, std::move(text));
      else
        texts_.erase(name);
    }
  }
  [[nodiscard]] const std::map<std::string, std::shared_ptr<const std::string>>& all() const { return texts_; }
  /// Null: not there.
  [[nodiscard]] std::shared_ptr<const std::string> find(const std::string& name) const {
    const auto found = texts_.find(name);
    return found == texts_.end() ? nullptr : found->second;
  }
  /// Names that changed since told().
  [[nodiscard]] const std::set<std::string>& news() const { return news_; }
  void told() { news_.clear(); }

 private:
  std::map<std::string, std::shared_ptr<const std::string>> texts_;
  std::set<std::string> news_;
};

}  // namespace weir::agent
