// The rules that Istio's CRDs write in CEL, by the names that scripts/istio_schema.py gives them. Each sees a value
// whose type is right.

#include <algorithm>
#include <array>
#include <utility>

#include "config/scalars.h"
#include "config/schema.h"

namespace weir::config::schema {
namespace {

using yaml::find;

bool has(const Node& map, std::string_view key) {
  return find(map, key) != nullptr;
}

std::string_view text(const Node& map, std::string_view key) {
  const Node* node = find(map, key);
  return node != nullptr && node->is_scalar() ? std::string_view(node->text) : std::string_view();
}

template <class Holds>
bool all_keys(const Node& map, Holds holds) {
  for (size_t i = 0; i + 1 < map.items.size(); i += 2) {
    if (!holds(map.items[i]->text)) return false;
  }
  return true;
}

template <class Holds>
bool all_of(std::string_view text, Holds holds) {
  return std::all_of(text.begin(), text.end(), holds);
}

bool is_lower(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_alphanumeric(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z');
}

Wrong wrong_unless(bool right, const char* message) {
  return right ? Wrong() : Wrong(message);
}

Wrong no_star_in_keys(const Node& node) {
  return wrong_unless(all_keys(node, [](std::string_view key) { return key.find('*') == key.npos; }),
                      "must not have a wildcard in a key");
}

Wrong no_empty_key(const Node& node) {
  return wrong_unless(all_keys(node, [](std::string_view key) { return !key.empty(); }), "must not have an empty key");
}

Wrong no_star(const Node& node) {
  return wrong_unless(node.text.find('*') == std::string::npos, "must not have a wildcard");
}

Wrong empty(const Node& node) {
  return wrong_unless(node.text.empty(), "must be empty: other namespaces cannot be referred to");
}

Wrong duration(const Node& node) {
  const auto value = parse_duration(node.text);
  return wrong_unless(value && *value >= std::chrono::milliseconds(1),
                      "must be a duration of at least 1ms, such as 5s");
}

/// The scheme of a URL; nothing: this is none.
std::optional<std::string_view> scheme_of(std::string_view url) {
  const size_t colon = url.find("://");
  if (colon == std::string_view::npos || colon + 3 >= url.size()) return std::nullopt;
  const std::string_view scheme = url.substr(0, colon);
  return all_of(scheme, is_alphanumeric) ? std::optional(scheme) : std::nullopt;
}

Wrong http_scheme(const Node& node) {
  return wrong_unless(node.text.empty() || node.text == "HTTP" || node.text == "HTTPS", "must be HTTP or HTTPS");
}

Wrong web_url(const Node& node) {
  const auto scheme = scheme_of(node.text);
  return wrong_unless(scheme && (scheme == "http" || scheme == "https"), "must be an http:// or https:// URL");
}

Wrong module_url(const Node& node) {
  const auto scheme = scheme_of(node.text);
  const bool right = !scheme || scheme == "http" || scheme == "https" || scheme == "file" || scheme == "oci";
  const bool clean = all_of(node.text, [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != '%'; });
  return wrong_unless(right && clean, "must be a URL of http, https, file or oci");
}

Wrong port(const Node& node) {
  const auto number = parse_integer(node.text).value_or(0);
  return wrong_unless(number > 0 && number <= 65535, "must be a port, 1 to 65535");
}

Wrong port_keys(const Node& node) {
  return wrong_unless(all_keys(node,
                               [](std::string_view key) {
                                 const auto number = parse_integer(key).value_or(0);
                                 return number > 0 && number <= 65535;
                               }),
                      "must have ports as its keys, 1 to 65535");
}

Wrong port_names(const Node& node) {
  return wrong_unless(all_keys(node, [](std::string_view key) { return is_host_label(key) && key.size() < 63; }),
                      "must have port names as its keys: letters, digits and \"-\", at most 62");
}

Wrong value_only_inline(const Node& node) {
  return wrong_unless(text(node, "valueFrom") != "HOST" || !has(node, "value"), "has a value, and valueFrom HOST");
}

Wrong upsert_needs_value(const Node& node) {
  return wrong_unless(text(node, "operation") != "UPSERT" || !text(node, "value").empty(),
                      "needs a value for operation UPSERT");
}

Wrong remove_has_no_value(const Node& node) {
  return wrong_unless(text(node, "operation") != "REMOVE" || !has(node, "value"),
                      "must not have a value for operation REMOVE");
}

Wrong waypoint_context(const Node& node) {
  return wrong_unless((text(node, "context") == "WAYPOINT") == has(node, "waypoint"),
                      "has waypoint where context is WAYPOINT, and nowhere else");
}

Wrong service_accounts_alone(const Node& node) {
  const bool accounts = has(node, "serviceAccounts") || has(node, "notServiceAccounts");
  const bool others =
      has(node, "principals") || has(node, "notPrincipals") || has(node, "namespaces") || has(node, "notNamespaces");
  return wrong_unless(!accounts || !others, "cannot have serviceAccounts with namespaces or principals");
}

Wrong ports_need_selector(const Node& node) {
  const Node* selector = find(node, "selector");
  const Node* labels = selector == nullptr ? nullptr : find(*selector, "matchLabels");
  return wrong_unless(!has(node, "portLevelMtls") || (labels != nullptr && !labels->items.empty()),
                      "has portLevelMtls, which needs a selector");
}

Wrong wasm_or_lua(const Node& node) {
  return wrong_unless(has(node, "wasm") != has(node, "lua"), "needs exactly one of wasm and lua");
}

Wrong group_name(const Node& node) {
  if (node.text.empty()) return std::nullopt;
  std::string_view rest = node.text;
  while (true) {
    const std::string_view label = rest.substr(0, rest.find('.'));
    if (label.empty() || !is_lower(label.front()) || !is_lower(label.back()) ||
        !all_of(label, [](char c) { return is_lower(c) || c == '-'; })) {
      return "must be the name of an API group";
    }
    if (label.size() == rest.size()) return std::nullopt;
    rest.remove_prefix(label.size() + 1);
  }
}

Wrong kind_name(const Node& node) {
  const bool right = is_host_label(node.text) && !(node.text.front() >= '0' && node.text.front() <= '9');
  return wrong_unless(right, "must be the name of a kind");
}

Wrong sha256(const Node& node) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return wrong_unless(node.text.empty() || (node.text.size() == 64 && all_of(node.text, is_hex)),
                      "must be 64 hexadecimal digits in lower case");
}

Wrong plain_header_name(const Node& node) {
  const auto is_part = [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; };
  return wrong_unless(!node.text.empty() && all_of(node.text, is_part), "must be a header name");
}

}  // namespace

Rule find_rule(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, Rule>, 22> kRules = {{
      {"no-star-in-keys", no_star_in_keys},
      {"no-empty-key", no_empty_key},
      {"no-star", no_star},
      {"empty", empty},
      {"duration", duration},
      {"http-scheme", http_scheme},
      {"web-url", web_url},
      {"module-url", module_url},
      {"port", port},
      {"port-keys", port_keys},
      {"port-names", port_names},
      {"value-only-inline", value_only_inline},
      {"upsert-needs-value", upsert_needs_value},
      {"remove-has-no-value", remove_has_no_value},
      {"waypoint-context", waypoint_context},
      {"service-accounts-alone", service_accounts_alone},
      {"ports-need-selector", ports_need_selector},
      {"wasm-or-lua", wasm_or_lua},
      {"group-name", group_name},
      {"kind-name", kind_name},
      {"sha256", sha256},
      {"plain-header-name", plain_header_name},
  }};
  for (const auto& [own, rule] : kRules) {
    if (own == name) return rule;
  }
  return nullptr;
}

}  // namespace weir::config::schema
