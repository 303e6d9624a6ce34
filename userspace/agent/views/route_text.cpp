#include "agent/views/route_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace weir::agent {
namespace {

std::string joined(const std::vector<std::string>& parts, const char* separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

void add_selector(const routing::Selector& selector, std::vector<std::string>& parts) {
  if (selector.port) parts.push_back(fmt::format("port {}", *selector.port));
  if (!selector.source_namespace.empty()) parts.push_back("from namespace " + selector.source_namespace);
  for (const auto& [name, value] : selector.source_labels) parts.push_back(fmt::format("from pods {}={}", name, value));
  for (const auto& gateway : selector.gateways) parts.push_back("gateway " + gateway);
}

std::string text_of(const routing::HttpMatch& match) {
  std::vector<std::string> parts;
  if (!match.matcher) parts.emplace_back("nothing");
  if (match.matcher && match.matcher->to_text() != "any") parts.push_back(match.matcher->to_text());
  add_selector(match.selector, parts);
  return parts.empty() ? "any" : joined(parts, ", ");
}

std::string text_of(const routing::L4Match& match) {
  std::vector<std::string> parts;
  for (const auto& host : match.sni_hosts) parts.push_back("sni " + host);
  for (const auto& subnet : match.destination_subnets) parts.push_back("to " + subnet.to_string());
  if (match.source_subnet) parts.push_back("from " + match.source_subnet->to_string());
  add_selector(match.selector, parts);
  return parts.empty() ? "any" : joined(parts, ", ");
}

template <class Match>
std::string alternatives(const std::vector<Match>& matches) {
  if (matches.empty()) return "any";
  std::vector<std::string> parts;
  for (const auto& match : matches) parts.push_back(text_of(match));
  return joined(parts, " or ");
}

bool changes_headers(const routing::HttpRule& rule) {
  return !rule.local_response_headers.empty() || std::ranges::any_of(rule.destinations, [](const auto& destination) {
    return !destination.request_headers.empty() || !destination.response_headers.empty();
  });
}

}  // namespace

std::string match_text(const routing::HttpRule& rule) {
  return alternatives(rule.match);
}

std::string match_text(const routing::L4Rule& rule) {
  return alternatives(rule.match);
}

std::string action_text(const routing::HttpRule& rule) {
  std::vector<std::string> parts;
  if (rule.redirect) parts.push_back(fmt::format("redirect {}", rule.redirect->status));
  if (rule.direct_response) parts.push_back(fmt::format("direct response {}", rule.direct_response->status));
  if (!rule.destinations.empty()) parts.emplace_back("split");
  if (rule.rewrite) parts.emplace_back("rewrite");
  if (rule.timeout) parts.emplace_back("timeout");
  if (rule.retries_written) parts.emplace_back("retries");
  if (rule.fault.any()) parts.emplace_back("fault");
  if (!rule.mirrors.empty()) parts.emplace_back("mirror");
  if (rule.cors) parts.emplace_back("cors");
  if (changes_headers(rule)) parts.emplace_back("headers");
  return parts.empty() ? "none" : joined(parts, ", ");
}

std::string action_text(const routing::L4Rule& rule) {
  return rule.destinations.empty() ? "none" : "split";
}

}  // namespace weir::agent
