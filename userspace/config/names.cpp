#include "config/names.h"

#include <re2/re2.h>

#include <algorithm>
#include <vector>

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

/// The end of the "%COMMAND(...)%" that starts at `value[at]`, or npos. As Envoy takes it apart: anything may be a
/// name, and a backslash in the arguments hides what follows.
size_t end_of_command(std::string_view value, size_t at) {
  constexpr size_t kNone = std::string_view::npos;
  size_t i = value.find_first_of("%(", at + 1);
  if (i == kNone || value[i] == '%') return i;
  for (++i; i < value.size() && value[i] != ')'; ++i) {
    if (value[i] == '\\' && ++i == value.size()) return kNone;
  }
  if (i >= value.size()) return kNone;
  i = value.find_first_not_of(' ', i + 1);
  return i != kNone && value[i] == '%' ? i : kNone;
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
  if (host.size() > 255) return "is longer than 255 characters";
  const bool rooted = host.size() > 1 && host.ends_with('.');
  if (rooted) host.remove_suffix(1);
  if (!all_labels(host, is_host_label)) return "is not a host name";
  const std::string_view top = host.substr(host.rfind('.') + 1);
  const bool numeric = std::all_of(top.begin(), top.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (numeric && !rooted) return "is not a host name: its last part is a number";
  return std::nullopt;
}

Wrong check_wildcard_domain(std::string_view host) {
  if (host.empty()) return "must not be empty";
  if (host.size() > 255) return "is longer than 255 characters";
  const size_t dot = host.find('.');
  std::string_view first = host.substr(0, dot);
  if (host.find('*', 1) != std::string_view::npos) {
    return "may have a wildcard \"*\" only as its first character";
  }
  if (first != "*") {
    if (first.size() > 63) return "is not a host name";
    first.remove_prefix(first.starts_with("*-") ? 2 : first.starts_with('*') ? 1 : 0);
    if (!is_host_label(first)) return "is not a host name";
  }
  const bool ends = dot == std::string_view::npos || dot + 1 == host.size();
  return ends ? std::nullopt : check_fqdn(host.substr(dot + 1));
}

Wrong check_sni_domain(std::string_view host) {
  if (!host.starts_with("outbound_")) return check_wildcard_domain(host);
  std::vector<std::string_view> parts;  // "outbound", ".80", ".", ".reviews.default.svc"
  for (std::string_view rest = host;; rest.remove_prefix(parts.back().size() + 1)) {
    parts.push_back(rest.substr(0, rest.find('_')));
    if (parts.back().size() == rest.size()) break;
  }
  const auto has = [](std::string_view text, auto is) { return std::any_of(text.begin(), text.end(), is); };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_letter = [&](char c) { return is_alphanumeric(c) && !is_digit(c); };
  if (parts.size() >= 4 && has(parts[1], is_digit) && has(parts[3], is_letter)) return std::nullopt;
  return "does not follow outbound_.<PORT>_._.<HOSTNAME>";
}

Wrong check_gateway_name(std::string_view name) {
  if (name.empty()) return "must not be empty";
  const size_t slash = name.find('/');
  if (slash == std::string_view::npos) {
    return check_fqdn(name) ? Wrong("is not the name of a gateway") : std::nullopt;
  }
  if (!is_host_label(name.substr(0, slash))) return "must be \"name\" or \"namespace/name\"; the namespace is wrong";
  if (!is_host_label(name.substr(slash + 1))) return "must be \"name\" or \"namespace/name\"; the name is wrong";
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
    const auto byte = static_cast<unsigned char>(value[i]);
    if ((byte < 0x20 && byte != '\t') || byte == 0x7f) return "holds a line break or another control character";
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

Wrong check_unix_path(std::string_view path) {
  if (path.starts_with('@')) return std::nullopt;
  if (!path.starts_with('/')) return "must be an absolute path or an abstract socket (@name)";
  if (path.ends_with('/')) return "must not be a directory";
  return std::nullopt;
}

bool is_http_protocol(std::string_view protocol) {
  return protocol == "HTTP" || protocol == "HTTP2" || protocol == "HTTP_PROXY" || protocol == "HBONE" ||
         protocol.starts_with("GRPC");
}

bool is_tls_protocol(std::string_view protocol) {
  return protocol == "HTTPS" || protocol == "TLS";
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
