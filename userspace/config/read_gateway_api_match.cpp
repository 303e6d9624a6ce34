#include <algorithm>

#include "config/read.h"
#include "config/read_gateway_api.h"

namespace weir::config::gateway_api {
namespace {

/// What the CRD's pattern allows: visible ASCII, with single spaces or tabs inside.
bool is_header_text(std::string_view text) {
  bool blank = true;
  for (const char c : text) {
    const bool is_blank = c == ' ' || c == '\t';
    if ((!is_blank && (c < '!' || c > '~')) || (is_blank && blank)) return false;
    blank = is_blank;
  }
  return !blank;
}

void check_path(Context& context, const PathMatch& path) {
  const std::string& value = path.value;
  const std::string subject = "path " + quote(value);
  if (value.size() > 1024) {
    context.error(path.at, subject + " is longer than 1024 characters");
    return;
  }
  if (path.type == PathMatch::Type::kRegularExpression) {
    context.check(path.at, subject, check_regex(value));
    return;
  }
  if (!value.starts_with('/')) {
    context.error(path.at, subject + " must be an absolute path and start with \"/\"", "\"/" + value + "\"");
    return;
  }
  for (const std::string_view wrong : {"//", "/./", "/../", "%2f", "%2F", "#"}) {
    if (value.find(wrong) == std::string::npos) continue;
    context.error(path.at, subject + " must not contain \"" + std::string(wrong) + "\"");
    return;
  }
  for (const std::string_view wrong : {"/..", "/."}) {
    if (!value.ends_with(wrong)) continue;
    context.error(path.at, subject + " must not end with \"" + std::string(wrong) + "\"");
    return;
  }
  if (!is_path_text(value)) {
    context.error(path.at, subject + " holds a character that a path cannot have", "write it as %XX");
  }
}

PathMatch read_path(Fields& fields) {
  using Type = PathMatch::Type;
  PathMatch path;
  path.at = fields.at();
  const auto type = fields.choice<Type>(
      "type",
      {{"Exact", Type::kExact}, {"PathPrefix", Type::kPathPrefix}, {"RegularExpression", Type::kRegularExpression}});
  if (type) path.type = type->value;
  if (const Node* node = fields.find("value")) {
    path.at = node->at;
    const auto text = string_of(fields.context, *node, fields.child("value"));
    if (!text) return path;
    path.value = *text;
  }
  if (fields.find("type") == nullptr || type) check_path(fields.context, path);
  return path;
}

void read_method(Fields& fields, HttpMatch& match) {
  const auto method = fields.choice<std::string>("method", {{"GET", "GET"},
                                                            {"HEAD", "HEAD"},
                                                            {"POST", "POST"},
                                                            {"PUT", "PUT"},
                                                            {"DELETE", "DELETE"},
                                                            {"CONNECT", "CONNECT"},
                                                            {"OPTIONS", "OPTIONS"},
                                                            {"TRACE", "TRACE"},
                                                            {"PATCH", "PATCH"}});
  if (method) match.method = *method;
}

ValueMatch read_value_match(Fields& fields, bool header_value, size_t longest) {
  using Type = ValueMatch::Type;
  ValueMatch match;
  match.at = fields.at();
  if (require(fields, "name")) match.name = read_header_name(fields);
  const auto type =
      fields.choice<Type>("type", {{"Exact", Type::kExact}, {"RegularExpression", Type::kRegularExpression}});
  if (type) match.type = type->value;
  if (!require(fields, "value")) return match;
  const auto value = read_text(fields, "value", longest);
  match.value = value.value;
  if (!value.value.empty()) match.at = value.at;
  if (match.type == Type::kRegularExpression) {
    fields.context.check(value.at, fields.child("value").text() + " " + quote(value.value), check_regex(value.value));
  } else if (header_value) {
    check_header_text(fields, value);
  }
  return match;
}

std::vector<ValueMatch> read_value_matches(Fields& fields, std::string_view key, bool header_value, size_t longest) {
  std::vector<ValueMatch> matches;
  check_size(fields, key, 0, 16);
  fields.each(
      key,
      [&](Fields& item) {
        ValueMatch match = read_value_match(item, header_value, longest);
        for (const ValueMatch& other : matches) {
          if (match.name.empty() || other.name != match.name) continue;
          report_twice(item.context, item.at_key("name"), item.child("name").text(), match.name);
        }
        matches.push_back(std::move(match));
      },
      Fields::Unknown::kRefuse);
  return matches;
}

HttpMatch read_http_match(Fields& fields) {
  HttpMatch match;
  match.at = fields.at();
  match.path.at = fields.at();
  fields.map(
      "path", [&](Fields& path) { match.path = read_path(path); }, Fields::Unknown::kRefuse);
  match.headers = read_value_matches(fields, "headers", true, 4096);
  match.query_params = read_value_matches(fields, "queryParams", false, 1024);
  read_method(fields, match);
  return match;
}

bool is_identifier(std::string_view text) {
  const auto is_first = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !text.empty() && is_first(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return is_first(c) || (c >= '0' && c <= '9'); });
}

bool is_grpc_service(std::string_view text) {
  if (text.starts_with('.')) text.remove_prefix(1);
  while (true) {
    const size_t dot = text.find('.');
    if (!is_identifier(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

void check_method_part(Fields& fields, std::string_view key, const Located<std::string>& part,
                       GrpcMatch::Method::Type type, bool (*is_right)(std::string_view)) {
  if (part.value.empty()) return;
  const std::string subject = std::string(key) + " " + quote(part.value);
  if (part.value.size() > 1024) {
    fields.context.error(part.at, subject + " is longer than 1024 characters");
  } else if (type == GrpcMatch::Method::Type::kRegularExpression) {
    fields.context.check(part.at, subject, check_regex(part.value));
  } else if (!is_right(part.value)) {
    fields.context.error(part.at, subject + " is not the name of a gRPC " + std::string(key));
  }
}

GrpcMatch::Method read_grpc_method(Fields& fields) {
  using Type = GrpcMatch::Method::Type;
  GrpcMatch::Method method;
  method.at = fields.at();
  const auto type =
      fields.choice<Type>("type", {{"Exact", Type::kExact}, {"RegularExpression", Type::kRegularExpression}});
  if (type) method.type = type->value;
  const auto service = fields.located("service");
  const auto name = fields.located("method");
  if (!fields.present("service") && !fields.present("method")) {
    fields.context.error(fields.at(), "one or both of service or method must be specified");
  }
  check_method_part(fields, "service", service, method.type, is_grpc_service);
  check_method_part(fields, "method", name, method.type, is_identifier);
  method.service = service.value;
  method.method = name.value;
  return method;
}

GrpcMatch read_grpc_match(Fields& fields) {
  GrpcMatch match;
  match.at = fields.at();
  fields.map(
      "method", [&](Fields& method) { match.method = read_grpc_method(method); }, Fields::Unknown::kRefuse);
  match.headers = read_value_matches(fields, "headers", false, 4096);
  return match;
}

}  // namespace

std::string read_header_name(Fields& fields) {
  const auto name = read_text(fields, "name", 256);
  const Wrong wrong = name.value.starts_with(':') ? Wrong("is not a header name") : check_header_name(name.value);
  if (!name.value.empty()) fields.context.check(name.at, "name " + quote(name.value), wrong);
  return name.value;
}

void check_header_text(Fields& fields, const Located<std::string>& value) {
  if (value.value.empty() || is_header_text(value.value)) return;
  fields.context.error(value.at, fields.child("value").text() + " " + quote(value.value) +
                                     " is not a header's value: visible ASCII, with single blanks inside");
}

std::vector<HttpMatch> read_http_matches(Fields& fields) {
  std::vector<HttpMatch> matches;
  check_size(fields, "matches", 0, 64);
  fields.each(
      "matches", [&](Fields& item) { matches.push_back(read_http_match(item)); }, Fields::Unknown::kRefuse);
  if (matches.empty()) {
    matches.emplace_back().at = fields.at();
    matches.back().path.at = fields.at();
  }
  return matches;
}

std::vector<GrpcMatch> read_grpc_matches(Fields& fields) {
  std::vector<GrpcMatch> matches;
  check_size(fields, "matches", 0, 64);
  fields.each(
      "matches", [&](Fields& item) { matches.push_back(read_grpc_match(item)); }, Fields::Unknown::kRefuse);
  return matches;
}

}  // namespace weir::config::gateway_api
