#pragma once
// The user's objects by what they are looked up by. Only for build_table.

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/model.h"
#include "routing/plan/plan.h"
#include "routing/table.h"

namespace weir::routing {

/// "namespace/name", the key of most indexes.
[[nodiscard]] std::string key_of(std::string_view namespace_, std::string_view name);
[[nodiscard]] std::string key_of(const config::Metadata& meta);

/// Oldest first, then by name, namespace and place: the same order however the objects came.
[[nodiscard]] bool precedes(const config::ObjectPtr& a, const config::ObjectPtr& b);

/// An object's place, without a route.
[[nodiscard]] Origin origin_of(const config::Metadata& meta);

/// `owner` is the namespace that "." means.
[[nodiscard]] ExportTo export_to(const std::vector<config::Located<std::string>>& written, std::string_view owner);

/// A finding about an object; `at` {0,0}: the object's own place.
[[nodiscard]] config::Diagnostic finding(config::Level level, const char* code, const config::Metadata& meta,
                                         config::Position at, std::string message, std::string hint = {});

struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
template <class Value>
using TextMap = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

/// Objects by key, each list in the order of precedes().
class ObjectIndex {
 public:
  void add(std::string_view key, const config::ObjectPtr& object);
  void remove(std::string_view key, const config::ObjectPtr& object);
  /// Empty when there are none. Valid until the next change.
  [[nodiscard]] const std::vector<config::ObjectPtr>& get(std::string_view key) const;
  /// Of several objects of one name (an error of the user's that the store reports) the first. Null: none.
  [[nodiscard]] config::ObjectPtr first(std::string_view key) const;

 private:
  TextMap<std::vector<config::ObjectPtr>> lists_;
};

}  // namespace weir::routing
