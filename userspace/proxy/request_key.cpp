#include "proxy/request_key.h"

#include <algorithm>

#include "base/hash.h"

namespace weir::proxy {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return result;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Calls `visit` with name and value of each part, until it returns true.
template <class Visit>
void for_each_pair(std::string_view text, char separator, Visit&& visit) {
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t equals = part.find('=');
    const std::string_view value = equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
    if (visit(part.substr(0, equals), value)) return;
  }
}

/// All values of a header, so that a second one makes another key.
std::optional<uint64_t> hash_header(const http::HeaderList& headers, std::string_view name) {
  std::optional<uint64_t> hash;
  for (const http::Header& header : headers) {
    if (header.name == name) hash = hash ? hash64(header.value, *hash) : hash64(header.value);
  }
  return hash;
}

std::optional<uint64_t> hash_value(std::optional<std::string_view> value) {
  return value ? std::optional(hash64(*value)) : std::nullopt;
}

}  // namespace

KeySource sticky_key(std::string_view annotation) {
  using Kind = KeySource::Kind;
  if (annotation == "source-ip") return {Kind::kClientAddress, {}};
  const size_t colon = annotation.find(':');
  if (colon == std::string_view::npos) return {};
  const std::string_view kind = annotation.substr(0, colon), name = annotation.substr(colon + 1);
  if (name.empty()) return {};
  if (kind == "header") return {Kind::kHeader, lower(name)};
  if (kind == "cookie") return {Kind::kCookie, std::string(name)};
  if (kind == "query") return {Kind::kQuery, std::string(name)};
  return {};
}

KeySource hash_key(const config::LoadBalancer::ConsistentHash& written) {
  using Kind = KeySource::Kind;
  if (!written.http_header_name.empty()) return {Kind::kHeader, lower(written.http_header_name)};
  if (written.http_cookie) return {Kind::kCookie, written.http_cookie->name};
  if (written.use_source_ip) return {Kind::kClientAddress, {}};
  if (!written.http_query_parameter_name.empty()) return {Kind::kQuery, written.http_query_parameter_name};
  return {};
}

std::optional<std::string_view> find_cookie(const http::HeaderList& headers, std::string_view name) {
  std::optional<std::string_view> found;
  for (const http::Header& header : headers) {
    if (header.id != http::HeaderId::kCookie) continue;
    for_each_pair(header.value, ';', [&](std::string_view key, std::string_view value) {
      if (trim(key) != name) return false;
      value = trim(value);
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
      found = value;
      return true;
    });
    if (found) return found;
  }
  return found;
}

std::optional<std::string_view> find_query_parameter(std::string_view query, std::string_view name) {
  std::optional<std::string_view> found;
  for_each_pair(query, '&', [&](std::string_view key, std::string_view value) {
    if (key != name) return false;
    found = value;
    return true;
  });
  return found;
}

std::optional<uint64_t> key_of(const KeySource& source, const http::RequestHead& request, std::string_view client) {
  switch (source.kind) {
    case KeySource::Kind::kNone:
      return std::nullopt;
    case KeySource::Kind::kClientAddress:
      return hash64(client);
    case KeySource::Kind::kHeader:
      return source.name == "host" ? hash64(request.authority) : hash_header(request.headers, source.name);
    case KeySource::Kind::kCookie:
      return hash_value(find_cookie(request.headers, source.name));
    case KeySource::Kind::kQuery:
      return hash_value(find_query_parameter(request.query, source.name));
  }
  return std::nullopt;
}

}  // namespace weir::proxy
