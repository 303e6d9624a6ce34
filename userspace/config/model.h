#pragma once
// What the user wrote, as written: Istio's and Kubernetes' objects, each with its place in the files.
// Names are not completed, defaults not filled in, references not followed: that is routing's work (build_table).
// Field meanings: reference semantics 1.0-1.6; names are Istio's and Kubernetes' own, in snake_case.
//
// Objects are immutable once read and shared by pointer: an object of an unchanged file keeps its address,
// which is how later stages know that nothing changed.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ip_address.h"
#include "config/diagnostic.h"

namespace weir::config {

/// A scalar and where it stands.
template <class T>
struct Located {
  T value{};
  Position at;
};

using Labels = std::map<std::string, std::string>;
using Duration = std::chrono::nanoseconds;

/// A share in steps of 0.0001 %: 1'000'000 is all. Range 0..1'000'000.
struct Percent {
  uint32_t parts_per_million = 0;
  Position at;
};

enum class Kind {
  kVirtualService,
  kDestinationRule,
  kGateway,
  kServiceEntry,
  kWorkloadEntry,
  kService,
  kEndpoints,
  kEndpointSlice,
  kPod,
  kNamespace,
};
/// "VirtualService".
std::string_view to_string(Kind kind);

struct Metadata {
  Kind kind{};
  std::string api_version;
  std::string name;
  std::string namespace_;  // "default" where the file has none; empty for Namespace objects
  std::string uid;
  Labels labels;
  Labels annotations;
  std::map<std::string, Position> annotations_at;
  /// Seconds since the epoch. Absent in the file: 2024-01-01T00:00:00Z, so that age order is the same everywhere.
  int64_t creation_timestamp = 1704067200;
  std::string file;  // as given by the user
  Position at;       // of the object's first key
  Position name_at;  // of metadata.name's value
  /// Of the text that the object was read from: equal for equal text. 0: unknown.
  uint64_t fingerprint = 0;
  /// "VirtualService default/reviews".
  [[nodiscard]] std::string describe() const;
};

// ---------------------------------------------------------------- VirtualService

struct StringMatch {
  enum class Type { kExact, kPrefix, kRegex, kPresent };
  Type type = Type::kPresent;
  std::string value;  // empty for kPresent. A header regex of "*" is read as kPresent (istio#20629)
  Position at;
};

struct HttpMatch {
  Position at;
  std::string name;
  std::optional<StringMatch> uri, scheme, method, authority;
  bool ignore_uri_case = false;
  std::map<std::string, StringMatch> headers;          // names in lower case
  std::map<std::string, StringMatch> without_headers;  // names in lower case
  std::map<std::string, StringMatch> query_params;
  std::optional<Located<uint16_t>> port;
  Labels source_labels;
  std::string source_namespace;
  std::vector<Located<std::string>> gateways;
};

struct Destination {
  Position at;
  Located<std::string> host;
  Located<std::string> subset;  // value empty: none
  std::optional<Located<uint16_t>> port;
};

struct HeaderOperations {
  // In file order; names as written.
  std::vector<std::pair<std::string, std::string>> set, add;
  std::vector<std::string> remove;
  [[nodiscard]] bool empty() const { return set.empty() && add.empty() && remove.empty(); }
};
struct Headers {
  HeaderOperations request, response;
  [[nodiscard]] bool empty() const { return request.empty() && response.empty(); }
};

/// One entry of route[], http or tcp/tls.
struct WeightedDestination {
  Position at;
  Destination destination;
  std::optional<Located<uint32_t>> weight;  // 0..1'000'000'000
  Headers headers;                          // http only
};

struct HttpRedirect {
  Position at;
  std::string uri, authority, scheme;
  std::optional<std::string> uri_prefix;  // prefixRewrite
  std::optional<uint16_t> port;
  enum class DerivePort { kNone, kFromProtocolDefault, kFromRequestPort };
  DerivePort derive_port = DerivePort::kNone;
  uint16_t code = 301;
};

struct DirectResponse {
  Position at;
  uint16_t status = 200;
  std::string body;  // string, or decoded bytes
};

struct RegexRewrite {
  std::string match, rewrite;
};
struct HttpRewrite {
  Position at;
  std::string uri, authority;
  std::optional<RegexRewrite> uri_regex;
};

struct HttpRetry {
  Position at;
  uint32_t attempts = 0;
  std::optional<Duration> per_try_timeout, backoff;
  std::optional<std::string> retry_on;  // as written
  std::optional<bool> retry_remote_localities, retry_ignore_previous_hosts;
};

struct FaultDelay {
  Position at;
  Duration fixed_delay{};
  Percent percentage;  // absent in the file: 0 (semantics 1.2)
};
struct FaultAbort {
  Position at;
  std::optional<uint16_t> http_status;
  std::string grpc_status;  // name; empty: none
  Percent percentage;       // absent in the file: 0
};
struct HttpFault {
  std::optional<FaultDelay> delay;
  std::optional<FaultAbort> abort;
};

struct Mirror {
  Position at;
  Destination destination;
  Percent percentage{1'000'000, {}};
};

struct CorsPolicy {
  Position at;
  std::vector<StringMatch> allow_origins;
  std::vector<std::string> allow_methods, allow_headers, expose_headers;
  std::optional<Duration> max_age;
  std::optional<bool> allow_credentials;
  enum class UnmatchedPreflights { kForward, kIgnore };
  UnmatchedPreflights unmatched_preflights = UnmatchedPreflights::kForward;
};

struct Delegate {
  Position at;
  Located<std::string> name;
  std::string namespace_;
};

struct HttpRoute {
  Position at;
  std::string name;
  std::vector<HttpMatch> match;  // OR; empty: always
  std::vector<WeightedDestination> route;
  std::optional<HttpRedirect> redirect;
  std::optional<DirectResponse> direct_response;
  std::optional<Delegate> delegate;
  std::optional<HttpRewrite> rewrite;
  std::optional<Located<Duration>> timeout;
  std::optional<HttpRetry> retries;
  std::optional<HttpFault> fault;
  std::vector<Mirror> mirrors;  // `mirror` is read as a list of one
  std::optional<CorsPolicy> cors_policy;
  Headers headers;
};

struct L4Match {
  Position at;
  std::vector<Cidr> destination_subnets;
  std::optional<Cidr> source_subnet;
  std::optional<Located<uint16_t>> port;
  Labels source_labels;
  std::string source_namespace;
  std::vector<Located<std::string>> gateways;
  std::vector<Located<std::string>> sni_hosts;  // tls only
};

/// One entry of tcp[] or tls[].
struct L4Route {
  Position at;
  std::vector<L4Match> match;
  std::vector<WeightedDestination> route;
};

struct VirtualService {
  Metadata meta;
  std::vector<Located<std::string>> hosts;
  std::vector<Located<std::string>> gateways;
  std::vector<HttpRoute> http;
  std::vector<L4Route> tcp, tls;
  std::vector<Located<std::string>> export_to;
};

// ---------------------------------------------------------------- DestinationRule

struct LoadBalancer {
  Position at;
  enum class Simple { kUnspecified, kRoundRobin, kRandom, kLeastRequest, kPassthrough };
  Simple simple = Simple::kUnspecified;
  struct ConsistentHash {
    std::string http_header_name, http_query_parameter_name;
    struct Cookie {
      std::string name, path;
      std::optional<Duration> ttl;
    };
    std::optional<Cookie> http_cookie;
    bool use_source_ip = false;
    uint64_t minimum_ring_size = 1024;
    std::optional<uint64_t> maglev_table_size;
  };
  std::optional<ConsistentHash> consistent_hash;
  bool has_locality_setting = false;
  std::optional<Duration> warmup;
};

struct ConnectionPool {
  Position at;
  // tcp
  std::optional<uint32_t> max_connections;
  std::optional<Duration> connect_timeout, max_connection_duration, tcp_idle_timeout;
  bool has_tcp_keepalive = false;
  // http
  std::optional<uint32_t> http1_max_pending_requests, http2_max_requests, max_requests_per_connection, max_retries;
  std::optional<Duration> http_idle_timeout;
};

struct OutlierDetection {
  Position at;
  std::optional<uint32_t> consecutive_5xx_errors, consecutive_gateway_errors, consecutive_local_origin_failures;
  bool split_external_local_origin_errors = false;
  std::optional<Duration> interval, base_ejection_time;
  std::optional<uint32_t> max_ejection_percent, min_health_percent;
};

struct ClientTls {
  Position at;
  enum class Mode { kDisable, kSimple, kMutual, kIstioMutual };
  Mode mode = Mode::kDisable;
  bool verifies_server = false;  // caCertificates, or insecureSkipVerify: the user said which
  bool has_credential = false;   // credentialName
};

struct TrafficPolicy {
  Position at;
  std::optional<LoadBalancer> load_balancer;
  std::optional<ConnectionPool> connection_pool;
  std::optional<OutlierDetection> outlier_detection;
  std::optional<ClientTls> tls;
  /// port_level_settings: by service port; replaces the whole policy for that port.
  std::map<uint16_t, TrafficPolicy> port_level;
};

struct Subset {
  Position at;
  Located<std::string> name;
  Labels labels;
  std::optional<TrafficPolicy> traffic_policy;
};

struct DestinationRule {
  Metadata meta;
  Located<std::string> host;
  std::vector<Subset> subsets;
  std::optional<TrafficPolicy> traffic_policy;
  std::vector<Located<std::string>> export_to;
  Labels workload_selector;
};

// ---------------------------------------------------------------- Gateway

struct GatewayServer {
  Position at;
  std::string name;
  Located<uint16_t> port;
  std::string port_name;
  std::string protocol;  // upper case: HTTP, HTTPS, GRPC, GRPC-WEB, HTTP2, MONGO, TCP, TLS
  std::vector<Located<std::string>> hosts;
  std::string bind;
  enum class Tls { kNone, kPassthrough, kSimple, kMutual, kOptionalMutual, kAutoPassthrough, kIstioMutual };
  Tls tls = Tls::kNone;
  bool https_redirect = false;
};

struct Gateway {
  Metadata meta;
  Labels selector;
  std::vector<GatewayServer> servers;
};

// ---------------------------------------------------------------- ServiceEntry, WorkloadEntry

/// The part that a ServiceEntry's inline endpoints and a WorkloadEntry share.
struct Workload {
  Position at;
  Located<std::string> address;  // IP, FQDN, unix:// path, or empty
  std::map<std::string, uint16_t> ports;
  Labels labels;
  uint32_t weight = 0;  // 0 or absent counts as 1 (istio-facts 24)
  std::string locality, network, service_account;
};

struct ServiceEntryPort {
  Position at;
  uint16_t number = 0;
  std::string name, protocol;  // protocol in upper case
  uint16_t target_port = 0;    // 0: none
};

struct ServiceEntry {
  Metadata meta;
  std::vector<Located<std::string>> hosts;
  std::vector<Located<std::string>> addresses;   // IP or CIDR
  std::vector<std::string> allocated_addresses;  // status.addresses: what Istio's control plane gave to hosts without
  std::vector<ServiceEntryPort> ports;
  enum class Location { kMeshExternal, kMeshInternal };
  Location location = Location::kMeshExternal;
  enum class Resolution { kNone, kStatic, kDns, kDnsRoundRobin, kDynamicDns };
  Located<Resolution> resolution{Resolution::kNone, {}};
  std::vector<Workload> endpoints;
  std::optional<Labels> workload_selector;
  std::vector<Located<std::string>> export_to;
};

struct WorkloadEntry {
  Metadata meta;
  Workload workload;
};

// ---------------------------------------------------------------- Kubernetes

struct ServicePort {
  Position at;
  std::string name;
  uint16_t port = 0;
  uint16_t target_port = 0;      // 0: same as port, or named
  std::string target_port_name;  // empty: numeric
  std::string protocol = "TCP";  // TCP, UDP, SCTP
  std::string app_protocol;
  uint16_t node_port = 0;
};

struct Service {
  Metadata meta;
  std::string type = "ClusterIP";        // ClusterIP, NodePort, LoadBalancer, ExternalName
  std::vector<std::string> cluster_ips;  // "None" when headless
  Labels selector;
  std::vector<ServicePort> ports;
  std::string external_name;
  std::vector<std::string> external_ips, load_balancer_ips;
  bool external_traffic_policy_local = false;
  [[nodiscard]] bool headless() const { return !cluster_ips.empty() && cluster_ips.front() == "None"; }
};

struct EndpointPort {
  std::string name;
  uint16_t port = 0;
  std::string protocol = "TCP";
  std::string app_protocol;
};

struct EndpointAddress {
  Position at;
  std::vector<std::string> addresses;
  /// Absent conditions: ready (KEP-752).
  bool ready = true, serving = true, terminating = false;
  std::string node_name, zone, hostname;
  std::string pod_namespace, pod_name;  // targetRef of kind Pod; empty: none
};

struct EndpointSlice {
  Metadata meta;
  std::string service_name;  // label kubernetes.io/service-name
  std::string address_type;  // IPv4, IPv6, FQDN
  std::vector<EndpointAddress> endpoints;
  std::vector<EndpointPort> ports;
};

/// Legacy core/v1 Endpoints, one subset an entry; named like its Service. Ignored where the Service has EndpointSlices.
struct Endpoints {
  Metadata meta;
  struct Subset {
    std::vector<EndpointAddress> addresses;  // notReadyAddresses are here with ready = false
    std::vector<EndpointPort> ports;
  };
  std::vector<Subset> subsets;
};

struct ContainerPort {
  std::string name;
  uint16_t port = 0;
  std::string protocol = "TCP";
};

struct Pod {
  Metadata meta;
  std::vector<std::string> ips;
  std::string phase, node_name;
  bool ready = false;  // condition Ready
  bool host_network = false;
  std::vector<ContainerPort> ports;
};

struct Namespace {
  Metadata meta;
};

using AnyObject = std::variant<VirtualService, DestinationRule, Gateway, ServiceEntry, WorkloadEntry, Service,
                               Endpoints, EndpointSlice, Pod, Namespace>;
using ObjectPtr = std::shared_ptr<const AnyObject>;

[[nodiscard]] const Metadata& metadata(const AnyObject& object);
/// One line for tests and bug reports: "DestinationRule default/reviews host=reviews subsets=v1{version=v1}". Stable.
[[nodiscard]] std::string to_text(const AnyObject& object);

/// Mesh-wide settings (MeshConfig), from `mesh.yaml` in the folder (a file without kind) or an `istio` ConfigMap's
/// `mesh` key.
struct MeshConfig {
  std::string cluster_domain = "cluster.local";
  std::string root_namespace = "istio-system";
  enum class OutboundPolicy { kAllowAny, kRegistryOnly };
  OutboundPolicy outbound_traffic_policy = OutboundPolicy::kAllowAny;
  enum class PathNormalization { kNone, kBase, kMergeSlashes, kDecodeAndMergeSlashes };
  PathNormalization path_normalization = PathNormalization::kBase;
};

}  // namespace weir::config
