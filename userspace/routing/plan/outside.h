#pragma once
// Frontends for connections that come to the node from outside: node ports, externalIPs and addresses of load balancers
// of services whose connections are split. Only for plan_service and plan_outcome.

#include "config/diagnostic.h"
#include "routing/plan/plan.h"
#include "routing/table.h"

namespace weir::routing {

/// Whether the endpoint is on this node: by its nodeName (or its pod's), else by its address.
bool is_on_node(const Table& table, const Endpoint& endpoint);

/// Adds to `plan` of that port what comes from outside, as any client of the node has it (source 0): same split, same
/// cursor, unless some endpoints cannot be had from outside. Where the table serves nothing outside, only says so.
/// What does not hold is told in `conditions`.
void plan_outside(const Table& table, const Service& service, const ServicePort& port, ServicePlan& plan,
                  config::Diagnostics& conditions);

}  // namespace weir::routing
