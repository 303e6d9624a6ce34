#pragma once
// One function a kind: fields to object. Faults go to the context; the object holds what could be read.
// What Istio's admission refuses is refused here, where the place of each field is known
// (rules: istio/istio pkg/config/validation; reference semantics 3.1).

#include "config/model.h"
#include "config/yaml_fields.h"

namespace weir::config {

/// `metadata`; the context learns the object's name. `meta.kind` is set by the caller.
void read_metadata(Fields& root, Metadata& meta);

// The `spec` of Istio's objects.
void read_virtual_service(Fields& spec, VirtualService& object);
void read_destination_rule(Fields& spec, DestinationRule& object);
void read_gateway(Fields& spec, Gateway& object);
void read_service_entry(Fields& spec, ServiceEntry& object);
/// `status.addresses`, of the whole object.
void read_service_entry_status(Fields& root, ServiceEntry& object);
void read_workload_entry(Fields& spec, WorkloadEntry& object);

// The whole of Kubernetes' objects.
void read_service(Fields& root, Service& object);
void read_endpoints(Fields& root, Endpoints& object);
void read_endpoint_slice(Fields& root, EndpointSlice& object);
void read_pod(Fields& root, Pod& object);

/// MeshConfig's own fields, of `mesh.yaml` or of the `istio` ConfigMap.
void read_mesh(Fields& root, MeshConfig& mesh);

// ---------------------------------------------------------------- shared parts

/// Not there, null or []: as opposed to there and faulty, which was reported already.
bool is_absent_or_empty(Fields& fields, std::string_view key);

struct StringMatchRules {
  bool allow_empty_prefix = false;  // uri
  bool star_is_presence = false;    // headers: the regex "*" (istio#20629)
};
std::optional<StringMatch> read_string_match(Context& context, const Node& node, const Path& path,
                                             StringMatchRules rules);

Destination read_destination(Fields& fields);
/// Of a field "destination" that must be there.
Destination read_destination_field(Fields& fields);
Headers read_headers(Fields& fields);

/// route[]: the destinations and their weights. `http`: with header operations.
std::vector<WeightedDestination> read_destinations(Fields& fields, bool http);

/// {value: 12.5} in percent. Refuses what is outside of {0} and 0.0001..100 (`fault`), or of 0..100.
std::optional<Percent> read_percent(Fields& fields, std::string_view key, bool fault);
/// A duration of at least 1 ms and whole milliseconds (Istio's ValidateDuration).
std::optional<Located<Duration>> read_positive_duration(Fields& fields, std::string_view key);
std::vector<Located<std::string>> read_gateway_names(Fields& fields);
std::vector<Located<std::string>> read_export_to(Fields& fields, bool service_entry);
Labels read_checked_labels(Fields& fields, std::string_view key);
/// Of a workload selector: no wildcards.
Labels read_selector_labels(Fields& fields, std::string_view key);
std::string read_source_namespace(Fields& fields);

// Parts of a VirtualService.
HttpRoute read_http_route(Fields& fields, bool delegate);
std::vector<HttpMatch> read_http_matches(Fields& fields, bool delegation);
/// `mesh`: the VirtualService names the gateway "mesh".
L4Route read_l4_route(Fields& fields, bool tls, const std::vector<Located<std::string>>& hosts, bool mesh);
HttpRedirect read_redirect(Fields& fields);
DirectResponse read_direct_response(Fields& fields);
HttpRewrite read_rewrite(Fields& fields);
HttpRetry read_retry(Fields& fields);
HttpFault read_fault(Fields& fields);
CorsPolicy read_cors(Fields& fields);

// Parts of a DestinationRule.
TrafficPolicy read_traffic_policy(Fields& fields);
LoadBalancer read_load_balancer(Fields& fields);
ConnectionPool read_connection_pool(Fields& fields);
OutlierDetection read_outlier_detection(Fields& fields);

/// A WorkloadEntry's spec, or one of a ServiceEntry's endpoints.
Workload read_workload(Fields& fields);
/// HTTP, HTTPS, GRPC, GRPC-WEB, HTTP2, MONGO, MYSQL, REDIS, TCP, TLS, UDP in any case, to upper case; empty if unknown.
std::string normalize_protocol(std::string_view text);

}  // namespace weir::config
