#include <algorithm>
#include <set>

#include "config/scalars.h"
#include "config/schema.h"

namespace weir::config::schema {
namespace {

std::string_view word_of(Type::Is is) {
  switch (is) {
    case Type::Is::kString:
      return "a string";
    case Type::Is::kBoolean:
      return "true or false";
    case Type::Is::kInteger:
      return "a whole number";
    case Type::Is::kNumber:
      return "a number";
    case Type::Is::kList:
      return "a list";
    case Type::Is::kMap:
    case Type::Is::kObject:
      return "a map";
  }
  return "?";
}

/// Strings stay what was written (`version: 1.10` is no number), so that any scalar is one. A quoted number is none.
bool is_of_type(const Node& node, Type::Is is) {
  switch (is) {
    case Type::Is::kString:
      return node.is_scalar();
    case Type::Is::kBoolean:
      return node.is_scalar() && !node.quoted && parse_bool(node.text);
    case Type::Is::kInteger:
      return node.is_scalar() && !node.quoted && parse_integer(node.text);
    case Type::Is::kNumber:
      return node.is_scalar() && !node.quoted && parse_number(node.text);
    case Type::Is::kList:
      return node.is_sequence();
    case Type::Is::kMap:
    case Type::Is::kObject:
      return node.is_map();
  }
  return false;
}

/// Characters, as OpenAPI counts.
size_t length_of(std::string_view text) {
  size_t length = 0;
  for (const char c : text) length += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return length;
}

class Checker {
 public:
  Checker(Context& context, bool unknown) : context_(context), unknown_(unknown) {}

  void value(const Node& node, const Type& type, const Path& path, Position key_at) {
    const Position at = node.is_null() ? key_at : node.at;
    if (node.is_null()) {
      if (!type.null) error(at, path.text() + " must be " + std::string(word_of(type.is)) + ", it is null");
      return;
    }
    if (!is_of_type(node, type.is)) return wrong_type(node, type, path);
    limits(node, type, path);
    for (const Rule rule : type.rules) {
      if (const Wrong wrong = rule(node)) error(at, path.text() + " " + *wrong);
    }
    if (type.is == Type::Is::kString && !type.choices.empty()) choice(node, type, path);
    if (type.is == Type::Is::kObject) object(node, type, path);
    if (type.is == Type::Is::kList) list(node, type, path);
    if (type.is == Type::Is::kMap) {
      for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
        value(*node.items[i + 1], *type.item, {&path, node.items[i]->text}, node.items[i]->at);
      }
    }
  }

 private:
  /// What the reader said of the line already is enough: it says it better.
  void error(Position at, std::string message, std::string hint = {}) {
    if (!context_.has_error(at)) context_.error(at, std::move(message), std::move(hint));
  }

  void wrong_type(const Node& node, const Type& type, const Path& path) {
    const bool quoted = node.is_scalar() && node.quoted && type.is != Type::Is::kList && type.is != Type::Is::kObject;
    const std::string is = node.is_scalar() && !node.quoted ? quote(node.text) : std::string(node.describe());
    error(node.at, path.text() + " must be " + std::string(word_of(type.is)) + ", it is " + is,
          quoted ? "write it without quotes" : "");
  }

  void limits(const Node& node, const Type& type, const Path& path) {
    if (!type.min && !type.max) return;
    double size = 0;
    const char* what = "items";
    if (type.is == Type::Is::kInteger || type.is == Type::Is::kNumber) {
      size = parse_number(node.text).value_or(0);
      what = "";
    } else if (type.is == Type::Is::kString) {
      size = static_cast<double>(length_of(node.text));
      what = "characters";
    } else {
      size = static_cast<double>(type.is == Type::Is::kList ? node.items.size() : node.items.size() / 2);
    }
    const auto shown = [](double number) { return std::to_string(static_cast<int64_t>(number)); };
    const std::string subject = *what == '\0' ? path.text() + " is " + quote(node.text) + ", it must be "
                                              : path.text() + " has " + shown(size) + " " + what + ", it must have ";
    if (type.min && size < *type.min) error(node.at, subject + shown(*type.min) + " or more");
    if (type.max && size > *type.max) error(node.at, subject + shown(*type.max) + " or less");
  }

  void choice(const Node& node, const Type& type, const Path& path) {
    std::vector<std::string> names;
    for (const std::string_view name : type.choices) {
      if (node.text == name) return;
      names.emplace_back(name);
    }
    error(node.at, path.text() + " has no choice " + quote(node.text), choices_hint(node.text, names));
  }

  void object(const Node& node, const Type& type, const Path& path) {
    for (const Field& field : type.fields) {
      if (field.required && find(node, field.name) == nullptr) {
        const Path missing{&path, field.name};
        error(node.at, missing.text() + " is required");
      }
    }
    for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
      const Node& key = *node.items[i];
      const Field* known = nullptr;
      for (const Field& field : type.fields) {
        if (same_field(key.text, field.name)) known = &field;
      }
      if (known != nullptr) {
        value(*node.items[i + 1], *known->type, {&path, known->name}, key.at);
      } else if (unknown_ && !type.open) {
        unknown_field(key, type, path);
      }
    }
    for (const auto& group : type.one) at_most_one(node, group, path);
  }

  /// The value of a field in either of its spellings; also null.
  static const Node* find(const Node& node, std::string_view name) {
    for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
      if (same_field(node.items[i]->text, name)) return node.items[i + 1];
    }
    return nullptr;
  }

  void unknown_field(const Node& key, const Type& type, const Path& path) {
    std::vector<std::string> names;
    for (const Field& field : type.fields) names.emplace_back(field.name);
    context_.warn(key.at, code::kSchemaWarning, unknown_text(Path{&path, key.text}.text()),
                  unknown_hint(key.text, names));
  }

  void at_most_one(const Node& node, const std::vector<std::string_view>& group, const Path& path) {
    std::string there;
    Position at;
    int count = 0;
    for (const std::string_view name : group) {
      for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
        if (!same_field(node.items[i]->text, name)) continue;
        there += (count++ == 0 ? "" : " and ") + std::string(name);
        at = std::max(at, node.items[i]->at);
      }
    }
    if (count > 1) error(at, path.text() + " cannot have both " + there, "keep one");
  }

  void list(const Node& node, const Type& type, const Path& path) {
    std::set<std::string> keys;
    int index = 0;
    for (const Node* item : node.items) {
      Path at = path;
      at.index = index++;
      value(*item, *type.item, at, item->at);
      if (type.key.empty() || !item->is_map()) continue;
      const Node* key = find(*item, type.key);
      if (key != nullptr && key->is_scalar() && !keys.insert(key->text).second) {
        error(key->at, Path{&at, type.key}.text() + " " + quote(key->text) + " is given twice");
      }
    }
  }

  Context& context_;
  bool unknown_;
};

}  // namespace

void check(Context& context, const Kind& kind, const Node* spec, Position at, bool unknown) {
  if (spec == nullptr) {
    if (kind.spec_required) context.error(at, "spec is required");
    return;
  }
  Checker(context, unknown).value(*spec, *kind.spec, {nullptr, "spec"}, at);
}

}  // namespace weir::config::schema
