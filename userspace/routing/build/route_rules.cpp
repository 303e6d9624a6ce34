#include "routing/build/route_rules.h"

#include <algorithm>
#include <utility>

#include "config/codes.h"
#include "routing/build/objects.h"
#include "routing/build/route_filters.h"
#include "routing/codes.h"
#include "routing/hosts.h"

namespace weir::routing {
namespace {

namespace api = config::gateway_api;
using config::StringMatch;

constexpr uint16_t kCannotServe = 500;
/// Istio's default conditions, and what the Gateway API asks for beside them (HTTPRouteRetry: connection errors).
constexpr const char* kRetryOn = "connect-failure,refused-stream,unavailable,cancelled,reset";

StringMatch match_of(const api::ValueMatch& written) {
  const bool regex = written.type == api::ValueMatch::Type::kRegularExpression;
  return {regex ? StringMatch::Type::kRegex : StringMatch::Type::kExact, written.value, written.at};
}

/// Of one name only the first counts (HTTPHeaderMatch, HTTPQueryParamMatch).
void add_headers(const std::vector<api::ValueMatch>& written, config::HttpMatch& match) {
  for (const api::ValueMatch& header : written) match.headers.try_emplace(to_lower(header.name), match_of(header));
}

/// A match, and how closely it fits.
struct RankedMatch {
  RouteRank rank;
  config::HttpMatch match;
  std::optional<std::string> path_prefix;  // by segments, instead of match.uri
};

void set_path(const api::PathMatch& written, RankedMatch& match) {
  using Type = api::PathMatch::Type;
  using Path = RouteRank::Path;
  if (written.type == Type::kPathPrefix) {
    std::string prefix = written.value;
    while (prefix.ends_with('/')) prefix.pop_back();
    if (prefix.empty()) return;
    match.rank.path = Path::kPrefix;
    match.rank.path_size = prefix.size();
    match.path_prefix = std::move(prefix);
    return;
  }
  const bool exact = written.type == Type::kExact;
  match.rank.path = exact ? Path::kExact : Path::kRegex;
  match.rank.path_size = written.value.size();
  match.match.uri =
      StringMatch{exact ? StringMatch::Type::kExact : StringMatch::Type::kRegex, written.value, written.at};
}

RankedMatch ranked(const api::HttpMatch& written) {
  RankedMatch result;
  result.match.at = written.at;
  set_path(written.path, result);
  if (!written.method.value.empty()) {
    result.match.method = StringMatch{StringMatch::Type::kExact, written.method.value, written.method.at};
    result.rank.method = true;
  }
  add_headers(written.headers, result.match);
  for (const api::ValueMatch& query : written.query_params)
    result.match.query_params.try_emplace(query.name, match_of(query));
  result.rank.headers = result.match.headers.size();
  result.rank.query_params = result.match.query_params.size();
  return result;
}

/// gRPC's path is "/service/method" (gRPC over HTTP2, Requests).
RankedMatch ranked(const api::GrpcMatch& written) {
  RankedMatch result;
  result.match.at = written.at;
  add_headers(written.headers, result.match);
  result.rank.headers = result.match.headers.size();
  if (!written.method || (written.method->service.empty() && written.method->method.empty())) return result;
  const api::GrpcMatch::Method& method = *written.method;
  result.rank.path_size = method.service.size() + method.method.size() + 2;
  if (method.type == api::GrpcMatch::Method::Type::kExact && !method.service.empty()) {
    const std::string path = "/" + method.service;
    result.rank.path = method.method.empty() ? RouteRank::Path::kPrefix : RouteRank::Path::kExact;
    if (method.method.empty()) {
      result.path_prefix = path;
    } else {
      result.match.uri = StringMatch{StringMatch::Type::kExact, path + "/" + method.method, method.at};
    }
    return result;
  }
  const bool exact = method.type == api::GrpcMatch::Method::Type::kExact;
  const auto part = [&](const std::string& text) {
    return text.empty() ? std::string("[^/]+") : exact ? quoted_for_regex(text) : text;
  };
  result.rank.path = RouteRank::Path::kRegex;
  result.match.uri =
      StringMatch{StringMatch::Type::kRegex, "/" + part(method.service) + "/" + part(method.method), method.at};
  return result;
}

/// What an HTTPRoute's rule and a GRPCRoute's have in common.
struct RuleParts {
  config::Position at;
  const std::string& name;
  const std::vector<api::Filter>& filters;
  const std::vector<api::RouteBackend>& backends;
  const std::optional<config::Located<config::Duration>>& request_timeout;
  const std::optional<config::Located<config::Duration>>& backend_request_timeout;
  const std::optional<api::Retry>& retry;
  const std::optional<api::SessionPersistence>& session_persistence;
};

/// Compiles one rule; a class only so that its steps share what they add to.
class RuleCompiler {
 public:
  RuleCompiler(RouteContext& context, const RuleParts& written, HttpRule& rule)
      : context_(context), written_(written), rule_(rule) {}

  void compile() {
    filters_ = compile_filters(written_.filters, context_, rule_.left_out);
    rule_.cors = filters_.cors;
    rule_.local_response_headers = headers(filters_.headers.response, {}, true);
    if (!filters_.cannot.empty()) return answer(filters_.cannot);
    if (filters_.redirect) {
      rule_.redirect = filters_.redirect;
      rule_.acts = "redirects";
      return;
    }
    for (const api::RouteBackend& backend : written_.backends) add_backend(backend);
    if (weight_sum(rule_.destinations) == 0)
      return answer(written_.backends.empty() ? "the rule has no backends" : "every backend's weight is 0");
    if (redirects_all()) return;
    if (rule_.destinations.size() == 1) rule_.local_response_headers = rule_.destinations.front().response_headers;
    rule_.rewrite = filters_.rewrite;
    rule_.mirrors = std::move(filters_.mirrors);
    set_times();
    if (written_.session_persistence) report(written_.session_persistence->at, "sessionPersistence");
    rule_.acts = what_it_does();
  }

 private:
  void answer(const std::string& why) {
    rule_.destinations.clear();
    rule_.direct_response = DirectResponse{kCannotServe, ""};
    rule_.acts = "answers 500: " + why;
    rule_.left_out.push_back("500: " + why);
  }

  HeaderPlan headers(const config::HeaderOperations& rule, const config::HeaderOperations& backend, bool only) {
    auto plan = HeaderPlan::compile(rule, backend, only);
    if (plan) return *std::move(plan);
    rule_.left_out.push_back("header operations are not applied: " + plan.error().message);
    return {};
  }

  void add_backend(const api::RouteBackend& written) {
    Backend backend = context_.references.follow(written.ref, context_.route);
    RuleDestination& to = backend.destination;
    const RouteFilters own = compile_filters(written.filters, context_, rule_.left_out);
    if (!backend.reason.empty())
      context_.refuse(written.ref.at, backend, to.weight == 0 ? "its weight is 0" : "its share is answered 500");
    if (to.refused.empty() && !own.cannot.empty()) to.refused = own.cannot;
    const bool only = written_.backends.size() == 1;
    to.request_headers = headers(filters_.headers.request, own.headers.request, only);
    to.response_headers = headers(filters_.headers.response, own.headers.response, only);
    to.rewrite = own.rewrite;
    to.redirect = own.redirect;
    if (own.cors || !own.mirrors.empty()) report(written.ref.at, "filters CORS and RequestMirror of a single backend");
    filters_of_backends_ = filters_of_backends_ || own.rewrite || own.redirect || !own.headers.empty();
    refuses_ = refuses_ || (!to.refused.empty() && to.weight != 0);
    rule_.destinations.push_back(std::move(to));
  }

  /// A redirect of the only backend that gets anything is the rule's.
  bool redirects_all() {
    const auto gets = [](const RuleDestination& to) { return to.weight != 0; };
    if (std::ranges::count_if(rule_.destinations, gets) != 1) return false;
    const auto only = std::ranges::find_if(rule_.destinations, gets);
    if (!only->redirect) return false;
    rule_.redirect = std::move(only->redirect);
    rule_.local_response_headers = std::move(only->response_headers);
    rule_.destinations.clear();
    rule_.acts = "redirects";
    return true;
  }

  void set_times() {
    const auto positive = [](const auto& duration) { return duration && duration->value.count() > 0; };
    if (positive(written_.request_timeout)) rule_.timeout = written_.request_timeout->value;
    std::optional<config::HttpRetry> retry;
    if (written_.retry) {
      retry.emplace();
      retry->attempts = written_.retry->attempts.value_or(kDefaultRetries);
      retry->backoff = written_.retry->backoff;
      std::string on = kRetryOn;
      for (const uint16_t code : written_.retry->codes) on += "," + std::to_string(code);
      retry->retry_on = on;
      rule_.retries_written = true;
    }
    rule_.retries = make_retry_policy(retry);
    if (!positive(written_.backend_request_timeout)) return;
    // Without a second try, one try's time is the request's.
    if (rule_.retries && written_.retry) {
      rule_.retries->per_try_timeout = written_.backend_request_timeout->value;
    } else {
      rule_.timeout = std::min(rule_.timeout.value_or(written_.backend_request_timeout->value),
                               written_.backend_request_timeout->value);
    }
  }

  void report(config::Position at, const char* what) {
    context_.conditions.push_back(finding(config::Level::kWarning, code::kRouteField, context_.route, at,
                                          std::string(what) + " is not honoured: requests are sent as without it"));
  }

  /// As of a VirtualService's route: the first thing that only the request path can do.
  [[nodiscard]] std::string what_it_does() const {
    if (refuses_) return "answers 500 for backends that it may not or cannot reach";
    if (rule_.rewrite) return "rewrites the request";
    if (!rule_.mirrors.empty()) return "mirrors requests";
    if (rule_.timeout) return "sets a timeout";
    if (rule_.retries_written) return "sets retries";
    if (!filters_.headers.empty() || filters_of_backends_) return "changes headers";
    if (rule_.cors) return "has a CORS policy";
    return {};
  }

  RouteContext& context_;
  const RuleParts& written_;
  HttpRule& rule_;
  RouteFilters filters_;
  bool filters_of_backends_ = false, refuses_ = false;
};

HttpMatch compile_match(RankedMatch& ranked, RouteContext& context) {
  HttpMatch match;
  match.at = ranked.match.at;
  auto matcher = HttpMatcher::compile(ranked.match);
  if (!matcher) {
    context.conditions.push_back(finding(config::Level::kError, config::code::kSchemaValidation, context.route,
                                         ranked.match.at, "this match never holds: " + matcher.error().message));
    return match;
  }
  if (ranked.path_prefix) matcher->set_uri(StringMatcher::path_prefix(*ranked.path_prefix));
  match.matcher = std::make_shared<const HttpMatcher>(*std::move(matcher));
  return match;
}

Origin origin_of_rule(const RouteContext& context, const std::string& name, config::Position at, size_t index) {
  Origin origin = origin_of(context.route);
  origin.route = name;
  origin.index = static_cast<int>(index);
  if (at.line != 0) origin.at = at;
  return origin;
}

/// Who gets the connections of a rule that has no backend with a weight: they are refused, not left alone.
RuleDestination nobody(const Origin& origin) {
  RuleDestination destination;
  destination.host = "nobody";
  destination.at = destination.entry_at = origin.at;
  destination.refused = "no backend of " + origin.kind + " " + origin.namespace_ + "/" + origin.name + " has a weight";
  return destination;
}

template <class Matches>
void add_rule(const RuleParts& written, const Matches& matches, size_t index, RouteContext& context,
              std::vector<RankedRule>& into) {
  HttpRule rule;
  rule.origin = origin_of_rule(context, written.name, written.at, index);
  RuleCompiler(context, written, rule).compile();
  for (const auto& match : matches) {
    RankedMatch ranked_match = ranked(match);
    RankedRule entry{ranked_match.rank, rule};
    entry.rule.match.push_back(compile_match(ranked_match, context));
    into.push_back(std::move(entry));
  }
}

}  // namespace

void RouteContext::refuse(config::Position at, const Backend& backend, const char* consequence) {
  conditions.push_back(finding(config::Level::kWarning, code::kRouteBackend, route, at,
                               backend.destination.refused + ": " + consequence));
  if (!unresolved.empty()) return;
  unresolved = backend.reason;
  message = backend.destination.refused;
}

std::vector<RankedRule> compile_http_route(const api::HttpRoute& written, RouteContext& context) {
  std::vector<RankedRule> rules;
  for (size_t i = 0; i < written.rules.size(); ++i) {
    const api::HttpRule& rule = written.rules[i];
    add_rule({rule.at, rule.name.value, rule.filters, rule.backends, rule.request_timeout, rule.backend_request_timeout,
              rule.retry, rule.session_persistence},
             rule.matches, i, context, rules);
  }
  return rules;
}

std::vector<RankedRule> compile_grpc_route(const api::GrpcRoute& written, RouteContext& context) {
  static const std::vector<api::GrpcMatch> kEveryCall(1);
  static const std::optional<config::Located<config::Duration>> kNoTimeout;
  static const std::optional<api::Retry> kNoRetry;
  std::vector<RankedRule> rules;
  for (size_t i = 0; i < written.rules.size(); ++i) {
    const api::GrpcRule& rule = written.rules[i];
    add_rule({rule.at, rule.name.value, rule.filters, rule.backends, kNoTimeout, kNoTimeout, kNoRetry,
              rule.session_persistence},
             rule.matches.empty() ? kEveryCall : rule.matches, i, context, rules);
  }
  return rules;
}

std::vector<L4Rule> compile_l4_route(const api::L4RouteBody& written, RouteContext& context) {
  std::vector<L4Rule> rules;
  for (size_t i = 0; i < written.rules.size(); ++i) {
    L4Rule rule;
    rule.origin = origin_of_rule(context, written.rules[i].name.value, written.rules[i].at, i);
    for (const api::BackendReference& reference : written.rules[i].backends) {
      Backend backend = context.references.follow(reference, context.route);
      if (!backend.reason.empty()) context.refuse(reference.at, backend, "its share of connections is refused");
      rule.destinations.push_back(std::move(backend.destination));
    }
    if (weight_sum(rule.destinations) == 0) rule.destinations = {nobody(rule.origin)};
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace weir::routing
