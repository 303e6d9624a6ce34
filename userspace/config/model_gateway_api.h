#pragma once
// The Gateway API's kinds (gateway.networking.k8s.io, release 1.6, standard and experimental channel), as written but
// for the defaults that the API server itself fills in when it stores an object: group and kind of references, weight
// 1, path "/" and so on. So an object of a folder and the same object of an API server are equal here. References are
// not followed, names not completed. Field meanings: reference semantics 2. Include config/model.h.
//
// Every field of the CRDs' `spec` is here; whether Weir honours a field is for whoever builds rules to say.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/model_common.h"
#include "config/model_virtual_service.h"

namespace weir::config::gateway_api {

inline constexpr const char* kGroup = "gateway.networking.k8s.io";
/// Of kinds that may come: XListenerSet, XMesh, XBackend, XBackendTrafficPolicy. Not read, with a warning.
inline constexpr const char* kExperimentalGroup = "gateway.networking.x-k8s.io";

// ---------------------------------------------------------------- references

/// To a Secret, a ConfigMap, the parameters of a controller. Group empty: the core group.
struct ObjectReference {
  Position at;
  std::string group, kind;
  Located<std::string> name;
  std::string namespace_;  // empty: that of the object which refers
};

/// What a route attaches to: a Gateway, a ListenerSet, or a Service (mesh).
struct ParentReference {
  Position at;
  std::string group = kGroup, kind = "Gateway";
  Located<std::string> name;
  std::string namespace_;             // empty: the route's
  Located<std::string> section_name;  // a listener's, or a Service port's; empty: all
  std::optional<Located<uint16_t>> port;
  [[nodiscard]] bool is_gateway() const { return group == kGroup && kind == "Gateway"; }
  [[nodiscard]] bool is_service() const { return group.empty() && kind == "Service"; }
};

struct BackendReference {
  Position at;
  std::string group, kind = "Service";
  Located<std::string> name;
  std::string namespace_;                 // empty: the route's; another's needs a ReferenceGrant
  std::optional<Located<uint16_t>> port;  // always there for a Service
  Located<uint32_t> weight{1, {}};        // 0..1'000'000; 0: no traffic, even alone
  [[nodiscard]] bool is_service() const { return group.empty() && kind == "Service"; }
};

/// metav1.LabelSelector: all must hold. Nothing in it: everything.
struct LabelSelector {
  Labels match_labels;
  struct Expression {
    Position at;
    std::string key;
    enum class Operator { kIn, kNotIn, kExists, kDoesNotExist };
    Operator op = Operator::kIn;
    std::vector<std::string> values;
  };
  std::vector<Expression> match_expressions;
};

// ---------------------------------------------------------------- GatewayClass, Gateway, ListenerSet

struct GatewayClass {
  Metadata meta;
  Located<std::string> controller_name;  // "weir.dev/gateway-controller"
  std::string description;
  std::optional<ObjectReference> parameters_ref;
};

struct AllowedRoutes {
  enum class From { kSame, kAll, kSelector, kNone };
  From from = From::kSame;
  std::optional<LabelSelector> selector;  // for kSelector; none there: no namespace
  struct RouteKind {
    Position at;
    std::string group = kGroup, kind;
  };
  std::vector<RouteKind> kinds;  // empty: those that the protocol allows
};

struct ListenerTls {
  Position at;
  enum class Mode { kTerminate, kPassthrough };
  Mode mode = Mode::kTerminate;
  std::vector<ObjectReference> certificate_refs;
  Labels options;
};

struct Listener {
  Position at;
  Located<std::string> name;
  Located<std::string> hostname;  // may begin with "*."; empty: every host
  Located<uint16_t> port;
  Located<std::string> protocol;  // HTTP, HTTPS, TLS, TCP, UDP, or "example.com/name"
  std::optional<ListenerTls> tls;
  AllowedRoutes allowed_routes;
};

/// How clients of a gateway must prove who they are (spec.tls.frontend).
struct FrontendValidation {
  enum class Mode { kAllowValidOnly, kAllowInsecureFallback };
  Mode mode = Mode::kAllowValidOnly;
  std::vector<ObjectReference> ca_certificate_refs;
};
struct PortFrontendTls {
  Position at;
  uint16_t port = 0;
  std::optional<FrontendValidation> validation;
};

struct Gateway {
  Metadata meta;
  Located<std::string> gateway_class_name;
  std::vector<Listener> listeners;
  struct Address {
    Position at;
    std::string type = "IPAddress";  // IPAddress, Hostname, NamedAddress, or "example.com/name"
    std::string value;               // empty: any of this type
  };
  std::vector<Address> addresses;
  struct Infrastructure {
    Position at;
    Labels labels, annotations;
    std::optional<ObjectReference> parameters_ref;
  };
  std::optional<Infrastructure> infrastructure;
  /// Which namespaces' ListenerSets may add listeners (allowedListeners); kinds is unused.
  AllowedRoutes allowed_listeners{AllowedRoutes::From::kNone, {}, {}};
  std::optional<ObjectReference> backend_client_certificate;  // tls.backend.clientCertificateRef
  std::optional<FrontendValidation> frontend_validation;      // tls.frontend.default
  std::vector<PortFrontendTls> frontend_per_port;
  std::string default_scope;  // experimental: "All", "None" or empty
};

struct ListenerSet {
  Metadata meta;
  ParentReference parent;
  std::vector<Listener> listeners;
};

// ---------------------------------------------------------------- matches

struct PathMatch {
  Position at;  // of its value where there is one
  enum class Type { kExact, kPathPrefix, kRegularExpression };
  Type type = Type::kPathPrefix;
  std::string value = "/";
};

/// A header or a query parameter.
struct ValueMatch {
  Position at;
  std::string name;  // as written; of headers that differ in case alone, only the first counts
  enum class Type { kExact, kRegularExpression };
  Type type = Type::kExact;
  std::string value;
};

/// All must hold.
struct HttpMatch {
  Position at;
  PathMatch path;
  std::vector<ValueMatch> headers, query_params;  // in file order
  Located<std::string> method;                    // upper case; empty: any
};

struct GrpcMatch {
  Position at;
  struct Method {
    Position at;
    enum class Type { kExact, kRegularExpression };
    Type type = Type::kExact;
    std::string service, method;  // empty: any; not both
  };
  std::optional<Method> method;
  std::vector<ValueMatch> headers;
};

// ---------------------------------------------------------------- filters

struct PathModifier {
  Position at;
  enum class Type { kReplaceFullPath, kReplacePrefixMatch };
  Type type = Type::kReplaceFullPath;
  std::string value;
};

struct RequestRedirect {
  Position at;
  std::string scheme;    // http, https or empty: the request's
  std::string hostname;  // empty: the request's
  std::optional<PathModifier> path;
  std::optional<uint16_t> port;
  uint16_t status_code = 302;  // 301, 302, 303, 307, 308
};

struct UrlRewrite {
  Position at;
  std::string hostname;  // empty: as it is
  std::optional<PathModifier> path;
};

struct RequestMirror {
  Position at;
  BackendReference backend;  // its weight is unused
  /// How many of how many requests: `percent` is read as percent of 100, none of both as all.
  uint32_t numerator = 100, denominator = 100;
};

struct Cors {
  Position at;
  std::vector<Located<std::string>> allow_origins;  // "*", "https://host", "https://*.host:8443", "https://*"
  std::vector<std::string> allow_methods, allow_headers, expose_headers;
  bool allow_credentials = false;
  uint32_t max_age_seconds = 5;
};

/// Experimental.
struct ExternalAuth {
  Position at;
  enum class Protocol { kHttp, kGrpc };
  Protocol protocol = Protocol::kHttp;
  BackendReference backend;  // its weight is unused
  std::string http_path;
  std::vector<std::string> allowed_headers, allowed_response_headers;
  std::optional<uint32_t> forward_body_max_size;  // none: the body is not forwarded
};

/// Of HTTPRoute and GRPCRoute (which have fewer types). Exactly the member that `type` names is filled.
struct Filter {
  Position at;
  enum class Type {
    kRequestHeaderModifier,
    kResponseHeaderModifier,
    kRequestMirror,
    kRequestRedirect,
    kUrlRewrite,
    kCors,
    kExtensionRef,
    kExternalAuth,
  };
  Type type{};
  HeaderOperations headers;  // of both header modifiers
  std::optional<RequestMirror> mirror;
  std::optional<RequestRedirect> redirect;
  std::optional<UrlRewrite> rewrite;
  std::optional<Cors> cors;
  std::optional<ObjectReference> extension;
  std::optional<ExternalAuth> external_auth;
};

// ---------------------------------------------------------------- rules

/// A BackendReference and what is done to the requests that go there.
struct RouteBackend {
  BackendReference ref;
  std::vector<Filter> filters;
};

/// Experimental.
struct Retry {
  Position at;
  std::vector<uint16_t> codes;  // 400..599
  std::optional<uint32_t> attempts;
  std::optional<Duration> backoff;
};

/// Experimental (GEP-1619).
struct SessionPersistence {
  Position at;
  enum class Type { kCookie, kHeader };
  Type type = Type::kCookie;
  std::string session_name;
  std::optional<Duration> absolute_timeout;
  enum class CookieLifetime { kSession, kPermanent };
  CookieLifetime cookie_lifetime = CookieLifetime::kSession;
};

struct HttpRule {
  Position at;
  Located<std::string> name;  // empty: none
  /// Any must hold. Never empty: the default is one of PathPrefix "/".
  std::vector<HttpMatch> matches;
  std::vector<Filter> filters;
  std::vector<RouteBackend> backends;                                         // empty, and no redirect: 500
  std::optional<Located<Duration>> request_timeout, backend_request_timeout;  // 0: none
  std::optional<Retry> retry;
  std::optional<SessionPersistence> session_persistence;
};

struct GrpcRule {
  Position at;
  Located<std::string> name;
  std::vector<GrpcMatch> matches;  // any must hold; empty: every call
  std::vector<Filter> filters;
  std::vector<RouteBackend> backends;
  std::optional<SessionPersistence> session_persistence;
};

/// Of TCPRoute, TLSRoute, UDPRoute.
struct L4Rule {
  Position at;
  Located<std::string> name;
  std::vector<BackendReference> backends;
};

// ---------------------------------------------------------------- routes

struct HttpRoute {
  Metadata meta;
  std::vector<ParentReference> parents;
  std::vector<Located<std::string>> hostnames;  // lower case, may begin with "*."; empty: the listener's
  /// Without `rules`: one for PathPrefix "/" that has no backends.
  std::vector<HttpRule> rules;
  std::string use_default_gateways;  // experimental: "All", "None" or empty
};

struct GrpcRoute {
  Metadata meta;
  std::vector<ParentReference> parents;
  std::vector<Located<std::string>> hostnames;
  std::vector<GrpcRule> rules;
  std::string use_default_gateways;
};

/// The part that TCPRoute, TLSRoute and UDPRoute share.
struct L4RouteBody {
  std::vector<ParentReference> parents;
  std::vector<Located<std::string>> hostnames;  // of the TLS client hello; TLSRoute only; never empty in v1
  std::vector<L4Rule> rules;                    // exactly one
  std::string use_default_gateways;
};
struct TcpRoute {
  Metadata meta;
  L4RouteBody route;
};
struct TlsRoute {
  Metadata meta;
  L4RouteBody route;
};
struct UdpRoute {
  Metadata meta;
  L4RouteBody route;
};

// ---------------------------------------------------------------- ReferenceGrant, BackendTLSPolicy

/// Lets objects of other namespaces refer to objects of this one.
struct ReferenceGrant {
  Metadata meta;
  struct From {
    Position at;
    std::string group, kind, namespace_;
  };
  struct To {
    Position at;
    std::string group, kind;
    std::string name;  // empty: every object of this kind
  };
  std::vector<From> from;
  std::vector<To> to;
};

struct BackendTlsPolicy {
  Metadata meta;
  struct Target {
    Position at;
    std::string group, kind;
    Located<std::string> name;
    std::string section_name;  // a Service port's name; empty: all
  };
  std::vector<Target> targets;
  Located<std::string> hostname;  // for SNI, and what the certificate must say where there are no other names
  std::vector<ObjectReference> ca_certificate_refs;
  std::string well_known_ca_certificates;  // "System", or "example.com/name"; empty: ca_certificate_refs
  struct SubjectAltName {
    Position at;
    enum class Type { kHostname, kUri };
    Type type = Type::kHostname;
    std::string value;
  };
  std::vector<SubjectAltName> subject_alt_names;
  Labels options;
};

}  // namespace weir::config::gateway_api
