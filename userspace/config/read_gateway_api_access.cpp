#include <algorithm>

#include "config/read.h"
#include "config/read_gateway_api.h"

// The filters that let requests in or not: CORS, ExternalAuth.

namespace weir::config::gateway_api {
namespace {

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Labels of letters, digits and "-", with dots between.
bool is_origin_host(std::string_view host) {
  const auto is_label = [](std::string_view label) {
    return !label.empty() && std::all_of(label.begin(), label.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    });
  };
  while (true) {
    const size_t dot = host.find('.');
    if (!is_label(host.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    host.remove_prefix(dot + 1);
  }
}

Wrong check_origin(std::string_view text) {
  if (text == "*") return std::nullopt;
  const std::string wrong = "is not an origin: \"*\", or http:// or https:// and a host, which may begin with \"*.\"";
  if (text.size() > 253) return "is longer than 253 characters";
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    std::string_view host = text.substr(scheme.size());
    const size_t colon = host.rfind(':');
    if (colon != std::string_view::npos) {
      if (!is_port(host.substr(colon + 1))) return wrong;
      host = host.substr(0, colon);
    }
    if (host == "*") return std::nullopt;
    if (host.starts_with("*.")) host.remove_prefix(2);
    return is_origin_host(host) ? std::nullopt : Wrong(wrong);
  }
  return wrong;
}

Wrong check_cors_method(std::string_view text) {
  for (const std::string_view known :
       {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "*"}) {
    if (text == known) return std::nullopt;
  }
  return "is not a method: GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE, PATCH or \"*\"";
}

Wrong check_cors_header(std::string_view text) {
  if (text.size() > 256) return "is longer than 256 characters";
  return text.starts_with(':') ? Wrong("is not a header name") : check_header_name(text);
}

std::vector<Located<std::string>> read_list(Fields& fields, std::string_view key, size_t most, bool alone,
                                            Wrong (*check)(std::string_view)) {
  auto items = read_set(fields, key, most);
  for (const auto& item : items) {
    fields.context.check(item.at, fields.child(key).text() + " " + quote(item.value), check(item.value));
    if (!alone || item.value != "*" || items.size() == 1) continue;
    fields.context.error(item.at, fields.child(key).text() + " cannot contain \"*\" alongside others");
  }
  return items;
}

std::vector<std::string> plain(std::vector<Located<std::string>> items) {
  std::vector<std::string> values;
  for (auto& item : items) values.push_back(std::move(item.value));
  return values;
}

}  // namespace

Cors read_cors_filter(Fields& fields) {
  Cors cors;
  cors.at = fields.at();
  cors.allow_origins = read_list(fields, "allowOrigins", 64, true, check_origin);
  cors.allow_methods = plain(read_list(fields, "allowMethods", 9, true, check_cors_method));
  cors.allow_headers = plain(read_list(fields, "allowHeaders", 64, true, check_cors_header));
  cors.expose_headers = plain(read_list(fields, "exposeHeaders", 64, false, check_cors_header));
  cors.allow_credentials = fields.boolean("allowCredentials");
  if (const auto age = fields.integer("maxAge", 1, INT32_MAX)) cors.max_age_seconds = static_cast<uint32_t>(age->value);
  return cors;
}

ExternalAuth read_external_auth(Fields& fields) {
  using Protocol = ExternalAuth::Protocol;
  ExternalAuth auth;
  auth.at = fields.at();
  require(fields, "protocol");
  const auto protocol = fields.choice<Protocol>("protocol", {{"HTTP", Protocol::kHttp}, {"GRPC", Protocol::kGrpc}});
  if (protocol) auth.protocol = protocol->value;
  require(fields, "backendRef");
  fields.map("backendRef", [&](Fields& inner) { auth.backend = read_backend(inner); });
  const bool has_http = fields.map("http", [&](Fields& http) {
    const auto path = http.located("path");
    if (!path.value.empty() && (path.value.size() > 1024 || !is_path_text(path.value))) {
      http.context.error(path.at, http.child("path").text() + " " + quote(path.value) + " is not a path");
    }
    auth.http_path = path.value;
    auth.allowed_headers = plain(read_set(http, "allowedHeaders", 64));
    auth.allowed_response_headers = plain(read_set(http, "allowedResponseHeaders", 64));
  });
  const bool has_grpc =
      fields.map("grpc", [&](Fields& grpc) { auth.allowed_headers = plain(read_set(grpc, "allowedHeaders", 64)); });
  fields.map("forwardBody", [&](Fields& body) { auth.forward_body_max_size = body.count("maxSize").value_or(0); });
  if (!protocol) return auth;
  const bool grpc = auth.protocol == Protocol::kGrpc;
  const std::string mine = grpc ? "grpc" : "http";
  if (grpc ? !has_grpc : !has_http) {
    fields.context.error(fields.at(), mine + " must be specified when protocol is set to \"" + to_upper(mine) + "\"");
  }
  if (grpc ? has_http : has_grpc) {
    const std::string other = grpc ? "http" : "grpc";
    fields.context.error(fields.at_key(other),
                         "protocol must be \"" + to_upper(other) + "\" when " + other + " is set");
  }
  return auth;
}

}  // namespace weir::config::gateway_api
