#include "agent/route_text.h"

#include <fmt/format.h>

namespace weir::agent {
namespace {

std::string text_of(const config::StringMatch& match) {
  switch (match.type) {
    case config::StringMatch::Type::kExact:
      return "exact " + match.value;
    case config::StringMatch::Type::kPrefix:
      return "prefix " + match.value;
    case config::StringMatch::Type::kRegex:
      return "regex " + match.value;
    case config::StringMatch::Type::kPresent:
      return "present";
  }
  return "";
}

std::string joined(const std::vector<std::string>& parts, const char* separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

void add_labels(const config::Labels& labels, std::vector<std::string>& parts) {
  for (const auto& [name, value] : labels) parts.push_back(fmt::format("from pods {}={}", name, value));
}

void add_gateways(const std::vector<config::Located<std::string>>& gateways, std::vector<std::string>& parts) {
  for (const auto& gateway : gateways) parts.push_back("gateway " + gateway.value);
}

std::string text_of(const config::HttpMatch& match) {
  std::vector<std::string> parts;
  const auto add = [&parts](const char* what, const std::optional<config::StringMatch>& condition) {
    if (condition) parts.push_back(fmt::format("{} {}", what, text_of(*condition)));
  };
  add("uri", match.uri);
  add("scheme", match.scheme);
  add("method", match.method);
  add("authority", match.authority);
  for (const auto& [name, condition] : match.headers) parts.push_back("header " + name + " " + text_of(condition));
  for (const auto& [name, condition] : match.without_headers)
    parts.push_back("not header " + name + " " + text_of(condition));
  for (const auto& [name, condition] : match.query_params) parts.push_back("query " + name + " " + text_of(condition));
  if (match.port) parts.push_back(fmt::format("port {}", match.port->value));
  if (!match.source_namespace.empty()) parts.push_back("from namespace " + match.source_namespace);
  add_labels(match.source_labels, parts);
  add_gateways(match.gateways, parts);
  return parts.empty() ? "any" : joined(parts, ", ");
}

std::string text_of(const config::L4Match& match) {
  std::vector<std::string> parts;
  if (match.port) parts.push_back(fmt::format("port {}", match.port->value));
  for (const auto& host : match.sni_hosts) parts.push_back("sni " + host.value);
  for (const auto& subnet : match.destination_subnets) parts.push_back("to " + subnet.to_string());
  if (match.source_subnet) parts.push_back("from " + match.source_subnet->to_string());
  if (!match.source_namespace.empty()) parts.push_back("from namespace " + match.source_namespace);
  add_labels(match.source_labels, parts);
  add_gateways(match.gateways, parts);
  return parts.empty() ? "any" : joined(parts, ", ");
}

template <class Match>
std::string alternatives(const std::vector<Match>& matches) {
  if (matches.empty()) return "any";
  std::vector<std::string> parts;
  for (const auto& match : matches) parts.push_back(text_of(match));
  return joined(parts, " or ");
}

}  // namespace

std::string match_text(const config::HttpRoute& route) {
  return alternatives(route.match);
}

std::string match_text(const config::L4Route& route) {
  return alternatives(route.match);
}

std::string action_text(const config::HttpRoute& route) {
  std::vector<std::string> parts;
  if (route.redirect) parts.push_back(fmt::format("redirect {}", route.redirect->code));
  if (route.direct_response) parts.push_back(fmt::format("direct response {}", route.direct_response->status));
  if (route.delegate)
    parts.push_back(fmt::format("delegate {}{}",
                                route.delegate->namespace_.empty() ? "" : route.delegate->namespace_ + "/",
                                route.delegate->name.value));
  if (!route.route.empty()) parts.emplace_back("split");
  if (route.rewrite) parts.emplace_back("rewrite");
  if (route.timeout) parts.emplace_back("timeout");
  if (route.retries) parts.emplace_back("retries");
  if (route.fault) parts.emplace_back("fault");
  if (!route.mirrors.empty()) parts.emplace_back("mirror");
  if (route.cors_policy) parts.emplace_back("cors");
  if (!route.headers.empty()) parts.emplace_back("headers");
  return parts.empty() ? "none" : joined(parts, ", ");
}

std::string split_text(const std::vector<config::WeightedDestination>& route) {
  return route.empty() ? "none" : "split";
}

}  // namespace weir::agent
