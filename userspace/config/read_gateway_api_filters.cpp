#include <algorithm>
#include <set>

#include "config/read.h"
#include "config/read_gateway_api.h"

namespace weir::config::gateway_api {
namespace {

using Type = Filter::Type;

struct FilterField {
  Type type;
  std::string_view name;   // of `type`
  std::string_view field;  // that holds it
  bool grpc;               // GRPCRoute has it too
  bool once;               // cannot be repeated
};
constexpr FilterField kFilters[] = {
    {Type::kRequestHeaderModifier, "RequestHeaderModifier", "requestHeaderModifier", true, true},
    {Type::kResponseHeaderModifier, "ResponseHeaderModifier", "responseHeaderModifier", true, true},
    {Type::kRequestMirror, "RequestMirror", "requestMirror", true, false},
    {Type::kRequestRedirect, "RequestRedirect", "requestRedirect", false, true},
    {Type::kUrlRewrite, "URLRewrite", "urlRewrite", false, true},
    {Type::kExtensionRef, "ExtensionRef", "extensionRef", true, false},
    {Type::kCors, "CORS", "cors", false, true},
    {Type::kExternalAuth, "ExternalAuth", "externalAuth", false, false},
};

void read_header_pairs(Fields& fields, std::string_view key, std::vector<std::pair<std::string, std::string>>& into) {
  check_size(fields, key, 0, 16);
  fields.each(key, [&](Fields& item) {
    const std::string name = require(item, "name") ? read_header_name(item) : "";
    const auto value = require(item, "value") ? read_text(item, "value", 4096) : Located<std::string>{};
    check_header_text(item, value);
    for (const auto& other : into) {
      if (!name.empty() && other.first == name)
        report_twice(item.context, item.at_key("name"), item.child("name").text(), name);
    }
    into.emplace_back(name, value.value);
  });
}

HeaderOperations read_header_modifier(Fields& fields) {
  HeaderOperations operations;
  read_header_pairs(fields, "set", operations.set);
  read_header_pairs(fields, "add", operations.add);
  for (auto& name : read_set(fields, "remove", 16)) operations.remove.push_back(std::move(name.value));
  return operations;
}

PathModifier read_path_modifier(Fields& fields) {
  using Modifier = PathModifier::Type;
  PathModifier path;
  path.at = fields.at();
  require(fields, "type");
  const auto type = fields.choice<Modifier>(
      "type", {{"ReplaceFullPath", Modifier::kReplaceFullPath}, {"ReplacePrefixMatch", Modifier::kReplacePrefixMatch}});
  if (!type) {
    fields.ignore({"replaceFullPath", "replacePrefixMatch"});
    return path;
  }
  path.type = type->value;
  const bool full = path.type == Modifier::kReplaceFullPath;
  const std::string_view mine = full ? "replaceFullPath" : "replacePrefixMatch";
  const std::string_view other = full ? "replacePrefixMatch" : "replaceFullPath";
  if (fields.find(mine) == nullptr) {
    fields.context.error(fields.at(), std::string(mine) + " must be specified when type is set to " +
                                          quote(full ? "ReplaceFullPath" : "ReplacePrefixMatch"));
  }
  if (fields.find(other) != nullptr) {
    fields.context.error(fields.at_key(other), "type must be " +
                                                   quote(full ? "ReplacePrefixMatch" : "ReplaceFullPath") + " when " +
                                                   std::string(other) + " is set");
  }
  const auto value = fields.located(mine);
  if (value.value.size() > 1024)
    fields.context.error(value.at, fields.child(mine).text() + " is longer than 1024 characters");
  path.value = value.value;
  return path;
}

/// Of a redirect or rewrite.
void read_target(Fields& fields, std::string& hostname, std::optional<PathModifier>& path) {
  const auto host = read_checked(fields, "hostname", check_subdomain);
  hostname = host.value;
  fields.map("path", [&](Fields& inner) { path = read_path_modifier(inner); });
}

RequestRedirect read_request_redirect(Fields& fields) {
  RequestRedirect redirect;
  redirect.at = fields.at();
  const auto scheme = fields.choice<std::string>("scheme", {{"http", "http"}, {"https", "https"}});
  if (scheme) redirect.scheme = scheme->value;
  read_target(fields, redirect.hostname, redirect.path);
  if (const auto port = fields.port("port")) redirect.port = port->value;
  const auto code = fields.integer("statusCode", 0, 999);
  if (!code) return redirect;
  redirect.status_code = static_cast<uint16_t>(code->value);
  constexpr uint16_t kCodes[] = {301, 302, 303, 307, 308};
  if (std::find(std::begin(kCodes), std::end(kCodes), redirect.status_code) == std::end(kCodes)) {
    fields.context.error(code->at, fields.child("statusCode").text() + " has no choice " + std::to_string(code->value),
                         "choices are 301, 302, 303, 307, 308");
  }
  return redirect;
}

UrlRewrite read_url_rewrite(Fields& fields) {
  UrlRewrite rewrite;
  rewrite.at = fields.at();
  read_target(fields, rewrite.hostname, rewrite.path);
  return rewrite;
}

void read_body(Fields& fields, Filter& filter) {
  switch (filter.type) {
    case Type::kRequestHeaderModifier:
    case Type::kResponseHeaderModifier:
      filter.headers = read_header_modifier(fields);
      break;
    case Type::kRequestMirror:
      filter.mirror = read_mirror(fields);
      break;
    case Type::kRequestRedirect:
      filter.redirect = read_request_redirect(fields);
      break;
    case Type::kUrlRewrite:
      filter.rewrite = read_url_rewrite(fields);
      break;
    case Type::kCors:
      filter.cors = read_cors_filter(fields);
      break;
    case Type::kExtensionRef:
      filter.extension = read_reference(fields, nullptr, nullptr);
      break;
    case Type::kExternalAuth:
      filter.external_auth = read_external_auth(fields);
      break;
  }
}

const FilterField* type_of(Fields& fields, bool grpc) {
  require(fields, "type");
  const Node* node = fields.find("type");
  if (node == nullptr || !node->is_scalar() || node->text.empty()) return nullptr;
  std::string all;
  for (const FilterField& known : kFilters) {
    if (grpc && !known.grpc) continue;
    if (node->text == known.name) return &known;
    all += (all.empty() ? "" : ", ") + std::string(known.name);
  }
  fields.context.error(node->at, fields.child("type").text() + " has no choice " + quote(node->text),
                       "choices are " + all);
  return nullptr;
}

Filter read_filter(Fields& fields, bool grpc) {
  Filter filter;
  filter.at = fields.at();
  const FilterField* type = type_of(fields, grpc);
  for (const FilterField& known : kFilters) {
    if (fields.find(known.field) == nullptr || type == nullptr || &known == type) continue;
    fields.context.error(
        fields.at_key(known.field),
        fields.child(known.field).text() + " must not be there: the filter's type is " + std::string(type->name));
  }
  if (type == nullptr) return filter;
  filter.type = type->type;
  if (!fields.map(type->field, [&](Fields& inner) { read_body(inner, filter); }) &&
      fields.find(type->field) == nullptr) {
    fields.context.error(fields.at(), fields.child(type->field).text() + " must be specified for a filter of type " +
                                          std::string(type->name));
  }
  return filter;
}

void check_together(Fields& fields, const std::vector<Filter>& filters) {
  for (const FilterField& known : kFilters) {
    const auto is_it = [&](const Filter& filter) { return filter.type == known.type; };
    if (!known.once || std::count_if(filters.begin(), filters.end(), is_it) < 2) continue;
    fields.context.error(fields.at_key("filters"), std::string(known.name) + " filter cannot be repeated");
  }
  const auto has = [&](const auto member) {
    return std::any_of(filters.begin(), filters.end(),
                       [&](const Filter& filter) { return (filter.*member).has_value(); });
  };
  if (has(&Filter::redirect) && has(&Filter::rewrite)) {
    fields.context.error(fields.at_key("filters"),
                         "may specify either a RequestRedirect or a URLRewrite filter, but not both");
  }
}

}  // namespace

std::vector<Filter> read_filters(Fields& fields, bool grpc) {
  std::vector<Filter> filters;
  check_size(fields, "filters", 0, 16);
  bool whole = true;
  fields.each("filters", [&](Fields& item) {
    filters.push_back(read_filter(item, grpc));
    whole = whole && item.find("type") != nullptr;
  });
  if (whole) check_together(fields, filters);
  return filters;
}

RequestMirror read_mirror(Fields& fields) {
  RequestMirror mirror;
  mirror.at = fields.at();
  require(fields, "backendRef");
  fields.map("backendRef", [&](Fields& inner) { mirror.backend = read_backend(inner); });
  if (const auto percent = fields.integer("percent", 0, 100)) {
    mirror.numerator = static_cast<uint32_t>(percent->value);
  }
  fields.map("fraction", [&](Fields& fraction) {
    require(fraction, "numerator");
    const auto numerator = fraction.integer("numerator", 0, INT32_MAX);
    const auto denominator = fraction.integer("denominator", 1, INT32_MAX);
    if (numerator) mirror.numerator = static_cast<uint32_t>(numerator->value);
    if (denominator) mirror.denominator = static_cast<uint32_t>(denominator->value);
    if (numerator && mirror.numerator > mirror.denominator) {
      fraction.context.error(numerator->at, "numerator must be less than or equal to denominator");
    }
  });
  if (fields.find("percent") != nullptr && fields.find("fraction") != nullptr) {
    fields.context.error(fields.at(), "only one of percent or fraction may be specified in a RequestMirror filter");
  }
  return mirror;
}

}  // namespace weir::config::gateway_api
