#pragma once
// What the kernel is to do: for each service with a rule, its frontends and the splits they end in. Made from a Table
// by make_plan(), turned into maps by datapath. Pure values; a ServicePlan that did not change keeps its address from
// one plan to the next, which is how the datapath knows that it has nothing to do.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "config/diagnostic.h"
#include "routing/origin.h"

namespace weir::routing {

/// Where a service's connections are decided (design section 3).
enum class Path { kNone, kKernel, kProxy };
/// "none", "kernel", "proxy".
std::string_view to_string(Path path);

struct PlanEndpoint {
  IpAddress address;
  uint16_t port = 0;
  uint32_t weight = 1;  // relative within its destination, 1..
  bool local = false;   // on this node
  auto operator<=>(const PlanEndpoint&) const = default;
};

/// The most destinations with a weight that one split may have (as many as the kernel's split has room for, bpf/abi.h).
inline constexpr size_t kMaxDestinations = 20;

struct PlanDestination {
  std::string host;     // fully qualified
  uint16_t port = 0;    // service port
  std::string subset;   // empty: none
  uint64_t weight = 1;  // > 0; relative to the split's sum
  /// Of the frontend's address family, healthy, sorted by address and port, each once.
  /// Empty: this destination's share of connections is refused.
  std::vector<PlanEndpoint> endpoints;
  bool operator==(const PlanDestination&) const = default;
};

struct PlanSplit {
  /// Identity: the same across changes of weight, endpoints and restarts, unique in the plan; cursor and counters
  /// hang on it. "default/reviews:9080/reviews#0/v4": service, port, rule, family.
  std::string name;
  std::vector<PlanDestination> destinations;  // 1..; zero weights left out
  Origin origin;
  /// True when the rules need the request and this is only the default route's split, used while the proxy is down or
  /// out of reach.
  bool fallback = false;
  bool operator==(const PlanSplit&) const = default;
};

/// PlanFrontend::split of a proxied frontend that has none to fall back to.
inline constexpr uint32_t kNoSplit = 0xffffffff;

/// The source of traffic that comes to the node from outside.
inline constexpr uint32_t kOutside = 0xffffffff;

struct PlanFrontend {
  IpAddress address;
  uint16_t port = 0;
  uint8_t protocol = 6;  // IPPROTO_TCP
  /// 0: any client on the node. The id of a source (see PlanSource): its pods only, beats 0. kOutside: what comes to
  /// the node from outside, whom the others do not hold for.
  uint32_t source = 0;
  uint32_t split = 0;    // index in ServicePlan::splits; kNoSplit: only where `proxied`
  bool proxied = false;  // to the proxy; `split` is for want of one
  /// Of source kOutside: index in ServicePlan::frontends of the one that stands for it at the proxy.
  uint32_t like = 0;
  bool operator==(const PlanFrontend&) const = default;
};

struct ServicePlan {
  std::string service;  // fully qualified host
  std::string namespace_;
  uint16_t port = 0;
  Path path = Path::kNone;
  std::string reason;  // why this path, in a reader's words
  std::vector<PlanFrontend> frontends;
  std::vector<PlanSplit> splits;
  /// Annotation weir.dev/on-proxy-failure: refuse. Without a proxy, proxied frontends refuse rather than split.
  bool refuse_without_proxy = false;
  bool operator==(const ServicePlan&) const = default;
};

/// A pod of this node whose network namespace is known.
struct NodePod {
  std::string namespace_, name;
  IpAddress address;
  auto operator<=>(const NodePod&) const = default;
};

/// A pod of a class of clients that some rule tells apart (sourceLabels, sourceNamespace, sourceSubnet).
struct PlanSource {
  uint32_t id = 0;  // of the class: > 0; pods that no rule tells apart have one, and it stays over restarts
  NodePod pod;
  bool operator==(const PlanSource&) const = default;
};

/// A port of this node at which connections from outside are taken in for an ingress gateway.
struct PlanGatewayPort {
  uint16_t port = 0;
  /// The gateway's own port, by which its servers are found: `port` is it, or what a Service or node port maps to it.
  uint16_t listener = 0;
  size_t gateway = 0;                // index in BuildOptions::gateways
  bool http = true;                  // false: connections that are not looked into, but for the SNI
  std::vector<std::string> servers;  // "namespace/name", for readers
  bool operator==(const PlanGatewayPort&) const = default;
};

struct Plan {
  uint64_t generation = 0;
  std::vector<std::shared_ptr<const ServicePlan>> services;  // sorted by (service, port)
  std::vector<PlanGatewayPort> gateway_ports;                // sorted by port, each once
  std::vector<PlanSource> sources;
};

/// Share of each destination in 0..1, in order.
std::vector<double> shares(const PlanSplit& split);

/// One line a frontend and a split; stable, for tests and bug reports.
std::string to_text(const Plan& plan);

}  // namespace weir::routing
