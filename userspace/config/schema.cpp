#include "config/schema.h"

#include <charconv>
#include <unordered_map>

namespace weir::config::schema {
namespace {

constexpr std::string_view kData =
#include "config/istio_schema.inc"
    ;

std::vector<std::string_view> split(std::string_view text, char mark) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(mark);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Type::Is type_of(std::string_view word) {
  if (word == "boolean") return Type::Is::kBoolean;
  if (word == "integer") return Type::Is::kInteger;
  if (word == "number") return Type::Is::kNumber;
  if (word == "list") return Type::Is::kList;
  if (word == "map") return Type::Is::kMap;
  return word == "object" ? Type::Is::kObject : Type::Is::kString;
}

/// The data, taken apart once.
class Data {
 public:
  Data() {
    Type* last = nullptr;
    for (const std::string_view line : split(kData, '\n')) {
      if (line.empty() || line.front() == '#') continue;
      if (line.starts_with("kind ")) {
        add_kind(split(line, ' '));
      } else if (line.starts_with("mesh ")) {
        mesh = split(line.substr(5), ',');
      } else if (line.front() == ' ') {
        add_field(*last, line.substr(2));
      } else {
        last = add_type(split(line, ' '));
      }
    }
  }
  std::vector<Kind> kinds;
  std::vector<std::string_view> mesh;

 private:
  Type* add_type(const std::vector<std::string_view>& words) {
    Type& type = types_.emplace_back();
    by_name_[words[0]] = &type;
    type.is = type_of(words[1]);
    for (size_t i = 2; i < words.size(); ++i) add_word(type, words[i]);
    return &type;
  }

  void add_word(Type& type, std::string_view word) {
    const size_t equal = word.find('=');
    const std::string_view value = equal == std::string_view::npos ? "" : word.substr(equal + 1);
    if (word.starts_with("min="))
      type.min = number(value);
    else if (word.starts_with("max="))
      type.max = number(value);
    else if (word.starts_with("keys="))
      type.key = value;
    else if (word.starts_with("one="))
      type.one.push_back(split(value, ','));
    else if (word.starts_with("enum="))
      type.choices = split(value, ',');
    else if (word.starts_with("rule="))
      type.rules.push_back(find_rule(value));
    else if (word == "null")
      type.null = true;
    else if (word == "open")
      type.open = true;
    else
      type.item = by_name_.at(word);
  }

  void add_field(Type& type, std::string_view line) {
    const size_t space = line.find(' ');
    const bool required = line[space - 1] == '!';
    type.fields.push_back(
        {line.substr(0, required ? space - 1 : space), by_name_.at(line.substr(space + 1)), required});
  }

  void add_kind(const std::vector<std::string_view>& words) {
    kinds.push_back({words[1], words[2], split(words[3], ','), by_name_.at(words[4]), words.size() > 5});
  }

  std::deque<Type> types_;  // keeps addresses
  std::unordered_map<std::string_view, const Type*> by_name_;
};

const Data& data() {
  static const Data kAll;
  return kAll;
}

}  // namespace

const std::vector<Kind>& kinds() {
  return data().kinds;
}

const std::vector<std::string_view>& mesh_fields() {
  return data().mesh;
}

const Kind* find_kind(std::string_view api_version, std::string_view name) {
  const size_t slash = api_version.find('/');
  if (slash == std::string_view::npos) return nullptr;
  for (const Kind& kind : kinds()) {
    if (kind.name != name || kind.group != api_version.substr(0, slash)) continue;
    for (const std::string_view version : kind.versions) {
      if (version == api_version.substr(slash + 1)) return &kind;
    }
  }
  return nullptr;
}

}  // namespace weir::config::schema
