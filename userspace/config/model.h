#pragma once
// What the user wrote, as written: Istio's, the Gateway API's and Kubernetes' objects, each with its place.
// Names are not completed, defaults not filled in, references not followed: that is routing's work (build_table).
// Field meanings: reference semantics 1.0-1.6; names are Istio's and Kubernetes' own, in snake_case.
//
// Objects are immutable once read and shared by pointer: an object of an unchanged file keeps its address,
// which is how later stages know that nothing changed.

#include <memory>
#include <string>
#include <variant>

#include "config/model_common.h"
#include "config/model_destination_rule.h"
#include "config/model_gateway_api.h"
#include "config/model_services.h"
#include "config/model_virtual_service.h"

namespace weir::config {

/// In the order of Kind. `Gateway` is Istio's; the Gateway API's is `gateway_api::Gateway`.
using AnyObject = std::variant<VirtualService, DestinationRule, Gateway, ServiceEntry, WorkloadEntry, Service,
                               Endpoints, EndpointSlice, Pod, Namespace, gateway_api::GatewayClass,
                               gateway_api::Gateway, gateway_api::ListenerSet, gateway_api::HttpRoute,
                               gateway_api::GrpcRoute, gateway_api::TcpRoute, gateway_api::TlsRoute,
                               gateway_api::UdpRoute, gateway_api::ReferenceGrant, gateway_api::BackendTlsPolicy>;
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
