#include "routing/hosts.h"

#include <algorithm>

#include "base/ip_address.h"

namespace weir::routing {

std::string to_lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return lower;
}

std::string service_host(std::string_view name, std::string_view namespace_, std::string_view cluster_domain) {
  std::string host;
  host.reserve(name.size() + namespace_.size() + cluster_domain.size() + 6);
  host.append(name).append(".").append(namespace_).append(".svc.").append(cluster_domain);
  return host;
}

std::string full_host(std::string_view host, std::string_view namespace_, std::string_view cluster_domain) {
  std::string lower = to_lower(host);
  // An IPv6 address has no dot and is no name either.
  if (lower.empty() || lower.find('.') != std::string::npos || lower.front() == '*' ||
      lower.find(':') != std::string::npos)
    return lower;
  return service_host(lower, namespace_, cluster_domain);
}

bool is_wildcard(std::string_view host) {
  return !host.empty() && host.front() == '*';
}

bool host_matches(std::string_view pattern, std::string_view host) {
  if (!is_wildcard(pattern)) return pattern == host;
  const std::string_view suffix = pattern.substr(1);
  return host.size() > suffix.size() ? host.ends_with(suffix) : suffix.empty();
}

bool hosts_overlap(std::string_view a, std::string_view b) {
  if (!is_wildcard(a)) return host_matches(b, a);
  if (!is_wildcard(b)) return host_matches(a, b);
  return a.substr(1).ends_with(b.substr(1)) || b.substr(1).ends_with(a.substr(1));
}

std::string_view without_port(std::string_view authority) {
  if (!authority.empty() && authority.front() == '[') {
    const size_t end = authority.find(']');
    return end == std::string_view::npos ? authority : authority.substr(1, end - 1);
  }
  const size_t colon = authority.find(':');
  // More than one colon and no brackets: a bare IPv6 address.
  if (colon == std::string_view::npos || authority.find(':', colon + 1) != std::string_view::npos) return authority;
  return authority.substr(0, colon);
}

std::string full_gateway(std::string_view gateway, std::string_view namespace_) {
  if (gateway == "mesh") return "mesh";
  if (gateway.starts_with("./")) gateway.remove_prefix(2);
  if (gateway.find('/') != std::string_view::npos) return std::string(gateway);
  const size_t dot = gateway.find('.');
  if (dot != std::string_view::npos) {
    const std::string_view rest = gateway.substr(dot + 1);
    return std::string(rest.substr(0, rest.find('.'))).append("/").append(gateway.substr(0, dot));
  }
  return std::string(namespace_).append("/").append(gateway);
}

}  // namespace weir::routing
