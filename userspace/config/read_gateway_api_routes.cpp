#include <algorithm>

#include "config/read.h"
#include "config/read_gateway_api.h"
#include "config/scalars.h"

namespace weir::config::gateway_api {
namespace {

constexpr size_t kMaxRules = 16;
constexpr size_t kMaxBackends = 16;
constexpr size_t kMaxMatches = 128;  // of all rules of a route

std::vector<RouteBackend> read_route_backends(Fields& fields, bool grpc) {
  std::vector<RouteBackend> backends;
  check_size(fields, "backendRefs", 0, kMaxBackends);
  fields.each("backendRefs", [&](Fields& item) {
    RouteBackend& backend = backends.emplace_back();
    backend.ref = read_backend(item);
    backend.filters = read_filters(item, grpc);
  });
  return backends;
}

std::optional<SessionPersistence> read_session_persistence(Fields& fields) {
  using Type = SessionPersistence::Type;
  using Lifetime = SessionPersistence::CookieLifetime;
  std::optional<SessionPersistence> session;
  fields.map("sessionPersistence", [&](Fields& inner) {
    session.emplace().at = inner.at();
    const auto type = inner.choice<Type>("type", {{"Cookie", Type::kCookie}, {"Header", Type::kHeader}});
    if (type) session->type = type->value;
    const auto name = inner.located("sessionName");
    session->session_name = name.value;
    if (name.value.size() > 128) inner.context.error(name.at, "sessionName is longer than 128 characters");
    if (const auto timeout = read_duration(inner, "absoluteTimeout")) session->absolute_timeout = timeout->value;
    const bool has_cookie = inner.map("cookieConfig", [&](Fields& cookie) {
      const auto lifetime = cookie.choice<Lifetime>(
          "lifetimeType", {{"Permanent", Lifetime::kPermanent}, {"Session", Lifetime::kSession}});
      if (lifetime) session->cookie_lifetime = lifetime->value;
    });
    if (has_cookie && session->type != Type::kCookie) {
      inner.context.error(inner.at_key("cookieConfig"), "cookieConfig can only be set with type Cookie");
    }
    if (session->cookie_lifetime == Lifetime::kPermanent && !session->absolute_timeout) {
      inner.context.error(inner.at(), "absoluteTimeout must be specified when cookie lifetimeType is Permanent");
    }
  });
  return session;
}

Retry read_retry_policy(Fields& fields) {
  Retry retry;
  retry.at = fields.at();
  int index = 0;
  for (const auto& code : read_set(fields, "codes", SIZE_MAX)) {
    const auto number = parse_integer(code.value);
    if (number && *number >= 400 && *number <= 599) {
      retry.codes.push_back(static_cast<uint16_t>(*number));
    } else {
      fields.context.error(
          code.at, fields.child("codes", index).text() + " is " + quote(code.value) + ", it must be 400 to 599");
    }
    ++index;
  }
  if (const auto attempts = fields.integer("attempts", 1, INT32_MAX)) {
    retry.attempts = static_cast<uint32_t>(attempts->value);
  }
  if (const auto backoff = read_duration(fields, "backoff")) retry.backoff = backoff->value;
  return retry;
}

void read_timeouts(Fields& fields, HttpRule& rule) {
  rule.request_timeout = read_duration(fields, "request");
  rule.backend_request_timeout = read_duration(fields, "backendRequest");
  if (!rule.request_timeout || !rule.backend_request_timeout || rule.request_timeout->value == Duration{}) return;
  if (rule.backend_request_timeout->value > rule.request_timeout->value) {
    fields.context.error(rule.backend_request_timeout->at,
                         "backendRequest timeout cannot be longer than request timeout");
  }
}

bool replaces_prefix(const std::vector<Filter>& filters) {
  return std::any_of(filters.begin(), filters.end(), [](const Filter& filter) {
    const auto& path = filter.redirect ? filter.redirect->path : filter.rewrite ? filter.rewrite->path : std::nullopt;
    return path && path->type == PathModifier::Type::kReplacePrefixMatch;
  });
}

/// What holds between a rule's parts.
void check_rule(Context& context, const HttpRule& rule) {
  for (const Filter& filter : rule.filters) {
    if (!filter.redirect || rule.backends.empty()) continue;
    context.error(filter.at, "RequestRedirect filter must not be used together with backendRefs",
                  "remove one of the two");
  }
  const bool one_prefix = rule.matches.size() == 1 && rule.matches.front().path.type == PathMatch::Type::kPathPrefix;
  if (one_prefix) return;
  const auto report = [&](Position at) {
    context.error(at, "with path.replacePrefixMatch, exactly one PathPrefix match must be specified");
  };
  if (replaces_prefix(rule.filters)) report(rule.filters.front().at);
  for (const RouteBackend& backend : rule.backends) {
    if (replaces_prefix(backend.filters)) report(backend.ref.at);
  }
}

HttpRule read_http_rule(Fields& fields) {
  HttpRule rule;
  rule.at = fields.at();
  rule.name = read_checked(fields, "name", check_subdomain);
  rule.matches = read_http_matches(fields);
  rule.filters = read_filters(fields, false);
  rule.backends = read_route_backends(fields, false);
  fields.map("timeouts", [&](Fields& inner) { read_timeouts(inner, rule); });
  fields.map("retry", [&](Fields& inner) { rule.retry = read_retry_policy(inner); });
  rule.session_persistence = read_session_persistence(fields);
  check_rule(fields.context, rule);
  return rule;
}

GrpcRule read_grpc_rule(Fields& fields) {
  GrpcRule rule;
  rule.at = fields.at();
  rule.name = read_checked(fields, "name", check_subdomain);
  rule.matches = read_grpc_matches(fields);
  rule.filters = read_filters(fields, true);
  rule.backends = read_route_backends(fields, true);
  rule.session_persistence = read_session_persistence(fields);
  return rule;
}

template <class Rule>
void check_rules(Fields& spec, const std::vector<Rule>& rules) {
  size_t matches = 0;
  for (size_t i = 0; i < rules.size(); ++i) {
    matches += rules[i].matches.size();
    const auto same = [&](const Rule& other) {
      return !rules[i].name.value.empty() && other.name.value == rules[i].name.value;
    };
    if (std::any_of(rules.begin(), rules.begin() + static_cast<std::ptrdiff_t>(i), same)) {
      spec.context.error(rules[i].name.at,
                         "rule name " + quote(rules[i].name.value) + " must be unique within the route");
    }
  }
  if (matches > kMaxMatches) {
    spec.context.error(spec.at_key("rules"),
                       "the rules of a route have " + std::to_string(matches) + " matches, at most 128 are allowed");
  }
}

L4Rule read_l4_rule(Fields& fields) {
  L4Rule rule;
  rule.at = fields.at();
  rule.name = read_checked(fields, "name", check_subdomain);
  check_size(fields, "backendRefs", 1, kMaxBackends);
  fields.each("backendRefs", [&](Fields& item) { rule.backends.push_back(read_backend(item)); });
  return rule;
}

void read_l4_body(Fields& spec, L4RouteBody& route) {
  route.parents = read_parents(spec);
  check_size(spec, "rules", 1, 1);
  spec.each("rules", [&](Fields& item) { route.rules.push_back(read_l4_rule(item)); });
  route.use_default_gateways = read_scope(spec, "useDefaultGateways");
}

}  // namespace

void read_http_route(Fields& spec, HttpRoute& object) {
  object.parents = read_parents(spec);
  object.hostnames = read_hostnames(spec, 16);
  check_size(spec, "rules", spec.find("rules") == nullptr ? 0 : 1, kMaxRules);
  spec.each("rules", [&](Fields& item) { object.rules.push_back(read_http_rule(item)); });
  if (spec.find("rules") == nullptr) {
    HttpRule& rule = object.rules.emplace_back();
    rule.at = spec.at();
    rule.matches.emplace_back().at = spec.at();
    rule.matches.back().path.at = spec.at();
  }
  check_rules(spec, object.rules);
  object.use_default_gateways = read_scope(spec, "useDefaultGateways");
}

void read_grpc_route(Fields& spec, GrpcRoute& object) {
  object.parents = read_parents(spec);
  object.hostnames = read_hostnames(spec, 16);
  check_size(spec, "rules", 0, kMaxRules);
  spec.each("rules", [&](Fields& item) { object.rules.push_back(read_grpc_rule(item)); });
  check_rules(spec, object.rules);
  object.use_default_gateways = read_scope(spec, "useDefaultGateways");
}

void read_tcp_route(Fields& spec, TcpRoute& object) {
  read_l4_body(spec, object.route);
}

void read_udp_route(Fields& spec, UdpRoute& object) {
  read_l4_body(spec, object.route);
}

void read_tls_route(Fields& spec, TlsRoute& object) {
  read_l4_body(spec, object.route);
  // Older versions, which the API server turns into v1, go without.
  check_size(spec, "hostnames", object.meta.api_version.ends_with("/v1") ? 1 : 0, 1024);
  object.route.hostnames = read_hostnames(spec, 1024);
  for (const auto& name : object.route.hostnames) {
    if (is_ip(name.value)) spec.context.error(name.at, "hostname " + quote(name.value) + " is an IP address");
  }
}

}  // namespace weir::config::gateway_api
