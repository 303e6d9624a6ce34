#pragma once
// The readers of the Gateway API's kinds. What their CRDs refuse (schema and CEL rules of release 1.6) is refused here,
// in the CRDs' words where they have any.

#include "config/model_gateway_api.h"
#include "config/names.h"
#include "config/yaml_fields.h"

namespace weir::config::gateway_api {

// The `spec` of each kind.
void read_gateway_class(Fields& spec, GatewayClass& object);
void read_gateway(Fields& spec, Gateway& object);
void read_listener_set(Fields& spec, ListenerSet& object);
void read_http_route(Fields& spec, HttpRoute& object);
void read_grpc_route(Fields& spec, GrpcRoute& object);
void read_tcp_route(Fields& spec, TcpRoute& object);
void read_tls_route(Fields& spec, TlsRoute& object);
void read_udp_route(Fields& spec, UdpRoute& object);
void read_reference_grant(Fields& spec, ReferenceGrant& object);
void read_backend_tls_policy(Fields& spec, BackendTlsPolicy& object);

// ---------------------------------------------------------------- names

/// A DNS subdomain in lower case, <= 253: of hosts, section names, groups.
[[nodiscard]] Wrong check_subdomain(std::string_view text);
/// The same, or with "*." in front.
[[nodiscard]] Wrong check_hostname(std::string_view text);
/// The characters that a path may have; at least one.
[[nodiscard]] bool is_path_text(std::string_view text);

// ---------------------------------------------------------------- shared parts

/// Nothing there, null or "": an error "<path> is required".
bool require(Fields& fields, std::string_view key);
/// The list `key` has between `least` and `most` items (an absent one has none).
void check_size(Fields& fields, std::string_view key, size_t least, size_t most);
/// A text of at most `most` bytes which, where it is there, is not empty.
Located<std::string> read_text(Fields& fields, std::string_view key, size_t most = 253);
/// The same, checked.
Located<std::string> read_checked(Fields& fields, std::string_view key, Wrong (*check)(std::string_view));
/// A list of at most `most` different texts.
std::vector<Located<std::string>> read_set(Fields& fields, std::string_view key, size_t most);
/// "1h30m", "500ms": the API's own form, without sign, fraction or microseconds (GEP-2257).
std::optional<Located<Duration>> read_duration(Fields& fields, std::string_view key);

/// group, kind, name and namespace. `group` and `kind`: what they are where they are absent; nullptr: required.
ObjectReference read_reference(Fields& fields, const char* group, const char* kind);
/// group, kind and namespace of a ReferenceGrant.
ObjectReference read_grant_side(Fields& fields);
/// "<what> <text> is given twice".
void report_twice(Context& context, Position at, std::string_view what, std::string_view text);
ParentReference read_parent(Fields& fields);
/// parentRefs, with what must hold of all of them.
std::vector<ParentReference> read_parents(Fields& fields);
BackendReference read_backend(Fields& fields);
std::vector<Located<std::string>> read_hostnames(Fields& fields, size_t most);
std::string read_scope(Fields& fields, std::string_view key);
std::vector<Listener> read_listeners(Fields& fields);
/// A map of texts with at most `most` entries.
Labels read_options(Fields& fields, std::string_view key, size_t most, size_t longest);

std::vector<HttpMatch> read_http_matches(Fields& fields);
std::vector<GrpcMatch> read_grpc_matches(Fields& fields);
/// `name`, of a header.
std::string read_header_name(Fields& fields);
/// `value`, of a header.
void check_header_text(Fields& fields, const Located<std::string>& value);

std::vector<Filter> read_filters(Fields& fields, bool grpc);
RequestMirror read_mirror(Fields& fields);
Cors read_cors_filter(Fields& fields);
ExternalAuth read_external_auth(Fields& fields);

}  // namespace weir::config::gateway_api
