#pragma once
// Typed access to the fields of a map, for the read_*.cpp files: each fault becomes a diagnostic at its place, each
// field that nobody asked for is reported, and a field is found under its proto-JSON name in camelCase or in
// snake_case.
//
// Used by one thread, during read_yaml() only: refers to the tree and to the diagnostics of the file being read.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/codes.h"
#include "config/model.h"
#include "config/names.h"
#include "config/yaml_tree.h"

namespace weir::config {

using yaml::Node;

/// Where a value hangs in its object, for messages: "spec.http[0].match". Made on the stack while reading.
struct Path {
  const Path* parent = nullptr;
  std::string_view key;  // empty: the root
  int index = -1;        // in a list; -1: not in one
  [[nodiscard]] std::string text() const;
};

/// The object being read: what is known of it and where its diagnostics go.
class Context {
 public:
  Context(Diagnostics& out, std::string_view file) : out_(out), file_(file), first_(out.size()) {}

  void error(Position at, std::string message, std::string hint = {}, const char* code = code::kSchemaValidation);
  void warn(Position at, const char* code, std::string message, std::string hint = {});
  void info(Position at, const char* code, std::string message);
  /// error() with `subject` in front, if there is something wrong.
  void check(Position at, std::string_view subject, const Wrong& wrong, std::string hint = {});

  /// "VirtualService default/reviews", for all diagnostics from now on.
  std::string object;
  /// The namespace of the object; "default" if the file has none.
  std::string namespace_;
  [[nodiscard]] bool failed() const { return errors_ > 0; }
  /// Was an error reported in this line?
  [[nodiscard]] bool has_error(Position at) const;

 private:
  void report(Level level, Position at, const char* code, std::string message, std::string hint);

  Diagnostics& out_;
  std::string_view file_;
  size_t first_;  // of out_, that is of this object
  size_t errors_ = 0;
};

/// Is `key`, as written, the field `camel`: "sourceLabels" or "source_labels".
bool same_field(std::string_view key, std::string_view camel);

// What is said of an unknown word, with the known one that is nearest.
std::string unknown_text(std::string_view path);
std::string unknown_hint(std::string_view word, const std::vector<std::string>& known);
std::string choices_hint(std::string_view word, const std::vector<std::string>& known);

/// A name and what it means, for enums.
template <class T>
using Names = std::initializer_list<std::pair<std::string_view, T>>;

class Fields {
 public:
  enum class Unknown { kWarn, kRefuse, kIgnore };

  /// `node` may be null or not a map: then a fault is reported and there are no fields.
  Fields(Context& context, const Node& node, Path path);
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;

  Context& context;
  [[nodiscard]] Position at() const { return node_.at; }
  [[nodiscard]] const Path& path() const { return path_; }
  [[nodiscard]] const Node& node() const { return node_; }
  /// No field at all.
  [[nodiscard]] bool empty() const { return node_.items.empty(); }

  /// The value, or nullptr if it is absent or null. `key` in camelCase.
  const Node* find(std::string_view key);
  /// Also when the value is null.
  bool present(std::string_view key);
  /// Absent, null or an empty string: as opposed to there and faulty, which is reported when it is read.
  bool missing(std::string_view key);
  /// Of the key where it is present, else of the map.
  [[nodiscard]] Position at_key(std::string_view key) const;
  [[nodiscard]] Path child(std::string_view key, int index = -1) const { return {&path_, key, index}; }

  std::string text(std::string_view key) { return located(key).value; }
  /// Position 0 if absent.
  Located<std::string> located(std::string_view key);
  std::optional<std::string> optional_text(std::string_view key);
  bool boolean(std::string_view key) { return optional_boolean(key).value_or(false); }
  std::optional<bool> optional_boolean(std::string_view key);
  /// Refuses what is outside of low..high.
  std::optional<Located<int64_t>> integer(std::string_view key, int64_t low, int64_t high);
  std::optional<Located<uint16_t>> port(std::string_view key);
  std::optional<uint32_t> count(std::string_view key);  // 0..2^31-1
  std::optional<Located<double>> number(std::string_view key);
  std::optional<Located<Duration>> duration(std::string_view key);
  Labels labels(std::string_view key);
  std::vector<Located<std::string>> texts(std::string_view key);
  std::vector<std::string> plain_texts(std::string_view key);

  /// By name.
  template <class T>
  std::optional<Located<T>> choice(std::string_view key, Names<T> names);

  /// The list's items; a fault if the value is not a list, or an item is null.
  const std::vector<const Node*>& list(std::string_view key);
  /// Calls `read(Fields&)` for the map `key`, if it is there.
  template <class Read>
  bool map(std::string_view key, Read read, Unknown unknown = Unknown::kWarn);
  /// Calls `read(Fields&)` for each map in the list `key`.
  template <class Read>
  void each(std::string_view key, Read read, Unknown unknown = Unknown::kWarn);
  /// Calls `read(const std::string& name, Position at, const Node& value)` for each member of the map `key`.
  template <class Read>
  void members(std::string_view key, Read read);

  /// Warns that Weir does not honour `key`, if it is there: "<path> is not honoured: <why>".
  void not_honoured(std::string_view key, const char* code, std::string_view why);
  /// Takes note of `key` without reading it.
  void ignore(std::initializer_list<std::string_view> keys);
  /// Reports each field that nobody asked for.
  void finish(Unknown unknown);

 private:
  const Node* expect(std::string_view key, Node::Type type);
  void wrong_type(const Node& node, std::string_view key, std::string_view wanted);
  void no_such_choice(const Node& node, std::string_view key, const std::vector<std::string>& names);

  const Node& node_;
  Path path_;
  std::vector<bool> used_;               // by member
  std::vector<std::string_view> asked_;  // the known names
};

/// The text of a scalar that should be a string; reports anything else.
std::optional<std::string> string_of(Context& context, const Node& node, const Path& path);

// ---------------------------------------------------------------- templates

template <class T>
std::optional<Located<T>> Fields::choice(std::string_view key, Names<T> names) {
  const Node* node = find(key);
  if (node == nullptr) return std::nullopt;
  std::vector<std::string> all;
  for (const auto& [name, value] : names) {
    if (node->is_scalar() && node->text == name) return Located<T>{value, node->at};
    all.emplace_back(name);
  }
  no_such_choice(*node, key, all);
  return std::nullopt;
}

template <class Read>
bool Fields::map(std::string_view key, Read read, Unknown unknown) {
  const Node* node = expect(key, Node::Type::kMap);
  if (node == nullptr) return false;
  Fields fields(context, *node, child(key));
  read(fields);
  fields.finish(unknown);
  return true;
}

template <class Read>
void Fields::each(std::string_view key, Read read, Unknown unknown) {
  int index = 0;
  for (const Node* item : list(key)) {
    const Path path = child(key, index++);
    if (!item->is_map()) {
      context.error(item->at,
                    path.text() + (item->is_null() ? " must not be null"
                                                   : " must be a map, it is " + std::string(item->describe())));
      continue;
    }
    Fields fields(context, *item, path);
    read(fields);
    fields.finish(unknown);
  }
}

template <class Read>
void Fields::members(std::string_view key, Read read) {
  const Node* node = expect(key, Node::Type::kMap);
  if (node == nullptr) return;
  for (size_t i = 0; i + 1 < node->items.size(); i += 2) {
    read(node->items[i]->text, node->items[i]->at, *node->items[i + 1]);
  }
}

}  // namespace weir::config
