#pragma once
// What the rules come to for one client, frontend and host, ready for the request path: matchers, splits and operations
// compiled once, nothing looked up by name any more.
//
// Immutable (but for the cursors of its splits); shared by all loops, and kept from one table to the next as long as
// what it was made from stays the same.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/balancer.h"
#include "proxy/destination_state.h"
#include "proxy/options.h"
#include "proxy/retry.h"
#include "proxy/split.h"
#include "proxy/stats.h"
#include "routing/decide/rule_index.h"
#include "routing/plan/plan.h"
#include "routing/rule/cors.h"
#include "routing/rule/header_operations.h"
#include "routing/rule/match.h"
#include "routing/table.h"
#include "routing/view/reads.h"
#include "routing/view/resolve.h"

namespace weir::proxy {

/// One destination of a route. Its endpoints are the split's.
struct Destination {
  std::string host;  // fully qualified
  uint16_t port = 0;
  std::string subset;   // empty: none
  std::string problem;  // why its share is refused; empty: it is not
  bool exists = true;   // false: unknown host, port or subset
  /// Hash of the name: connections are pooled by it and the endpoint, never shared across services.
  uint64_t key = 0;
  /// Headless and the like, and loadBalancer PASSTHROUGH: whoever was dialled gets it (istio-facts 23).
  bool to_dialled = false;
  PoolLimits limits;
  OutlierRules outlier;
  DestinationStatePtr state;  // null: does not exist
  Balancer balancer;
  routing::HeaderPlan request_headers, response_headers;
  std::string name;  // "reviews.default.svc.cluster.local:9080/v2", for logs and counters
  SharedTrafficStats traffic;
  std::vector<SharedEndpointStats> endpoint_stats;  // parallel to the split's endpoints
  uint16_t refused_status = 503;                    // of its share, where it does not exist
  // Its own, in place of the route's; null: none.
  const routing::Rewriter* rewrite = nullptr;
  const routing::Redirect* redirect = nullptr;
};

struct Fault {
  Duration delay{};
  uint32_t delay_parts_per_million = 0;
  uint16_t abort_status = 0;
  uint32_t abort_parts_per_million = 0;
};

struct MirrorTarget {
  Destination destination;
  std::optional<Split> split;  // none: nobody gets it
  uint32_t parts_per_million = 1'000'000;
};

/// A rule, compiled. Which one takes a request is the list's to say. Pointers go into the rule set, which the list
/// holds.
struct Route {
  std::string name;  // for logs and counters: the rule's name, or "reviews#0"; "default"
  routing::Origin origin;

  // Exactly one of these three, in this order.
  const routing::Redirect* redirect = nullptr;
  const routing::DirectResponse* direct_response = nullptr;
  std::optional<Split> split;
  KeySource sticky;                       // weir.dev/sticky
  std::vector<Destination> destinations;  // parallel to the split's shares
  /// Why there is no split although there should be: 503 for everyone.
  std::string broken;

  const routing::Rewriter* rewrite = nullptr;
  const routing::CorsPolicy* cors = nullptr;
  RetryRules retries;
  Duration timeout{};  // 0: none
  Fault fault;
  std::vector<MirrorTarget> mirrors;
  /// For answers that no endpoint gives.
  routing::HeaderPlan local_response_headers;
  SharedTrafficStats local_traffic;
};

struct RouteList {
  enum class Kind {
    kRules,          // of a virtual host: 404 where none matches
    kDefault,        // the service's default route
    kPassthrough,    // unknown host: whoever was dialled
    kRefused,        // unknown host under REGISTRY_ONLY: 502
    kHttpsRedirect,  // a gateway's host that is to be asked for by https: 301
    kTunnel,         // of bytes that are not HTTP/1.1: tcp[] of a VirtualService, else the service's default route
  };
  Kind kind = Kind::kRules;
  std::string service;  // fully qualified host; empty for an unknown one
  uint16_t port = 0;    // what rules mean by the dialled one
  /// kRules: parallel to the rules of the index. kTunnel: to `connections`, then the default route, if there is one.
  /// Else one, or none where nobody can serve.
  std::vector<Route> routes;
  routing::RuleIndex index;                         // of kRules
  std::vector<routing::AppliedL4Rule> connections;  // of kTunnel
  SharedTrafficStats unmatched_traffic;             // of requests that no route takes
  /// What the list was made from: holds what the routes point to.
  routing::Reads reads;
  /// Of a gateway's host or connection: the rules, which come from anywhere, and what holds them.
  std::vector<routing::AppliedHttpRule> gateway_rules;
  std::vector<routing::RuleSetPtr> rule_sets;
};

struct MatchedRoute {
  const Route* route = nullptr;
  /// Of the match entry that held; null: it had none.
  const routing::StringMatcher* uri = nullptr;
};
/// The route that takes the request.
MatchedRoute find_route(const RouteList& list, const routing::RequestView& request);
/// Of a tunnel's list: the route that fits a connection from `client` to `dialled` most closely; null: none.
const Route* find_tunnel_route(const RouteList& list, const IpAddress& dialled, const IpAddress& client);

}  // namespace weir::proxy
