// AuthorizationPolicy and RequestAuthentication as Istio's admission has them. Weir enforces neither, and says so; a
// policy that Istio would not take must not pass for one that merely waits.

#include <algorithm>

#include "config/other_kinds.h"
#include "config/scalars.h"

namespace weir::config {
namespace {

constexpr auto kIgnore = Fields::Unknown::kIgnore;

bool is_address_or_subnet(std::string_view text) {
  return Cidr::parse(text).has_value();
}

bool is_port(std::string_view text) {
  const auto number = parse_integer(text).value_or(0);
  return number > 0 && number <= 65535;
}

/// `{*}` stands for one part of a path, `{**}` for the rest.
Wrong check_path_template(std::string_view path) {
  const bool has_template = path.find("{*}") != path.npos || path.find("{**}") != path.npos;
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  bool rest = false;
  while (true) {
    const std::string_view part = path.substr(0, path.find('/'));
    if (part == "{*}" || part == "{**}") {
      if (rest) return "has something behind {**}";
      rest = part == "{**}";
    } else if (part.find_first_of("{}") != part.npos) {
      return "has braces that are neither {*} nor {**}";
    } else if (has_template && part.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                                      "-._~%!$&'()+,;:@=") != part.npos) {
      return "has characters that a path with {*} or {**} cannot have";
    } else if (has_template && part.empty()) {
      return "has an empty part beside {*} or {**}";
    }
    if (part.size() == path.size()) return std::nullopt;
    path.remove_prefix(part.size() + 1);
  }
}

/// A list of which no item is empty; what else its items must be says `right`.
size_t check_values(Fields& fields, std::string_view key, bool (*right)(std::string_view), const char* what) {
  const auto values = fields.texts(key);
  for (const auto& value : values) {
    if (value.value.empty()) {
      fields.context.error(value.at, fields.child(key).text() + " must not hold an empty value");
    } else if (right != nullptr && !right(value.value)) {
      fields.context.error(value.at, quote(value.value) + " is not " + what);
    }
  }
  return values.size();
}

/// `key` and `notKey`.
size_t check_both(Fields& fields, std::string key, bool (*right)(std::string_view) = nullptr, const char* what = "") {
  const size_t own = check_values(fields, key, right, what);
  key[0] = static_cast<char>(key[0] - 32);
  return own + check_values(fields, "not" + key, right, what);
}

void check_source(Fields& source, bool custom) {
  size_t refused = 0;  // of those that CUSTOM cannot have
  for (const char* key : {"principals", "requestPrincipals", "namespaces", "serviceAccounts"}) {
    refused += check_both(source, key);
  }
  size_t all = refused;
  all += check_both(source, "trustDomains");
  for (const char* key : {"ipBlocks", "remoteIpBlocks"}) {
    all += check_both(source, key, is_address_or_subnet, "an IP address or subnet");
  }
  if (all == 0) source.context.error(source.at(), source.path().text() + " must not be empty");
  if (custom && refused > 0) {
    source.context.error(source.at(), source.path().text() + ": action CUSTOM takes ipBlocks and remoteIpBlocks only");
  }
}

void check_operation(Fields& operation) {
  size_t all = check_both(operation, "ports", is_port, "a port");
  for (const char* key : {"methods", "hosts"}) all += check_both(operation, key);
  for (const std::string_view key : {"paths", "notPaths"}) {
    all += check_values(operation, key, nullptr, "");
    for (const auto& path : operation.texts(key)) {
      operation.context.check(path.at, "path " + quote(path.value), check_path_template(path.value));
    }
  }
  if (all == 0) operation.context.error(operation.at(), operation.path().text() + " must not be empty");
}

bool is_map_key(std::string_view key, std::string_view name) {
  return key.starts_with(name) && key.size() > name.size() + 2 && key[name.size()] == '[' && key.ends_with(']');
}

/// What a condition may ask for.
Wrong check_condition(std::string_view key, const std::vector<std::string>& values) {
  const auto all = [&](auto right) { return std::all_of(values.begin(), values.end(), right); };
  if (key == "source.ip" || key == "remote.ip" || key == "destination.ip") {
    return all(is_address_or_subnet) ? Wrong() : Wrong("has a value that is not an IP address or subnet");
  }
  if (key == "destination.port") return all(is_port) ? Wrong() : Wrong("has a value that is not a port");
  for (const std::string_view plain :
       {"source.namespace", "source.serviceAccount", "source.principal", "source.trustDomain", "connection.sni",
        "request.auth.principal", "request.auth.audiences", "request.auth.presenter"}) {
    if (key == plain) return std::nullopt;
  }
  if (is_map_key(key, "request.headers") || is_map_key(key, "request.auth.claims") || key.starts_with("experimental."))
    return std::nullopt;
  return "is not an attribute";
}

void check_when(Fields& when, bool custom) {
  const auto key = when.located("key");
  std::vector<std::string> values = when.plain_texts("values");
  for (auto& value : when.plain_texts("notValues")) values.push_back(std::move(value));
  if (key.value.empty()) return when.context.error(when.at(), when.child("key").text() + " must not be empty");
  if (values.empty()) {
    when.context.error(when.at(), when.path().text() + " needs values or notValues");
  } else {
    when.context.check(key.at, "key " + quote(key.value), check_condition(key.value, values));
  }
  if (custom && (key.value == "source.namespace" || key.value == "source.serviceAccount" ||
                 key.value == "source.principal" || key.value.starts_with("request.auth."))) {
    when.context.error(key.at, "action CUSTOM cannot have a condition on " + key.value);
  }
}

/// `item` of `from` or `to` holds one map that must be there.
template <class Check>
void check_part(Fields& item, std::string_view key, Check check) {
  if (item.find(key) == nullptr) item.context.error(item.at(), item.child(key).text() + " is required");
  item.map(key, check, kIgnore);
}

void check_rule(Fields& rule, bool custom) {
  rule.each(
      "from", [&](Fields& item) { check_part(item, "source", [&](Fields& source) { check_source(source, custom); }); },
      kIgnore);
  rule.each(
      "to", [&](Fields& item) { check_part(item, "operation", check_operation); }, kIgnore);
  rule.each(
      "when", [&](Fields& item) { check_when(item, custom); }, kIgnore);
}

void check_jwt_rule(Fields& rule) {
  if (rule.missing("issuer")) rule.context.error(rule.at(), rule.child("issuer").text() + " is required");
}

}  // namespace

void check_authorization_policy(Fields& spec) {
  check_target_refs(spec);
  const std::string action = spec.text("action");
  const bool custom = action == "CUSTOM";
  const bool none = is_absent_or_empty(spec, "rules");
  if (none && (custom || action == "DENY")) {
    spec.context.error(spec.at(), "action " + action + " without rules is never triggered",
                       "an empty rule takes all: rules: [{}]");
  }
  bool named = false;
  const bool provider = spec.map(
      "provider", [&](Fields& item) { named = !item.missing("name"); }, kIgnore);
  if (custom && !none && !named) spec.context.error(spec.at(), "action CUSTOM needs provider.name");
  if (provider && !custom) spec.context.error(spec.at_key("provider"), "a provider is for action CUSTOM only");
  spec.each(
      "rules", [&](Fields& rule) { check_rule(rule, custom); }, kIgnore);
}

void check_request_authentication(Fields& spec) {
  check_target_refs(spec);
  spec.each("jwtRules", check_jwt_rule, kIgnore);
}

}  // namespace weir::config
