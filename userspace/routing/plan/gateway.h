#pragma once
// Which ports of this node are an ingress gateway's. Only for build_table.

#include <vector>

#include "config/diagnostic.h"
#include "routing/client.h"
#include "routing/options.h"
#include "routing/plan/plan.h"
#include "routing/table.h"

namespace weir::routing {

struct GatewayPlan {
  std::vector<PlanGatewayPort> ports;  // sorted by port, each once
  config::Diagnostics conditions;
};

/// A server's number is served as it is, at the port that the gateway's Service maps it to, and at the Service's node
/// port. Servers that end TLS are reported, not served.
GatewayPlan plan_gateways(const Table& table, const std::vector<GatewayIdentity>& gateways);

/// The gateway as rules see it.
Client client_of(const GatewayIdentity& gateway);

}  // namespace weir::routing
