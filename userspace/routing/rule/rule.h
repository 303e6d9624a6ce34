#pragma once
// A rule, wherever it was written: whom and what it is for, and what it makes of a request or connection. Everything is
// compiled and every name completed, so that nothing here knows VirtualServices from HTTPRoutes. Immutable; any thread.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "config/model_common.h"
#include "routing/client.h"
#include "routing/origin.h"
#include "routing/rule/cors.h"
#include "routing/rule/header_operations.h"
#include "routing/rule/match.h"
#include "routing/rule/redirect.h"
#include "routing/rule/retry_policy.h"
#include "routing/rule/rewrite.h"

namespace weir::routing {

/// Where clients of the node's own services are, as rules name it beside gateways.
inline constexpr std::string_view kMesh = "mesh";

/// What of a match is known before a request is: whom it is for, and where (istio-facts 1).
struct Selector {
  std::optional<uint16_t> port;  // of the listener
  config::Labels source_labels;
  std::string source_namespace;       // empty: any
  std::vector<std::string> gateways;  // kMesh or "namespace/name"; empty: wherever the rule set is bound

  /// Of an http rule: its own gateways stand in place of labels and namespace (istio route.go sourceMatchHTTP).
  /// `where`: kMesh or the gateway's name.
  [[nodiscard]] bool holds_for_requests(const Client& client, std::string_view where, uint16_t port_dialled) const;
  /// Of a tcp or tls rule: all must hold, and at a gateway the client's labels and namespace are not looked at (istio
  /// tls.go matchTLS, matchTCP).
  [[nodiscard]] bool holds_for_connections(const Client& client, std::string_view where, uint16_t port_dialled) const;
};

struct HttpMatch {
  std::string name;  // may be empty
  config::Position at;
  Selector selector;
  std::shared_ptr<const HttpMatcher> matcher;  // null: could not be compiled (a condition says why) and never matches

  [[nodiscard]] bool takes_every_request() const { return matcher && matcher->takes_every_request(); }
};

/// Where a share of requests or connections goes.
struct RuleDestination {
  std::string host;              // fully qualified, lower case
  std::optional<uint16_t> port;  // of the service; none: its only one, else the dialled one (istio-facts 21)
  std::string subset;            // empty: none
  uint64_t weight = 1;           // effective: one that is alone has 1 whatever it says (istio-facts 22)
  config::Position at;           // of the reference
  /// As written, for who edits it: where the entry begins, its weight and where that stands.
  config::Position entry_at;
  std::optional<config::Located<uint32_t>> written_weight;
  HeaderPlan request_headers, response_headers;  // the rule's own are in them

  /// Gateway API: why the reference must not be followed; empty: it may. Its share is answered `refused_status`.
  std::string refused;
  uint16_t refused_status = 500;
  /// Of this destination alone, in place of the rule's (Gateway API).
  std::shared_ptr<const Rewriter> rewrite;
  std::optional<Redirect> redirect;
  /// A headless service's endpoints share it, whoever was dialled (Gateway API).
  bool by_endpoints = false;
};

struct RuleMirror {
  RuleDestination to;
  uint32_t parts_per_million = 1'000'000;
};

struct RuleFault {
  config::Duration delay{};
  uint32_t delay_parts_per_million = 0;
  uint16_t abort_status = 0;
  std::string abort_grpc_status;  // name; empty: none
  uint32_t abort_parts_per_million = 0;
  [[nodiscard]] bool any() const { return delay.count() != 0 || abort_status != 0; }
};

struct DirectResponse {
  uint16_t status = 200;
  std::string body;
};

struct HttpRule {
  Origin origin;
  std::vector<HttpMatch> match;  // OR; empty: takes every request

  // Exactly one of these three, in this order.
  std::optional<Redirect> redirect;
  std::optional<DirectResponse> direct_response;
  std::vector<RuleDestination> destinations;

  std::shared_ptr<const Rewriter> rewrite;
  std::shared_ptr<const CorsPolicy> cors;
  std::optional<config::Duration> timeout;
  std::optional<RetryPolicy> retries;  // nothing: none
  bool retries_written = false;        // false: the default ones
  RuleFault fault;
  std::vector<RuleMirror> mirrors;
  HeaderPlan local_response_headers;  // of answers that no endpoint gives
  std::string sticky;                 // "cookie:NAME" and the like (weir.dev/sticky); empty: not

  /// Why it cannot be carried out per connection whatever it matches, for a reader: "rewrites the request"; empty: it
  /// can.
  std::string acts;
  /// What of it could not be compiled and is left out, a line each.
  std::vector<std::string> left_out;
};

struct L4Match {
  Selector selector;
  std::vector<Cidr> destination_subnets;
  std::optional<Cidr> source_subnet;
  std::vector<std::string> sni_hosts;  // lower case; exact, "*.x" or "*"

  [[nodiscard]] bool takes_every_connection() const {
    return destination_subnets.empty() && !source_subnet && sni_hosts.empty();
  }
};

/// Of tcp[] or tls[], TCPRoute, TLSRoute.
struct L4Rule {
  Origin origin;
  std::vector<L4Match> match;  // OR; empty: takes every connection
  std::vector<RuleDestination> destinations;
};

/// Sum of the weights; 0: nobody gets anything.
[[nodiscard]] uint64_t weight_sum(const std::vector<RuleDestination>& destinations);
/// "reviews.default.svc.cluster.local:9080/v2", without what is not said.
[[nodiscard]] std::string to_text(const RuleDestination& destination);

}  // namespace weir::routing
