#include "config/read.h"

namespace weir::config {
namespace {

/// Which of the exclusive parts of a rule are there (Istio's validateHTTPRouteConflict).
void check_conflicts(Fields& fields, const HttpRoute& route, bool delegate) {
  Context& context = fields.context;
  const auto both = [&](std::string_view key, std::string_view other) {
    context.error(fields.at_key(key),
                  "HTTP route cannot contain both " + std::string(key) + " and " + std::string(other));
  };
  const bool has_route = !route.route.empty();
  if (route.delegate) {
    if (delegate) return context.error(route.delegate->at, "delegate HTTP route cannot contain delegate");
    if (has_route) both("delegate", "route");
    if (route.redirect) both("delegate", "redirect");
    if (route.direct_response) {
      context.warn(fields.at_key("directResponse"), code::kSchemaWarning,
                   "directResponse beside delegate has no effect: the delegate's rules answer");
    }
    return;
  }
  if (route.redirect) {
    if (has_route) both("route", "redirect");
    if (route.direct_response) both("directResponse", "redirect");
    if (route.fault) both("fault", "redirect");
    if (route.rewrite) both("rewrite", "redirect");
  } else if (route.direct_response) {
    if (has_route) both("route", "directResponse");
    if (route.fault) both("fault", "directResponse");
    if (route.rewrite) both("rewrite", "directResponse");
  } else if (!has_route && is_absent_or_empty(fields, "route") && fields.find("redirect") == nullptr &&
             fields.find("directResponse") == nullptr && fields.find("delegate") == nullptr) {
    context.error(fields.at(), "HTTP route must have a route, redirect or directResponse",
                  "route: [{destination: {host: ...}}]");
  }
}

/// The authority may be set in one place only.
void check_authority(Fields& fields, const HttpRoute& route) {
  std::string current = route.rewrite ? route.rewrite->authority : "";
  const auto check = [&](const auto& operations) {
    for (const auto& [name, value] : operations) {
      const std::string lower = to_lower(name);
      if (lower != ":authority" && lower != "host") continue;
      if (!current.empty()) {
        fields.context.error(fields.at_key("headers"), "authority header cannot be set multiple times: have " +
                                                           quote(current) + ", attempting to set " + quote(value));
      }
      current = value;
    }
  };
  check(route.headers.request.set);
  check(route.headers.request.add);
}

void check_prefix_rewrite(Fields& fields, const HttpRoute& route) {
  if (!route.redirect || !route.redirect->uri_prefix) return;
  for (const HttpMatch& match : route.match) {
    if (!match.uri || match.uri->type == StringMatch::Type::kPrefix || match.uri->type == StringMatch::Type::kPresent)
      continue;
    fields.context.error(match.uri->at, "prefixRewrite needs a uri prefix match",
                         "match uri by prefix, or use redirect.uri");
  }
}

/// `mirror` with mirrorPercentage, or `mirrors`.
void read_mirrors(Fields& fields, HttpRoute& route) {
  std::vector<Mirror>& mirrors = route.mirrors;
  fields.map("mirror", [&](Fields& inner) {
    Mirror mirror;
    mirror.at = inner.at();
    mirror.destination = read_destination(inner);
    mirrors.push_back(std::move(mirror));
  });
  const auto old_percent = fields.integer("mirrorPercent", 0, 100);
  if (old_percent) {
    fields.context.warn(fields.at_key("mirrorPercent"), code::kSchemaWarning,
                        "using deprecated setting \"mirrorPercent\"", "write mirrorPercentage: {value: ...}");
  }
  const auto percent = read_percent(fields, "mirrorPercentage", false);
  route.mirror_percentage = percent;
  if (!percent && old_percent)
    route.mirror_percentage = Percent{static_cast<uint32_t>(old_percent->value * 10'000), old_percent->at};
  if (!mirrors.empty() && route.mirror_percentage) {
    mirrors.front().percentage = *route.mirror_percentage;
  } else if (mirrors.empty() && route.mirror_percentage && !route.delegate) {
    fields.context.warn(fields.at_key(percent ? "mirrorPercentage" : "mirrorPercent"), code::kSchemaWarning,
                        "a mirror percentage without a mirror does nothing");
  }
  if (!mirrors.empty() && !is_absent_or_empty(fields, "mirrors") && fields.find("delegate") == nullptr) {
    fields.context.error(fields.at_key("mirrors"), "HTTP route cannot contain both mirror and mirrors");
  }
  fields.each("mirrors", [&](Fields& item) {
    Mirror mirror;
    mirror.at = item.at();
    mirror.destination = read_destination_field(item);
    if (const auto share = read_percent(item, "percentage", false)) mirror.percentage = *share;
    mirrors.push_back(std::move(mirror));
    route.mirrors_are_list = true;
  });
}

Delegate read_delegate(Fields& fields) {
  Delegate delegate;
  delegate.at = fields.at();
  delegate.name = fields.located("name");
  delegate.namespace_ = fields.text("namespace");
  if (fields.missing("name")) fields.context.error(fields.at(), fields.child("name").text() + " is required");
  return delegate;
}

}  // namespace

HttpRoute read_http_route(Fields& fields, bool delegate) {
  HttpRoute route;
  route.at = fields.at();
  route.name = fields.text("name");
  fields.map("delegate", [&](Fields& inner) { route.delegate = read_delegate(inner); });
  route.match = read_http_matches(fields, delegate || route.delegate.has_value());
  route.route = read_destinations(fields, true);
  fields.map("redirect", [&](Fields& inner) { route.redirect = read_redirect(inner); });
  fields.map("directResponse", [&](Fields& inner) { route.direct_response = read_direct_response(inner); });
  fields.map("rewrite", [&](Fields& inner) { route.rewrite = read_rewrite(inner); });
  route.timeout = read_positive_duration(fields, "timeout");
  fields.map("retries", [&](Fields& inner) { route.retries = read_retry(inner); });
  fields.map("fault", [&](Fields& inner) { route.fault = read_fault(inner); });
  read_mirrors(fields, route);
  fields.map("corsPolicy", [&](Fields& inner) { route.cors_policy = read_cors(inner); });
  route.headers = read_headers(fields);
  for (const std::string_view removed : {"websocketUpgrade", "appendHeaders", "removeResponseHeaders",
                                         "appendResponseHeaders", "removeRequestHeaders", "appendRequestHeaders"}) {
    if (fields.find(removed) == nullptr) continue;
    fields.context.warn(fields.at_key(removed), code::kSchemaWarning,
                        fields.child(removed).text() + " was removed from Istio's API and is ignored",
                        removed == "websocketUpgrade" ? "WebSocket needs no setting" : "use headers");
  }
  check_conflicts(fields, route, delegate);
  check_authority(fields, route);
  check_prefix_rewrite(fields, route);
  return route;
}

}  // namespace weir::config
