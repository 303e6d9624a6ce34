#include "config/names.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/ip_address.h"

namespace weir::config {
namespace {

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

template <class Check>
bool all_labels(std::string_view host, Check check) {
  while (true) {
    const size_t dot = host.find('.');
    if (!check(host.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    host.remove_prefix(dot + 1);
  }
}

bool is_label_part(std::string_view text) {
  if (text.empty() || text.size() > 63 || !is_alphanumeric(text.front()) || !is_alphanumeric(text.back())) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

/// The end of the "%COMMAND(...)%" that starts at `value[at]`, or npos.
size_t end_of_command(std::string_view value, size_t at) {
  size_t i = at + 1;
  while (i < value.size() &&
         ((value[i] >= 'A' && value[i] <= 'Z') || (value[i] >= '0' && value[i] <= '9') || value[i] == '_'))
    ++i;
  if (i == at + 1) return std::string_view::npos;
  if (i < value.size() && value[i] == '(') {
    i = value.find(')', i);
    if (i == std::string_view::npos) return i;
    ++i;
  }
  if (i < value.size() && value[i] == ':') {  // ":10", a length
    ++i;
    while (i < value.size() && value[i] >= '0' && value[i] <= '9') ++i;
  }
  return i < value.size() && value[i] == '%' ? i : std::string_view::npos;
}

}  // namespace

bool is_host_label(std::string_view label) {
  if (label.empty() || label.size() > 63 || !is_alphanumeric(label.front()) || !is_alphanumeric(label.back()))
    return false;
  return std::all_of(label.begin(), label.end(), [](char c) { return is_alphanumeric(c) || c == '-'; });
}

bool is_dns_label(std::string_view text) {
  return is_host_label(text) && std::none_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_ip(std::string_view text) {
  return IpAddress::parse(text).has_value();
}

Wrong check_object_name(std::string_view name) {
  if (name.empty()) return "must not be empty";
  if (name.size() > 253) return "is longer than 253 characters";
  if (!all_labels(name, is_dns_label)) {
    return "must be lower-case letters, digits, \"-\" and \".\", and begin and end with a letter or digit";
  }
  return std::nullopt;
}

Wrong check_fqdn(std::string_view host) {
  if (host.empty()) return "must not be empty";
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.size() > 255) return "is longer than 255 characters";
  if (!all_labels(host, is_host_label)) return "is not a host name";
  const std::string_view top = host.substr(host.rfind('.') + 1);
  const bool numeric = std::all_of(top.begin(), top.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (numeric && host.find('.') != std::string_view::npos) return "is not a host name: its last part is a number";
  return std::nullopt;
}

Wrong check_wildcard_domain(std::string_view host) {
  if (host.empty()) return "must not be empty";
  if (host == "*") return std::nullopt;
  const size_t star = host.find('*');
  if (star == std::string_view::npos) return check_fqdn(host);
  if (star != 0 || host.find('*', 1) != std::string_view::npos) {
    return "may have a wildcard \"*\" only as its first character";
  }
  host.remove_prefix(1);
  if (host.starts_with('.') || host.starts_with('-')) host.remove_prefix(1);
  if (host.empty()) return "is not a host name";
  return check_fqdn(host);
}

Wrong check_gateway_name(std::string_view name) {
  if (name.empty()) return "must not be empty";
  const size_t slash = name.find('/');
  if (slash == std::string_view::npos) {
    return check_fqdn(name) ? Wrong("is not the name of a gateway") : std::nullopt;
  }
  const std::string_view space = name.substr(0, slash);
  const std::string_view rest = name.substr(slash + 1);
  if (space != "." && !is_dns_label(space))
    return "must be \"name\", \"namespace/name\" or \"./name\"; the namespace is wrong";
  if (rest.find('/') != std::string_view::npos || check_object_name(rest)) {
    return "must be \"name\", \"namespace/name\" or \"./name\"; the name is wrong";
  }
  return std::nullopt;
}

Wrong check_header_name(std::string_view name) {
  if (name.empty()) return "must not be empty";
  if (name.starts_with(':')) name.remove_prefix(1);
  constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";
  const bool token = std::all_of(name.begin(), name.end(), [&](char c) {
    return is_alphanumeric(c) || kTokenMarks.find(c) != std::string_view::npos;
  });
  if (name.empty() || !token) return "is not a header name";
  return std::nullopt;
}

Wrong check_header_value(std::string_view value) {
  for (size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\r' || value[i] == '\n' || value[i] == '\0') return "holds a line break or a zero byte";
    if (value[i] != '%') continue;
    if (i + 1 < value.size() && value[i + 1] == '%') {
      ++i;
      continue;
    }
    i = end_of_command(value, i);
    if (i == std::string_view::npos) return "holds a lone \"%\"; a literal one is written \"%%\"";
  }
  return std::nullopt;
}

Wrong check_regex(std::string_view pattern) {
  if (pattern.empty()) return "must not be empty";
  if (pattern.size() > 1024) return "is longer than 1024 characters";
  RE2::Options options;
  options.set_log_errors(false);
  const RE2 compiled(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!compiled.ok()) return "is not a regular expression (RE2): " + compiled.error();
  return std::nullopt;
}

Wrong check_label(std::string_view key, std::string_view value) {
  const size_t slash = key.find('/');
  const std::string_view name = slash == std::string_view::npos ? key : key.substr(slash + 1);
  if (slash != std::string_view::npos && check_object_name(to_lower(key.substr(0, slash))))
    return "has a key with a bad prefix";
  if (!is_label_part(name)) return "has a bad key";
  if (!value.empty() && !is_label_part(value)) return "has a bad value " + quote(value);
  return std::nullopt;
}

bool host_covers(std::string_view outer, std::string_view inner) {
  if (outer == "*") return true;
  const std::string wide = to_lower(outer);
  const std::string narrow = to_lower(inner);
  if (!wide.starts_with('*')) return wide == narrow;
  const std::string_view suffix = std::string_view(wide).substr(1);
  const std::string_view host = narrow.starts_with('*') ? std::string_view(narrow).substr(1) : std::string_view(narrow);
  if (narrow.starts_with('*')) return host.ends_with(suffix);
  return host.size() > suffix.size() && host.ends_with(suffix);
}

bool hosts_overlap(std::string_view a, std::string_view b) {
  return host_covers(a, b) || host_covers(b, a);
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return lower;
}

std::string to_upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return upper;
}

std::string quote(std::string_view text) {
  constexpr size_t kLongest = 100;
  if (text.size() <= kLongest) return "\"" + std::string(text) + "\"";
  size_t length = kLongest;
  while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) --length;  // no half character
  return "\"" + std::string(text.substr(0, length)) + "...\"";
}

}  // namespace weir::config
