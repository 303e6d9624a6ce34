#include "config/yaml_fields.h"

#include <algorithm>
#include <limits>

#include "base/nearest.h"
#include "config/scalars.h"

namespace weir::config {
namespace {

/// Shown for a bad value; a collection shows as what it is.
std::string shown(const Node& node) {
  return node.is_scalar() ? quote(node.text) : std::string(node.describe());
}

/// How a scalar that looks like a number to older YAML readers should be written.
std::string number_hint(const Node& node) {
  if (!node.is_scalar()) return {};
  const std::string_view text = node.text;
  if (node.quoted && parse_number(text)) return "write it without quotes";
  if (text.starts_with("0x") || text.starts_with("0o") || text.find('_') != std::string_view::npos) {
    return "write it as a plain decimal number";
  }
  if (text.size() > 1 && text[0] == '0' && text.find('.') == std::string_view::npos) {
    return "leave out the leading zero: some readers take it as octal";
  }
  return {};
}

}  // namespace

bool same_field(std::string_view key, std::string_view camel) {
  if (key == camel) return true;
  size_t i = 0;
  for (const char c : camel) {
    if (c >= 'A' && c <= 'Z') {
      if (i + 1 >= key.size() || key[i] != '_' || key[i + 1] != c + 32) return false;
      i += 2;
    } else if (i >= key.size() || key[i++] != c) {
      return false;
    }
  }
  return i == key.size();
}

std::string unknown_text(std::string_view path) {
  return "unknown field " + quote(path) + " is ignored";
}

std::string unknown_hint(std::string_view word, const std::vector<std::string>& known) {
  const std::string near = nearest(word, known);
  return near.empty() ? "check its spelling" : "did you mean " + near + "?";
}

std::string choices_hint(std::string_view word, const std::vector<std::string>& known) {
  const std::string near = nearest(word, known);
  std::string all = near.empty() ? "choices are " : "did you mean " + near + "? Choices are ";
  for (size_t i = 0; i < known.size(); ++i) all += (i == 0 ? "" : ", ") + known[i];
  return all;
}

std::string Path::text() const {
  std::string above = parent == nullptr ? "" : parent->text();
  if (!key.empty()) above += (above.empty() ? "" : ".") + std::string(key);
  if (index >= 0) above += "[" + std::to_string(index) + "]";
  return above;
}

void Context::report(Level level, Position at, const char* code, std::string message, std::string hint) {
  out_.push_back({level, code, std::move(message), std::move(hint), std::string(file_), at, object});
}

void Context::error(Position at, std::string message, std::string hint, const char* code) {
  ++errors_;
  report(Level::kError, at, code, std::move(message), std::move(hint));
}

void Context::warn(Position at, const char* code, std::string message, std::string hint) {
  report(Level::kWarning, at, code, std::move(message), std::move(hint));
}

void Context::info(Position at, const char* code, std::string message) {
  report(Level::kInfo, at, code, std::move(message), {});
}

bool Context::has_error(Position at) const {
  return std::any_of(out_.begin() + static_cast<ptrdiff_t>(first_), out_.end(), [&](const Diagnostic& diagnostic) {
    return diagnostic.level == Level::kError && diagnostic.at.line == at.line;
  });
}

void Context::check(Position at, std::string_view subject, const Wrong& wrong, std::string hint) {
  if (wrong) error(at, std::string(subject) + " " + *wrong, std::move(hint));
}

Fields::Fields(Context& context_in, const Node& node, Path path) : context(context_in), node_(node), path_(path) {
  if (node_.is_map()) {
    used_.resize(node_.items.size() / 2);
  } else {
    wrong_type(node_, {}, "a map");
  }
}

const Node* Fields::find(std::string_view key) {
  if (!node_.is_map()) return nullptr;
  asked_.push_back(key);
  const Node* found = nullptr;
  for (size_t i = 0; i < used_.size(); ++i) {
    if (!same_field(node_.items[2 * i]->text, key)) continue;
    if (found != nullptr && !used_[i]) {
      context.error(node_.items[2 * i]->at, child(key).text() + " is given twice, in both of its spellings");
    }
    used_[i] = true;
    if (found == nullptr) found = node_.items[2 * i + 1];
  }
  return found == nullptr || found->is_null() ? nullptr : found;
}

bool Fields::present(std::string_view key) {
  find(key);
  for (size_t i = 0; i < used_.size(); ++i) {
    if (same_field(node_.items[2 * i]->text, key)) return true;
  }
  return false;
}

bool Fields::missing(std::string_view key) {
  const Node* node = find(key);
  return node == nullptr || (node->is_scalar() && node->text.empty());
}

Position Fields::at_key(std::string_view key) const {
  for (size_t i = 0; i < used_.size(); ++i) {
    if (same_field(node_.items[2 * i]->text, key)) return node_.items[2 * i]->at;
  }
  return node_.at;
}

void Fields::wrong_type(const Node& node, std::string_view key, std::string_view wanted) {
  const std::string what = key.empty() ? path_.text() : child(key).text();
  context.error(node.at, (what.empty() ? "the document" : what) + " must be " + std::string(wanted) + ", it is " +
                             std::string(node.describe()));
}

const Node* Fields::expect(std::string_view key, Node::Type type) {
  const Node* node = find(key);
  if (node == nullptr || node->type == type) return node;
  wrong_type(*node, key, type == Node::Type::kMap ? "a map" : "a list");
  return nullptr;
}

void Fields::no_such_choice(const Node& node, std::string_view key, const std::vector<std::string>& names) {
  context.error(node.at, child(key).text() + " has no choice " + shown(node), choices_hint(node.text, names));
}

std::optional<std::string> string_of(Context& context, const Node& node, const Path& path) {
  if (node.is_scalar()) return node.text;
  const bool pair = node.is_map() && node.items.size() == 2 && node.items[1]->is_null();
  context.error(node.at, path.text() + " must be a string, it is " + std::string(node.describe()),
                pair ? "a string that ends in \":\" needs quotes" : "");
  return std::nullopt;
}

Located<std::string> Fields::located(std::string_view key) {
  const Node* node = find(key);
  if (node == nullptr) return {};
  return {string_of(context, *node, child(key)).value_or(""), node->at};
}

std::optional<std::string> Fields::optional_text(std::string_view key) {
  const Node* node = find(key);
  if (node == nullptr) return std::nullopt;
  return string_of(context, *node, child(key));
}

std::optional<bool> Fields::optional_boolean(std::string_view key) {
  const Node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->is_scalar() && !node->quoted ? parse_bool(node->text) : std::nullopt;
  if (!value) context.error(node->at, child(key).text() + " must be true or false, it is " + shown(*node));
  return value;
}

std::optional<Located<int64_t>> Fields::integer(std::string_view key, int64_t low, int64_t high) {
  const Node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->is_scalar() && !node->quoted ? parse_integer(node->text) : std::nullopt;
  if (!value) {
    context.error(node->at, child(key).text() + " must be a whole number, it is " + shown(*node), number_hint(*node));
    return std::nullopt;
  }
  if (*value < low || *value > high) {
    context.error(node->at, child(key).text() + " is " + std::to_string(*value) + ", it must be " +
                                std::to_string(low) + " to " + std::to_string(high));
    return std::nullopt;
  }
  return Located<int64_t>{*value, node->at};
}

std::optional<Located<uint16_t>> Fields::port(std::string_view key) {
  const auto value = integer(key, 1, 65535);
  if (!value) return std::nullopt;
  return Located<uint16_t>{static_cast<uint16_t>(value->value), value->at};
}

std::optional<uint32_t> Fields::count(std::string_view key) {
  const auto value = integer(key, 0, std::numeric_limits<int32_t>::max());
  if (!value) return std::nullopt;
  return static_cast<uint32_t>(value->value);
}

std::optional<Located<double>> Fields::number(std::string_view key) {
  const Node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->is_scalar() && !node->quoted ? parse_number(node->text) : std::nullopt;
  if (value) return Located<double>{*value, node->at};
  context.error(node->at, child(key).text() + " must be a number, it is " + shown(*node), number_hint(*node));
  return std::nullopt;
}

std::optional<Located<Duration>> Fields::duration(std::string_view key) {
  const Node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->is_scalar() ? parse_duration(node->text) : std::nullopt;
  if (value) return Located<Duration>{*value, node->at};
  context.error(node->at, child(key).text() + " must be a duration, it is " + shown(*node),
                "write it with its unit: 5s, 100ms, 1h30m");
  return std::nullopt;
}

Labels Fields::labels(std::string_view key) {
  Labels labels;
  members(key, [&](const std::string& name, Position, const Node& value) {
    const Path path = child(key);
    if (const auto text = string_of(context, value, {&path, name})) labels[name] = *text;
  });
  return labels;
}

const std::vector<const Node*>& Fields::list(std::string_view key) {
  static const std::vector<const Node*> kNone;
  const Node* node = expect(key, Node::Type::kSequence);
  return node == nullptr ? kNone : node->items;
}

std::vector<Located<std::string>> Fields::texts(std::string_view key) {
  std::vector<Located<std::string>> texts;
  int index = 0;
  for (const Node* item : list(key)) {
    if (auto text = string_of(context, *item, child(key, index++))) texts.push_back({std::move(*text), item->at});
  }
  return texts;
}

std::vector<std::string> Fields::plain_texts(std::string_view key) {
  std::vector<std::string> plain;
  for (auto& item : texts(key)) plain.push_back(std::move(item.value));
  return plain;
}

void Fields::not_honoured(std::string_view key, const char* code, std::string_view why) {
  if (find(key) == nullptr) return;
  context.warn(at_key(key), code, child(key).text() + " is not honoured: " + std::string(why));
}

void Fields::ignore(std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) find(key);
}

void Fields::finish(Unknown unknown) {
  if (unknown == Unknown::kIgnore) return;
  for (size_t i = 0; i < used_.size(); ++i) {
    if (used_[i]) continue;
    const Node& key = *node_.items[2 * i];
    const std::vector<std::string> known(asked_.begin(), asked_.end());
    const std::string path = child(key.text).text();
    if (unknown == Unknown::kRefuse) {
      const std::string hint = unknown_hint(key.text, known);
      context.error(
          key.at,
          "unknown field " + quote(path) + " in a match: Weir does not ignore a condition that it cannot evaluate",
          hint == "check its spelling" ? "remove the field, or check its spelling" : hint, code::kUnknownMatch);
    } else {
      context.warn(key.at, code::kSchemaWarning, unknown_text(path), unknown_hint(key.text, known));
    }
  }
}

}  // namespace weir::config
