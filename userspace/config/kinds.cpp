#include "config/kinds.h"

#include <algorithm>
#include <array>
#include <string>
#include <variant>

#include "config/read.h"
#include "config/read_gateway_api.h"

namespace weir::config {
namespace {

constexpr std::string_view kIstio = "networking.istio.io";
constexpr std::string_view kGatewayApi = gateway_api::kGroup;

constexpr std::array<std::string_view, 3> kIstioVersions = {"v1", "v1beta1", "v1alpha3"};
constexpr std::array<std::string_view, 1> kV1 = {"v1"};
constexpr std::array<std::string_view, 2> kV1Beta = {"v1", "v1beta1"};
constexpr std::array<std::string_view, 2> kV1Alpha2 = {"v1", "v1alpha2"};
constexpr std::array<std::string_view, 3> kV1Alpha3 = {"v1", "v1alpha3", "v1alpha2"};

template <class Object>
AnyObject make() {
  return Object{};
}

/// `read` has the object's spec.
template <class Object, void (*read)(Fields&, Object&)>
void read_spec(Fields& root, AnyObject& any) {
  auto& object = std::get<Object>(any);
  root.ignore({"status"});
  if (root.find("spec") == nullptr) {
    // Of a half-written file one fault is enough.
    const Position at = root.present("spec") ? root.at_key("spec") : object.meta.name_at;
    if (!root.context.failed()) root.context.error(at, "spec is required");
    return;
  }
  root.map("spec", [&](Fields& spec) { read(spec, object); });
}

/// `read` has the whole object.
template <class Object, void (*read)(Fields&, Object&)>
void read_root(Fields& root, AnyObject& any) {
  read(root, std::get<Object>(any));
}

void read_service_entry_with_status(Fields& root, AnyObject& any) {
  read_spec<ServiceEntry, read_service_entry>(root, any);
  read_service_entry_status(root, std::get<ServiceEntry>(any));
}

void read_nothing(Fields& /*root*/, AnyObject& /*any*/) {}

template <class Object, void (*read)(Fields&, Object&)>
constexpr KindInfo istio(Kind kind, std::string_view name, std::string_view plural) {
  return {kind, name, plural, kIstio, kIstioVersions, false, true, make<Object>, read_spec<Object, read>};
}

template <class Object, void (*read)(Fields&, Object&)>
constexpr KindInfo kubernetes(Kind kind, std::string_view name, std::string_view plural, std::string_view group = "") {
  return {kind, name, plural, group, kV1, false, false, make<Object>, read_root<Object, read>};
}

template <class Object, void (*read)(Fields&, Object&)>
constexpr KindInfo gateway(Kind kind, std::string_view name, std::string_view plural,
                           std::span<const std::string_view> versions, bool cluster_scoped = false) {
  return {kind, name, plural, kGatewayApi, versions, cluster_scoped, true, make<Object>, read_spec<Object, read>};
}

constexpr std::array<KindInfo, std::variant_size_v<AnyObject>> kKinds = {{
    istio<VirtualService, read_virtual_service>(Kind::kVirtualService, "VirtualService", "virtualservices"),
    istio<DestinationRule, read_destination_rule>(Kind::kDestinationRule, "DestinationRule", "destinationrules"),
    istio<Gateway, read_gateway>(Kind::kGateway, "Gateway", "gateways"),
    {Kind::kServiceEntry, "ServiceEntry", "serviceentries", kIstio, kIstioVersions, false, true, make<ServiceEntry>,
     read_service_entry_with_status},
    istio<WorkloadEntry, read_workload_entry>(Kind::kWorkloadEntry, "WorkloadEntry", "workloadentries"),
    kubernetes<Service, read_service>(Kind::kService, "Service", "services"),
    kubernetes<Endpoints, read_endpoints>(Kind::kEndpoints, "Endpoints", "endpoints"),
    kubernetes<EndpointSlice, read_endpoint_slice>(Kind::kEndpointSlice, "EndpointSlice", "endpointslices",
                                                   "discovery.k8s.io"),
    kubernetes<Pod, read_pod>(Kind::kPod, "Pod", "pods"),
    {Kind::kNamespace, "Namespace", "namespaces", "", kV1, true, false, make<Namespace>, read_nothing},
    gateway<gateway_api::GatewayClass, gateway_api::read_gateway_class>(Kind::kGatewayClass, "GatewayClass",
                                                                        "gatewayclasses", kV1Beta, true),
    gateway<gateway_api::Gateway, gateway_api::read_gateway>(Kind::kGatewayApiGateway, "Gateway", "gateways", kV1Beta),
    gateway<gateway_api::ListenerSet, gateway_api::read_listener_set>(Kind::kListenerSet, "ListenerSet", "listenersets",
                                                                      kV1),
    gateway<gateway_api::HttpRoute, gateway_api::read_http_route>(Kind::kHttpRoute, "HTTPRoute", "httproutes", kV1Beta),
    gateway<gateway_api::GrpcRoute, gateway_api::read_grpc_route>(Kind::kGrpcRoute, "GRPCRoute", "grpcroutes",
                                                                  kV1Alpha2),
    gateway<gateway_api::TcpRoute, gateway_api::read_tcp_route>(Kind::kTcpRoute, "TCPRoute", "tcproutes", kV1Alpha2),
    gateway<gateway_api::TlsRoute, gateway_api::read_tls_route>(Kind::kTlsRoute, "TLSRoute", "tlsroutes", kV1Alpha3),
    gateway<gateway_api::UdpRoute, gateway_api::read_udp_route>(Kind::kUdpRoute, "UDPRoute", "udproutes", kV1Alpha2),
    gateway<gateway_api::ReferenceGrant, gateway_api::read_reference_grant>(Kind::kReferenceGrant, "ReferenceGrant",
                                                                            "referencegrants", kV1Beta),
    gateway<gateway_api::BackendTlsPolicy, gateway_api::read_backend_tls_policy>(
        Kind::kBackendTlsPolicy, "BackendTLSPolicy", "backendtlspolicies", kV1Alpha3),
}};

constexpr bool in_order() {
  for (size_t i = 0; i < kKinds.size(); ++i) {
    if (static_cast<size_t>(kKinds[i].kind) != i) return false;
  }
  return true;
}
static_assert(in_order());

}  // namespace

std::string KindInfo::api_version(std::string_view version) const {
  return group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
}

std::span<const KindInfo> kinds() {
  return kKinds;
}

const KindInfo& info(Kind kind) {
  return kKinds[static_cast<size_t>(kind)];
}

std::string_view group_of(std::string_view api_version) {
  const size_t slash = api_version.find('/');
  return slash == std::string_view::npos ? std::string_view() : api_version.substr(0, slash);
}

const KindInfo* find_kind_in_group(std::string_view group, std::string_view kind) {
  const auto found = std::find_if(kKinds.begin(), kKinds.end(),
                                  [&](const KindInfo& known) { return known.name == kind && known.group == group; });
  return found == kKinds.end() ? nullptr : &*found;
}

const KindInfo* find_kind(std::string_view api_version, std::string_view kind) {
  const KindInfo* known = find_kind_in_group(group_of(api_version), kind);
  if (known == nullptr) return nullptr;
  const std::string_view version =
      known->group.empty() ? api_version : api_version.substr(std::min(api_version.size(), known->group.size() + 1));
  const auto& versions = known->versions;
  return std::find(versions.begin(), versions.end(), version) == versions.end() ? nullptr : known;
}

std::string_view to_string(Kind kind) {
  return info(kind).name;
}

}  // namespace weir::config
