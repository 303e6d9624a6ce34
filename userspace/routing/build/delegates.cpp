// istio pilot/pkg/model/virtualservice.go mergeHTTPRoute, mergeHTTPMatchRequests, hasConflict.
#include "routing/build/delegates.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace weir::routing {

namespace {

using config::HttpMatch;
using config::StringMatch;

/// Whether a leaf condition is not inside the root's. A regex is inside nothing, and nothing is inside a regex.
bool conflicts(const StringMatch& root, const StringMatch& leaf) {
  using Type = StringMatch::Type;
  if (root.type == Type::kExact) return leaf.type != Type::kExact || leaf.value != root.value;
  if (root.type == Type::kPrefix)
    return (leaf.type != Type::kExact && leaf.type != Type::kPrefix) || !leaf.value.starts_with(root.value);
  return true;
}

bool conflicts(const std::optional<StringMatch>& root, const std::optional<StringMatch>& leaf) {
  return root && leaf && conflicts(*root, *leaf);
}

bool conflicts(const std::map<std::string, StringMatch>& root, const std::map<std::string, StringMatch>& leaf) {
  return std::any_of(leaf.begin(), leaf.end(), [&](const auto& entry) {
    const auto found = root.find(entry.first);
    return found != root.end() && conflicts(found->second, entry.second);
  });
}

bool conflicts(const config::Labels& root, const config::Labels& leaf) {
  return std::any_of(leaf.begin(), leaf.end(), [&](const auto& label) {
    const auto found = root.find(label.first);
    return found != root.end() && found->second != label.second;
  });
}

bool conflicts(const std::vector<config::Located<std::string>>& root,
               const std::vector<config::Located<std::string>>& leaf) {
  if (root.empty()) return false;
  return std::any_of(leaf.begin(), leaf.end(), [&](const auto& gateway) {
    return std::none_of(root.begin(), root.end(), [&](const auto& other) { return other.value == gateway.value; });
  });
}

bool conflicts(const HttpMatch& root, const HttpMatch& leaf) {
  return conflicts(root.uri, leaf.uri) || conflicts(root.scheme, leaf.scheme) || conflicts(root.method, leaf.method) ||
         conflicts(root.authority, leaf.authority) || conflicts(root.headers, leaf.headers) ||
         conflicts(root.without_headers, leaf.without_headers) || conflicts(root.query_params, leaf.query_params) ||
         root.ignore_uri_case != leaf.ignore_uri_case ||
         (root.port && leaf.port && root.port->value != leaf.port->value) ||
         // Also where the leaf names none: for any namespace is not inside the root's.
         (!root.source_namespace.empty() && root.source_namespace != leaf.source_namespace) ||
         conflicts(root.source_labels, leaf.source_labels) || conflicts(root.gateways, leaf.gateways);
}

std::string join(const std::string& root, const std::string& leaf) {
  if (leaf.empty()) return root;
  return root.empty() ? leaf : root + "-" + leaf;
}

HttpMatch merge(const HttpMatch& root, const HttpMatch& leaf) {
  HttpMatch merged = leaf;
  merged.name = join(root.name, leaf.name);
  if (!merged.uri) merged.uri = root.uri;
  if (!merged.scheme) merged.scheme = root.scheme;
  if (!merged.method) merged.method = root.method;
  if (!merged.authority) merged.authority = root.authority;
  merged.headers.insert(root.headers.begin(), root.headers.end());
  merged.without_headers.insert(root.without_headers.begin(), root.without_headers.end());
  merged.query_params.insert(root.query_params.begin(), root.query_params.end());
  if (!merged.port) merged.port = root.port;
  merged.source_labels.insert(root.source_labels.begin(), root.source_labels.end());
  if (merged.source_namespace.empty()) merged.source_namespace = root.source_namespace;
  if (merged.gateways.empty()) merged.gateways = root.gateways;
  return merged;
}

/// Each entry of the delegate must be inside at least one of the root's.
std::optional<std::vector<HttpMatch>> merge(const std::vector<HttpMatch>& root, const std::vector<HttpMatch>& leaf) {
  if (root.empty()) return leaf;
  if (leaf.empty()) return root;
  std::vector<HttpMatch> merged;
  for (const HttpMatch& entry : leaf) {
    const size_t before = merged.size();
    for (const HttpMatch& outer : root)
      if (!conflicts(outer, entry)) merged.push_back(merge(outer, entry));
    if (merged.size() == before) return std::nullopt;
  }
  return merged;
}

/// Mirror and its percentage are merged apart: the root's percentage holds for a delegate's mirror that says none.
void merge_mirrors(const config::HttpRoute& root, config::HttpRoute& merged) {
  if (merged.mirrors.empty()) {
    merged.mirrors = root.mirrors;
    merged.mirrors_are_list = root.mirrors_are_list;
  }
  if (!merged.mirror_percentage) merged.mirror_percentage = root.mirror_percentage;
  if (merged.mirror_percentage && !merged.mirrors_are_list && !merged.mirrors.empty())
    merged.mirrors.front().percentage = *merged.mirror_percentage;
}

}  // namespace

std::optional<config::HttpRoute> merge_delegate(const config::HttpRoute& root, const config::HttpRoute& route) {
  auto match = merge(root.match, route.match);
  if (!match) return std::nullopt;
  config::HttpRoute merged = route;
  merged.match = *std::move(match);
  merged.name = join(root.name, route.name);
  merged.delegate.reset();
  if (!merged.rewrite) merged.rewrite = root.rewrite;
  if (!merged.direct_response) merged.direct_response = root.direct_response;
  if (!merged.timeout) merged.timeout = root.timeout;
  if (!merged.retries) merged.retries = root.retries;
  if (!merged.fault) merged.fault = root.fault;
  merge_mirrors(root, merged);
  if (!merged.cors_policy) merged.cors_policy = root.cors_policy;
  if (merged.headers.empty()) merged.headers = root.headers;
  return merged;
}

}  // namespace weir::routing
