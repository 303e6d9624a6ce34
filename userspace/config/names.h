#pragma once
// Which names are well formed: Kubernetes' DNS labels, Istio's host names and header names, ports, regular expressions.
// Each check returns what is wrong, in words that follow the name ("..."), or std::nullopt when nothing is.
// Source: istio/istio pkg/config/validation (agent/validation.go, validation.go).

#include <optional>
#include <string>
#include <string_view>

#include "config/model.h"

namespace weir::config {

using Wrong = std::optional<std::string>;

[[nodiscard]] bool is_dns_label(std::string_view text);  // RFC 1123, lower case, <= 63
[[nodiscard]] bool is_host_label(
    std::string_view text);                       // the same in either case: what Istio asks of subsets, namespaces
[[nodiscard]] bool is_ip(std::string_view text);  // also IPv6 with leading zeros ("001:db8::"), as Go's netip takes
/// metadata.name: DNS labels with dots, <= 253.
[[nodiscard]] Wrong check_object_name(std::string_view name);
/// A host name without wildcard; short names pass. A trailing dot passes.
[[nodiscard]] Wrong check_fqdn(std::string_view host);
/// The same, or "*", or "*" in front of a host name ("*.com", "*-suffix.com").
[[nodiscard]] Wrong check_wildcard_domain(std::string_view host);
/// The same, or what istiod makes for AUTO_PASSTHROUGH: "outbound_.80_._.reviews.default.svc.cluster.local".
[[nodiscard]] Wrong check_sni_domain(std::string_view host);
/// "name" or "namespace/name" or a legacy full name.
[[nodiscard]] Wrong check_gateway_name(std::string_view name);
/// RFC 9110 token, or a pseudo header (":path").
[[nodiscard]] Wrong check_header_name(std::string_view name);
/// A value with Envoy's format: "%REQ(X)%", "%%"; a lone "%" is wrong, and so are control characters.
[[nodiscard]] Wrong check_header_value(std::string_view value);
/// RE2, 1 to 1024 characters.
[[nodiscard]] Wrong check_regex(std::string_view pattern);
/// What follows "unix://": an absolute path to a file, or "@name".
[[nodiscard]] Wrong check_unix_path(std::string_view path);
/// Carries requests (gRPC too), as ports name their protocol in upper case.
[[nodiscard]] bool is_http_protocol(std::string_view protocol);
[[nodiscard]] bool is_tls_protocol(std::string_view protocol);
/// A Kubernetes label's key and value.
[[nodiscard]] Wrong check_label(std::string_view key, std::string_view value);

/// The same host or one covers the other: "*.com" and "a.com". No case.
[[nodiscard]] bool hosts_overlap(std::string_view a, std::string_view b);
/// `inner` is `outer`, or below it: "a.foo.com" in "*.foo.com", "*.foo.com" in "*.com".
[[nodiscard]] bool host_covers(std::string_view outer, std::string_view inner);

[[nodiscard]] std::string to_lower(std::string_view text);
[[nodiscard]] std::string to_upper(std::string_view text);
/// `"text"`, cut at 100 bytes.
[[nodiscard]] std::string quote(std::string_view text);

}  // namespace weir::config
