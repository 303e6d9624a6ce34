#pragma once
// What the user's configuration means: every service, rule and subset with names completed, references followed and
// defaults filled in, for any client. Resolving one client's view is resolve.h; what the kernel does with it is plan.h.
//
// A Table is immutable and shared by shared_ptr; any thread may read it. Tables made one after the other share what did
// not change. Pointers into config objects stay valid as long as the Table: it holds their ObjectPtr.

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ip_address.h"
#include "config/diagnostic.h"
#include "config/model.h"
#include "routing/outside.h"
#include "routing/plan/plan.h"
#include "routing/rule/rule.h"
#include "routing/shared_map.h"
#include "routing/status.h"

namespace weir::routing {

// ---------------------------------------------------------------- services

/// How a service port is spoken to: appProtocol, else the port name's prefix, else kAuto (semantics 1.0).
enum class Protocol { kAuto, kHttp, kHttp2, kGrpc, kHttps, kTls, kTcp, kUdp };
/// "auto", "http", "http2", "grpc", "https", "tls", "tcp", "udp".
std::string_view to_string(Protocol protocol);
/// http, http2 and grpc.
[[nodiscard]] bool is_http(Protocol protocol);
/// `ip_protocol` as in the file ("TCP", "UDP", "SCTP"); `port` because 25, 53, 3306 and 27017 are TCP unless named
/// otherwise.
[[nodiscard]] Protocol protocol_of(std::string_view app_protocol, std::string_view port_name,
                                   std::string_view ip_protocol, uint16_t port);

/// Where an endpoint or a client runs: a pod, a WorkloadEntry, or nothing known but an address.
struct Workload {
  std::string namespace_, name;  // of the Pod or WorkloadEntry; empty: none
  config::Labels labels;
  std::string node, locality;
  std::vector<IpAddress> addresses;  // of a pod
  bool host_network = false;
};

struct Endpoint {
  IpAddress address;
  uint16_t port = 0;
  uint32_t weight = 1;                       // 1..
  bool healthy = true;                       // false: present, gets nothing (istio-facts 25)
  std::shared_ptr<const Workload> workload;  // never null; no labels where the endpoint has no pod
};

struct ServicePort {
  uint16_t number = 0;
  std::string name;
  Protocol protocol = Protocol::kAuto;
  bool tcp = true;         // false: UDP or SCTP, never intercepted
  uint16_t node_port = 0;  // 0: none
  /// Sorted by address and port, each once.
  std::vector<Endpoint> endpoints;
};

/// Who may see an object: semantics 1.0, exportTo.
struct ExportTo {
  bool everyone = true;
  std::vector<std::string> namespaces;  // when not everyone; "." is resolved, "~" is the empty list
  /// `client_namespace` empty (a process of the node itself): only what everyone sees.
  [[nodiscard]] bool visible_to(std::string_view client_namespace) const;
  /// "." of an object of that namespace: to nobody else.
  [[nodiscard]] bool only_to(std::string_view owner) const;
};

/// Everything of one host in one namespace: a Kubernetes Service, and the ServiceEntries of that host (istio-facts 24).
struct Service {
  enum class Source { kKubernetes, kServiceEntry };
  /// kStatic: endpoints are known. kOriginalDestination: the dialled address gets it (headless, resolution NONE).
  /// kDns: endpoints may be names; those that are resolved (TableBuilder::set_resolved_names) are there by address.
  /// kAlias: ExternalName.
  enum class Resolution { kStatic, kOriginalDestination, kDns, kAlias };

  std::string host;  // fully qualified, lower case; "*.example.com" only from a ServiceEntry
  std::string namespace_;
  std::string name;  // of the object; of the oldest where several
  Source source = Source::kKubernetes;
  Resolution resolution = Resolution::kStatic;
  bool headless = false;
  std::vector<IpAddress> addresses;           // ClusterIPs, or a ServiceEntry's
  std::vector<IpAddress> external_addresses;  // externalIPs, and what load balancers have for it
  bool external_local = false;                // externalTrafficPolicy: Local
  bool internal_local = false;                // internalTrafficPolicy: Local
  std::vector<Cidr> ranges;                   // a ServiceEntry's addresses that are wider than one address
  std::vector<ServicePort> ports;             // in the order of the file; numbers are unique
  std::string external_name;
  config::Labels selector;  // of a Kubernetes Service: which pods it means (gateways)
  ExportTo export_to;
  int64_t creation = 0;
  Origin origin;
  std::vector<config::ObjectPtr> objects;

  /// Null when there is none.
  [[nodiscard]] const ServicePort* find_port(uint16_t number) const;
  /// Whether it has the port, and speaks HTTP there. An ExternalName has none of its own.
  [[nodiscard]] bool speaks_http(uint16_t number) const;
};
using ServicePtr = std::shared_ptr<const Service>;

// ---------------------------------------------------------------- rules

/// The rules that one object wrote for its hosts, such as a VirtualService. In the mesh the first of several of one
/// host that applies decides alone, at a gateway all are laid one after the other (istio-facts 15).
struct RuleSet : std::enable_shared_from_this<RuleSet> {
  std::string namespace_, name;  // of the object
  int64_t creation = 0;
  std::vector<std::string> hosts;     // fully qualified, lower case; "*.x", "*"
  std::vector<std::string> gateways;  // kMesh, "namespace/name"
  ExportTo export_to;
  std::vector<HttpRule> http;
  std::vector<L4Rule> tcp, tls;
  /// Annotation weir.dev/split: request. The proxy path even where connections would do.
  bool split_by_request = false;
  /// Annotation weir.dev/on-proxy-failure: refuse.
  bool refuse_without_proxy = false;
  /// For clients of its own namespace it comes before any other of the host, however old (Gateway API, seen in Istio).
  bool first_at_home = false;
  bool is_delegate = false;  // no hosts of its own: only ever reached through a root
  Origin origin;             // index -1

  [[nodiscard]] bool binds(std::string_view gateway) const;
};
using RuleSetPtr = std::shared_ptr<const RuleSet>;
/// Oldest first, then by name, then by namespace: Istio's order everywhere.
[[nodiscard]] bool older(const RuleSet& a, const RuleSet& b);

/// Rule sets of one host as written (exact or wildcard), oldest first.
struct HostRules {
  std::string host;
  std::vector<RuleSetPtr> rules;
};

/// One DestinationRule, or several of one host and namespace merged (semantics 1.4): subsets of all, the first of a
/// name wins; the first traffic policy wins.
struct DestinationRule {
  struct Subset {
    const config::Subset* config = nullptr;
    Origin origin;
  };
  std::string namespace_, name;  // of the oldest
  std::string host;              // fully qualified, lower case; "*.x", "*"
  std::vector<Subset> subsets;
  const config::TrafficPolicy* traffic_policy = nullptr;  // null: none
  ExportTo export_to;
  config::Labels workload_selector;  // not empty: holds only for such clients of its namespace
  Origin origin;
  std::vector<config::ObjectPtr> objects;

  [[nodiscard]] const Subset* find_subset(std::string_view subset) const;
};

/// DestinationRules of one namespace and host; separate entries where exportTo or the workload selector differ, oldest
/// first.
struct DestinationRules {
  std::string namespace_, host;
  std::vector<DestinationRule> rules;
};

/// One port of a Gateway.
struct GatewayServer {
  enum class Tls { kNone, kTerminate, kPassthrough };
  uint16_t port = 0;               // as written: the gateway Service's, or the pod's own
  std::string protocol;            // in capitals: "HTTP", "HTTPS", "TLS", "TCP" ...
  std::string name;                // may be empty
  std::string bind;                // empty: every address
  std::vector<std::string> hosts;  // as written, lower case: "namespace/host", "./host", "host"
  Tls tls = Tls::kNone;
  bool https_redirect = false;
  config::Position at;

  /// HTTP, HTTP2, GRPC, GRPC-WEB: bytes that are not encrypted.
  [[nodiscard]] bool is_plain_http() const;
  /// TLS ends here, and what is inside is HTTP.
  [[nodiscard]] bool is_https() const { return protocol == "HTTPS" && tls == Tls::kTerminate; }
  [[nodiscard]] bool terminates_tls() const { return tls == Tls::kTerminate; }
};

/// On pods of a Gateway of the Gateway API, with its name.
inline constexpr const char* kGatewayNameLabel = "gateway.networking.k8s.io/gateway-name";

struct Gateway {
  std::string namespace_, name;
  int64_t creation = 0;
  Origin origin;
  config::Labels selector;             // of the gateway's pods
  bool selects_own_namespace = false;  // the selector holds there only
  /// Of servers on one port the one whose hosts fit most closely decides alone, and within it rules of a host go on
  /// with those of wider ones (Gateway API). Else rules of all servers are laid together (Istio).
  bool by_hostname = false;
  std::vector<GatewayServer> servers;
};

// ---------------------------------------------------------------- the table

/// All services of one host, by namespace; several where ServiceEntries of several namespaces have the host.
struct HostServices {
  std::string host;
  std::vector<ServicePtr> services;
};

/// Services of one address.
struct AddressServices {
  std::vector<ServicePtr> services;
};

struct Table {
  /// Counts the builds of a TableBuilder, from 1; also the plan's.
  uint64_t generation = 0;
  config::MeshConfig mesh;
  std::string node;                        // for which it is built; empty: not known
  std::shared_ptr<const Outside> outside;  // null: what comes from outside is left alone

  SharedMap<HostServices> services;               // by host
  SharedMap<AddressServices> services_at;         // by address text
  SharedMap<HostRules> rules;                     // by host as written, wildcards too
  SharedMap<DestinationRules> destination_rules;  // by "namespace/host"
  SharedMap<Gateway> gateways;                    // by "namespace/name"
  SharedMap<Workload> pods;                       // by "namespace/name"
  SharedMap<Workload> pods_at;                    // by address text; never pods of the host's network

  /// Services that are found by range ("10.0.0.0/8") or wildcard host rather than by name.
  std::shared_ptr<const std::vector<ServicePtr>> wide_services;
  /// Every wildcard host of a rule set, longest first.
  std::shared_ptr<const std::vector<std::string>> wildcard_rule_hosts;
  /// Every wildcard host of a DestinationRule with its namespace, by namespace, longest first.
  std::shared_ptr<const std::vector<std::pair<std::string, std::string>>> wildcard_destination_hosts;

  /// Labels of clients that some rule or DestinationRule goes by: what tells client classes apart. Null: none.
  std::shared_ptr<const std::set<std::string, std::less<>>> named_labels;
  /// What endpoints are called whose addresses somebody has to find out (resolution DNS): lower case, sorted.
  std::shared_ptr<const std::vector<std::string>> endpoint_names;

  std::shared_ptr<const Plan> plan;

  /// What became of routes at their parents, by "HTTPRoute/namespace/name".
  SharedMap<RouteStatus> route_status;

  /// What cannot be honoured or leads nowhere, a group an object or service. See conditions().
  SharedMap<config::Diagnostics> condition_groups;
  /// Sorted by file and place.
  [[nodiscard]] config::Diagnostics conditions() const;

  /// By host, then namespace.
  [[nodiscard]] std::vector<ServicePtr> all_services() const;
  /// Oldest first (without delegates).
  [[nodiscard]] std::vector<RuleSetPtr> all_rules() const;
};

/// One stable line an entry, sorted; for tests, `weir bugtool` and bug reports. Without the plan.
std::string to_text(const Table& table);

}  // namespace weir::routing
