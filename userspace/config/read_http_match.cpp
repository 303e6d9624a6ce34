#include "config/read.h"

namespace weir::config {
namespace {

/// Istio accepts it, and then drops the delegate's rule where root and delegate both match this part and one is a regex
/// (istio-facts 38).
void warn_of_regex(Context& context, const std::optional<StringMatch>& match, std::string_view what) {
  if (!match || match->type != StringMatch::Type::kRegex) return;
  context.warn(
      match->at, code::kSchemaWarning,
      std::string(what) + " regex in a delegation: the rule is dropped where root and delegate both match this part");
}

using Matches = std::map<std::string, StringMatch>;

/// headers, withoutHeaders (names in lower case), queryParams.
Matches read_matches(Fields& fields, std::string_view key, bool headers, bool delegation, bool star = false) {
  Matches matches;
  const Path path = fields.child(key);
  fields.members(key, [&](const std::string& name, Position at, const Node& node) {
    if (headers && name.starts_with("@request.auth.claims")) {
      fields.context.error(
          at, "match on JWT claim " + quote(name) + ": Weir does not verify tokens, so it cannot evaluate this",
          "match on a header that the application or an authenticating proxy sets", code::kJwtClaimMatch);
      return;
    }
    if (headers) fields.context.check(at, "header " + quote(name), check_header_name(name));
    auto match = read_string_match(fields.context, node, {&path, name}, {.star_is_presence = star});
    if (!match) return;
    if (match->type == StringMatch::Type::kPresent) match->at = node.at;
    if (delegation) warn_of_regex(fields.context, match, headers ? "header" : "query parameter");
    const std::string field = headers ? to_lower(name) : name;
    if (!matches.emplace(field, std::move(*match)).second) {
      fields.context.error(at, "header " + quote(name) + " is matched twice: header names have no case");
    }
  });
  return matches;
}

std::optional<StringMatch> read_one(Fields& fields, std::string_view key, bool delegation,
                                    StringMatchRules rules = {}) {
  const Node* node = fields.find(key);
  if (node == nullptr) return std::nullopt;
  auto match = read_string_match(fields.context, *node, fields.child(key), rules);
  if (delegation) warn_of_regex(fields.context, match, key);
  return match;
}

void warn_of_method(Context& context, const std::optional<StringMatch>& method) {
  if (!method || method->type != StringMatch::Type::kExact) return;
  for (const std::string_view known :
       {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE"}) {
    if (method->value == known) return;
  }
  const std::string upper = to_upper(method->value);
  context.warn(method->at, code::kSchemaWarning, "method " + quote(method->value) + " is not a standard method",
               upper == method->value ? "" : "methods have a case: " + upper + "?");
}

HttpMatch read_http_match(Fields& fields, bool delegation) {
  HttpMatch match;
  match.at = fields.at();
  match.name = fields.text("name");
  match.uri = read_one(fields, "uri", delegation, {.allow_empty_prefix = true});
  match.scheme = read_one(fields, "scheme", delegation);
  match.method = read_one(fields, "method", delegation);
  match.authority = read_one(fields, "authority", delegation);
  warn_of_method(fields.context, match.method);
  match.ignore_uri_case = fields.boolean("ignoreUriCase");
  match.headers = read_matches(fields, "headers", true, delegation);
  match.without_headers = read_matches(fields, "withoutHeaders", true, delegation, true);
  match.query_params = read_matches(fields, "queryParams", false, delegation);
  const auto port = fields.integer("port", 0, 65535);
  if (port && port->value > 0) match.port = Located<uint16_t>{static_cast<uint16_t>(port->value), port->at};
  match.source_labels = read_checked_labels(fields, "sourceLabels");
  match.source_namespace = read_source_namespace(fields);
  match.gateways = read_gateway_names(fields);
  fields.not_honoured("statPrefix", code::kStatPrefix, "Weir names its metrics after services and routes");
  return match;
}

}  // namespace

std::vector<HttpMatch> read_http_matches(Fields& fields, bool delegation) {
  std::vector<HttpMatch> matches;
  fields.each(
      "match", [&](Fields& item) { matches.push_back(read_http_match(item, delegation)); }, Fields::Unknown::kRefuse);
  return matches;
}

}  // namespace weir::config
