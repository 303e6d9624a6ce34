#include "routing/build/route_filters.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "routing/build/objects.h"
#include "routing/codes.h"

namespace weir::routing {
namespace {

using config::gateway_api::Cors;
using config::gateway_api::Filter;
using config::gateway_api::PathModifier;
using config::gateway_api::RequestMirror;
using config::gateway_api::RequestRedirect;
using config::gateway_api::UrlRewrite;

constexpr uint64_t kAll = 1'000'000;

/// Header operations are format strings in Istio, and literal here.
std::vector<std::pair<std::string, std::string>> literal(
    const std::vector<std::pair<std::string, std::string>>& written) {
  auto fields = written;
  for (auto& [name, value] : fields)
    for (size_t at = value.find('%'); at != std::string::npos; at = value.find('%', at + 2)) value.insert(at, 1, '%');
  return fields;
}

config::HeaderOperations literal(const config::HeaderOperations& written) {
  return {literal(written.set), literal(written.add), written.remove};
}

bool replaces_prefix(const std::optional<PathModifier>& path) {
  return path && path->type == PathModifier::Type::kReplacePrefixMatch;
}
bool replaces_all(const std::optional<PathModifier>& path) {
  return path && path->type == PathModifier::Type::kReplaceFullPath;
}

Redirect redirect_of(const RequestRedirect& written) {
  Redirect redirect;
  redirect.scheme = written.scheme;
  redirect.authority = written.hostname;
  if (replaces_all(written.path)) redirect.path = written.path->value;
  if (replaces_prefix(written.path)) redirect.prefix = written.path->value;
  redirect.by_segment = true;
  redirect.port_from = Redirect::Port::kGatewayApi;
  redirect.port = written.port.value_or(0);
  redirect.status = written.status_code;
  return redirect;
}

std::shared_ptr<const Rewriter> rewriter_of(const UrlRewrite& written) {
  std::optional<std::string> full, prefix;
  if (replaces_all(written.path)) full = written.path->value;
  if (replaces_prefix(written.path)) prefix = written.path->value;
  return std::make_shared<const Rewriter>(
      Rewriter::for_gateway_api(std::move(full), std::move(prefix), written.hostname));
}

/// "*" is every origin; in "https://*.example.com" the asterisk stands for one label or more.
config::StringMatch origin_match(const config::Located<std::string>& origin) {
  using Type = config::StringMatch::Type;
  const size_t star = origin.value.find('*');
  if (origin.value == "*" || star == std::string::npos) return {Type::kExact, origin.value, origin.at};
  const std::string_view text = origin.value;
  return {Type::kRegex, quoted_for_regex(text.substr(0, star)) + ".+" + quoted_for_regex(text.substr(star + 1)),
          origin.at};
}

config::CorsPolicy cors_of(const Cors& written) {
  config::CorsPolicy policy;
  policy.at = written.at;
  for (const auto& origin : written.allow_origins) policy.allow_origins.push_back(origin_match(origin));
  policy.allow_methods = written.allow_methods;
  policy.allow_headers = written.allow_headers;
  policy.expose_headers = written.expose_headers;
  policy.max_age = std::chrono::seconds(written.max_age_seconds);
  policy.allow_credentials = written.allow_credentials;
  policy.unmatched_preflights = config::CorsPolicy::UnmatchedPreflights::kIgnore;
  return policy;
}

/// Compiles one list; a class only so that its steps share what they add to.
class FilterCompiler {
 public:
  FilterCompiler(RouteContext& context, std::vector<std::string>& left_out) : context_(context), left_out_(left_out) {}

  void add(const Filter& filter) {
    switch (filter.type) {
      case Filter::Type::kRequestHeaderModifier:
        filters_.headers.request = literal(filter.headers);
        break;
      case Filter::Type::kResponseHeaderModifier:
        filters_.headers.response = literal(filter.headers);
        break;
      case Filter::Type::kRequestMirror:
        add_mirror(*filter.mirror);
        break;
      case Filter::Type::kRequestRedirect:
        filters_.redirect = redirect_of(*filter.redirect);
        break;
      case Filter::Type::kUrlRewrite:
        filters_.rewrite = rewriter_of(*filter.rewrite);
        break;
      case Filter::Type::kCors:
        add_cors(*filter.cors);
        break;
      case Filter::Type::kExtensionRef:
        cannot(filter, "ExtensionRef to " + filter.extension->kind + " " + filter.extension->name.value);
        break;
      case Filter::Type::kExternalAuth:
        cannot(filter, "ExternalAuth");
        break;
    }
  }

  RouteFilters finish() { return std::move(filters_); }

 private:
  void cannot(const Filter& filter, const std::string& what) {
    if (filters_.cannot.empty()) filters_.cannot = "filter " + what + " is not carried out";
    context_.conditions.push_back(finding(config::Level::kError, code::kRouteFilter, context_.route, filter.at,
                                          "filter " + what + " is not carried out: its requests are answered 500"));
  }

  void add_mirror(const RequestMirror& written) {
    Backend backend = context_.references.follow(written.backend, context_.route);
    if (!backend.reason.empty()) {
      left_out_.push_back("not mirrored: " + backend.destination.refused);
      context_.refuse(written.backend.at, backend, "the mirror gets nothing");
      return;
    }
    backend.destination.weight = 1;
    const uint64_t parts = written.denominator == 0 ? kAll : kAll * written.numerator / written.denominator;
    filters_.mirrors.push_back({std::move(backend.destination), static_cast<uint32_t>(std::min(parts, kAll))});
  }

  void add_cors(const Cors& written) {
    auto policy = CorsPolicy::compile(cors_of(written));
    if (policy) {
      filters_.cors = std::make_shared<const CorsPolicy>(*std::move(policy));
    } else {
      left_out_.push_back("the CORS filter is not applied: " + policy.error().message);
    }
  }

  RouteContext& context_;
  std::vector<std::string>& left_out_;
  RouteFilters filters_;
};

}  // namespace

RouteFilters compile_filters(const std::vector<Filter>& written, RouteContext& context,
                             std::vector<std::string>& left_out) {
  FilterCompiler compiler(context, left_out);
  for (const Filter& filter : written) compiler.add(filter);
  return compiler.finish();
}

}  // namespace weir::routing
