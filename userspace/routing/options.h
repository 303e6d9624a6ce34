#pragma once
// What a table is built for.

#include <string>
#include <vector>

#include "config/model_common.h"

namespace weir::routing {

/// An ingress gateway whose part this node plays: Gateways that select its labels are served here.
struct GatewayIdentity {
  std::string namespace_;
  config::Labels labels;
  bool operator==(const GatewayIdentity&) const = default;
};

/// What the configuration is built for.
struct BuildOptions {
  /// false: only services that a rule names get frontends ("no rule -> left alone"). true: every service with an
  /// address is split over its endpoints, for hosts where no kube-proxy does it.
  bool all_services = false;
  /// Endpoints on loopback addresses, for any service. On: who writes the folder is the node's administrator, and a
  /// service of the node itself is nothing unusual. Off for objects that others may write (a cluster's): they could
  /// reach what listens on the node's loopback only (hardening P10, CVE-2021-25737).
  bool allow_loopback_endpoints = true;
  /// Where several have one port, the first has it.
  std::vector<GatewayIdentity> gateways = {};
  /// true: every HTTP service with an applicable VirtualService takes the proxy, so that its requests are split rather
  /// than its connections. false: only where a rule needs the request, or the VirtualService asks for it.
  bool http_by_request = false;
  /// Of whom it is built for: internalTrafficPolicy Local means this node's endpoints. Empty: not known.
  std::string node = {};
};

}  // namespace weir::routing
