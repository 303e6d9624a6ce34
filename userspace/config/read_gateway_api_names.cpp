#include <algorithm>

#include "config/read_gateway_api.h"
#include "config/scalars.h"

namespace weir::config::gateway_api {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z');
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// "5s" and the like, up to four, each number of at most five digits: GEP-2257.
bool is_duration(std::string_view text) {
  int parts = 0;
  size_t i = 0;
  while (i < text.size()) {
    const size_t start = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    if (i == start || i - start > 5 || ++parts > 4) return false;
    if (text.substr(i).starts_with("ms")) {
      i += 2;
    } else if (i < text.size() && (text[i] == 'h' || text[i] == 'm' || text[i] == 's')) {
      ++i;
    } else {
      return false;
    }
  }
  return parts > 0;
}

Wrong check_group(std::string_view text) {
  return text.empty() ? std::nullopt : check_subdomain(text);
}

Wrong check_kind(std::string_view text) {
  const bool right =
      text.size() <= 63 && !text.empty() && is_letter(text.front()) && text.back() != '-' &&
      std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '-'; });
  return right ? std::nullopt : Wrong("is not the name of a kind");
}

Wrong check_namespace(std::string_view text) {
  return is_dns_label(text) ? std::nullopt : Wrong("is not a namespace");
}

std::string read_group(Fields& fields, const char* fallback) {
  if (!fields.present("group")) {
    if (fallback == nullptr) {
      fields.context.error(fields.at(), fields.child("group").text() + " is required", "\"\" is the core group");
    }
    return fallback == nullptr ? "" : fallback;
  }
  const auto group = fields.located("group");
  fields.context.check(group.at, fields.child("group").text() + " " + quote(group.value), check_group(group.value));
  return group.value;
}

std::string read_kind(Fields& fields, const char* fallback) {
  if (fallback == nullptr) require(fields, "kind");
  const auto kind = read_checked(fields, "kind", check_kind);
  return kind.value.empty() && fallback != nullptr ? fallback : kind.value;
}

/// parentRefs to one parent: one that names neither section nor port stands alone, the others differ.
void check_parents(Fields& fields, const std::vector<ParentReference>& parents) {
  for (size_t i = 0; i < parents.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const ParentReference& a = parents[i];
      const ParentReference& b = parents[j];
      if (a.group != b.group || a.kind != b.kind || a.name.value != b.name.value || a.namespace_ != b.namespace_) {
        continue;
      }
      const bool same_form =
          a.section_name.value.empty() == b.section_name.value.empty() && a.port.has_value() == b.port.has_value();
      const uint16_t port_a = a.port ? a.port->value : 0;
      const uint16_t port_b = b.port ? b.port->value : 0;
      if (same_form && (a.section_name.value != b.section_name.value || port_a != port_b)) continue;
      fields.context.error(a.at, same_form ? "sectionName or port must be unique when parentRefs includes 2 or more "
                                             "references to the same parent"
                                           : "sectionName or port must be specified when parentRefs includes 2 or "
                                             "more references to the same parent");
      return;
    }
  }
}

}  // namespace

Wrong check_subdomain(std::string_view text) {
  if (text.size() > 253) return "is longer than 253 characters";
  bool inside = false;  // of a label; it may begin and end with a letter or digit only
  char last = '.';
  for (const char c : text) {
    if (is_lower(c)) {
      inside = true;
    } else if ((c != '-' && c != '.') || !inside || (c == '.' && last == '-')) {
      last = '.';
      break;
    } else if (c == '.') {
      inside = false;
    }
    last = c;
  }
  if (is_lower(last)) return std::nullopt;
  return "must be lower-case letters, digits, \"-\" and \".\", and begin and end with a letter or digit";
}

Wrong check_hostname(std::string_view text) {
  if (text.size() > 253) return "is longer than 253 characters";
  if (!check_subdomain(text.starts_with("*.") ? text.substr(2) : text)) return std::nullopt;
  return "is not a host name in lower case, with or without \"*.\" in front";
}

bool is_path_text(std::string_view text) {
  constexpr std::string_view kMarks = "-/._~!$&'()*+,;=:@";
  const auto is_hex = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); };
  for (size_t i = 0; i < text.size(); ++i) {
    if (is_letter(text[i]) || is_digit(text[i]) || kMarks.find(text[i]) != std::string_view::npos) continue;
    if (text[i] != '%' || i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
    i += 2;
  }
  return !text.empty();
}

bool require(Fields& fields, std::string_view key) {
  if (!fields.missing(key)) return true;
  const Node* node = fields.find(key);
  fields.context.error(node == nullptr ? fields.at() : node->at, fields.child(key).text() + " is required");
  return false;
}

void report_twice(Context& context, Position at, std::string_view what, std::string_view text) {
  context.error(at, std::string(what) + " " + quote(text) + " is given twice", "remove or rename one of the two");
}

void check_size(Fields& fields, std::string_view key, size_t least, size_t most) {
  const Node* node = fields.find(key);
  if (node != nullptr && !node->is_sequence()) return;  // said where it is read
  const size_t size = node == nullptr ? 0 : node->items.size();
  const std::string what = fields.child(key).text();
  if (size < least) {
    fields.context.error(fields.at_key(key), node == nullptr ? what + " is required" : what + " must not be empty");
  } else if (size > most) {
    fields.context.error(fields.at_key(key), what + " has " + std::to_string(size) + " items, at most " +
                                                 std::to_string(most) + " are allowed");
  }
}

Located<std::string> read_text(Fields& fields, std::string_view key, size_t most) {
  auto text = fields.located(key);
  if (text.at.line == 0 && text.value.empty()) return text;
  const Node* node = fields.find(key);
  if (node == nullptr || !node->is_scalar()) return text;
  const std::string what = fields.child(key).text();
  if (text.value.empty()) fields.context.error(text.at, what + " must not be empty");
  if (text.value.size() > most) {
    fields.context.error(text.at, what + " is longer than " + std::to_string(most) + " characters");
  }
  return text;
}

Located<std::string> read_checked(Fields& fields, std::string_view key, Wrong (*check)(std::string_view)) {
  auto text = fields.located(key);
  const Node* node = fields.find(key);
  if (node == nullptr || !node->is_scalar()) return text;
  if (text.value.empty()) {
    fields.context.error(text.at, fields.child(key).text() + " must not be empty");
  } else {
    fields.context.check(text.at, fields.child(key).text() + " " + quote(text.value), check(text.value));
  }
  return text;
}

std::vector<Located<std::string>> read_set(Fields& fields, std::string_view key, size_t most) {
  check_size(fields, key, 0, most);
  auto texts = fields.texts(key);
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto same = [&](const auto& other) { return other.value == texts[i].value; };
    if (std::any_of(texts.begin(), texts.begin() + static_cast<std::ptrdiff_t>(i), same)) {
      report_twice(fields.context, texts[i].at, fields.child(key).text(), texts[i].value);
    }
  }
  return texts;
}

std::optional<Located<Duration>> read_duration(Fields& fields, std::string_view key) {
  const Node* node = fields.find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->is_scalar() && is_duration(node->text) ? parse_duration(node->text) : std::nullopt;
  if (value) return Located<Duration>{*value, node->at};
  fields.context.error(node->at,
                       fields.child(key).text() + " must be a duration, it is " +
                           (node->is_scalar() ? quote(node->text) : std::string(node->describe())),
                       "whole numbers with their units h, m, s, ms: 5s, 100ms, 1h30m");
  return std::nullopt;
}

ObjectReference read_reference(Fields& fields, const char* group, const char* kind) {
  ObjectReference reference;
  reference.at = fields.at();
  reference.group = read_group(fields, group);
  reference.kind = read_kind(fields, kind);
  if (require(fields, "name")) reference.name = read_text(fields, "name");
  reference.namespace_ = read_checked(fields, "namespace", check_namespace).value;
  return reference;
}

ObjectReference read_grant_side(Fields& fields) {
  ObjectReference side;
  side.at = fields.at();
  side.group = read_group(fields, nullptr);
  side.kind = read_kind(fields, nullptr);
  side.namespace_ = read_checked(fields, "namespace", check_namespace).value;
  return side;
}

ParentReference read_parent(Fields& fields) {
  ParentReference parent;
  auto reference = read_reference(fields, kGroup, "Gateway");
  parent.at = reference.at;
  parent.group = std::move(reference.group);
  parent.kind = std::move(reference.kind);
  parent.name = std::move(reference.name);
  parent.namespace_ = std::move(reference.namespace_);
  parent.section_name = read_checked(fields, "sectionName", check_subdomain);
  parent.port = fields.port("port");
  return parent;
}

std::vector<ParentReference> read_parents(Fields& fields) {
  std::vector<ParentReference> parents;
  check_size(fields, "parentRefs", 0, 32);
  fields.each("parentRefs", [&](Fields& item) { parents.push_back(read_parent(item)); });
  check_parents(fields, parents);
  return parents;
}

BackendReference read_backend(Fields& fields) {
  BackendReference backend;
  auto reference = read_reference(fields, "", "Service");
  backend.at = reference.at;
  backend.group = std::move(reference.group);
  backend.kind = std::move(reference.kind);
  backend.name = std::move(reference.name);
  backend.namespace_ = std::move(reference.namespace_);
  backend.port = fields.port("port");
  if (backend.is_service() && !fields.present("port")) {
    fields.context.error(fields.at(),
                         fields.child("port").text() + " is required: must have port for Service reference");
  }
  if (const auto weight = fields.integer("weight", 0, 1'000'000)) {
    backend.weight = {static_cast<uint32_t>(weight->value), weight->at};
  }
  return backend;
}

std::vector<Located<std::string>> read_hostnames(Fields& fields, size_t most) {
  check_size(fields, "hostnames", 0, most);
  auto names = fields.texts("hostnames");
  for (const auto& name : names) {
    fields.context.check(name.at, "hostname " + quote(name.value), check_hostname(name.value));
  }
  return names;
}

std::string read_scope(Fields& fields, std::string_view key) {
  const auto scope = fields.choice<std::string>(key, {{"All", "All"}, {"None", "None"}});
  return scope ? scope->value : "";
}

}  // namespace weir::config::gateway_api
