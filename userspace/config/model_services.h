#pragma once
// Where services come from: Gateway, ServiceEntry, WorkloadEntry (reference semantics 1.5, 1.6) and Kubernetes'
// objects. Include config/model.h.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/model_common.h"

namespace weir::config {

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
  bool external_traffic_policy_local = false, internal_traffic_policy_local = false;
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

}  // namespace weir::config
