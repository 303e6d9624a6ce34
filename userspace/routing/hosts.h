#pragma once
// Host names: how short ones are completed and how wildcards match (semantics 1.0).

#include <string>
#include <string_view>

namespace weir::routing {

/// ASCII only, as DNS compares.
[[nodiscard]] std::string to_lower(std::string_view text);
/// A name without a dot becomes NAME.NAMESPACE.svc.DOMAIN, in the namespace of the object that wrote it; names with a
/// dot, addresses and wildcards stay. In lower case.
[[nodiscard]] std::string full_host(std::string_view host, std::string_view namespace_,
                                    std::string_view cluster_domain);
/// "NAME.NAMESPACE.svc.DOMAIN".
[[nodiscard]] std::string service_host(std::string_view name, std::string_view namespace_,
                                       std::string_view cluster_domain);
[[nodiscard]] bool is_wildcard(std::string_view host);
/// `pattern`: exact, "*.x" (any depth, not x itself) or "*". Both in lower case.
[[nodiscard]] bool host_matches(std::string_view pattern, std::string_view host);
/// Whether some name matches both.
[[nodiscard]] bool hosts_overlap(std::string_view a, std::string_view b);
/// "a:80", "[::1]:80", "a" without the port; brackets go too.
[[nodiscard]] std::string_view without_port(std::string_view authority);
/// "ns/name" as it is, "name" and "./name" in `namespace_`, "mesh" as it is, "name.ns.svc.DOMAIN" (deprecated) as
/// "ns/name".
[[nodiscard]] std::string full_gateway(std::string_view gateway, std::string_view namespace_);

}  // namespace weir::routing
