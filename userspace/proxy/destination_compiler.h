#pragma once
// From a resolved destination to what the request path needs of it: endpoints, traffic policy (semantics 1.4).

#include "proxy/route.h"
#include "proxy/shared_state.h"
#include "routing/view/resolve.h"

namespace weir::proxy {

/// Its healthy endpoints.
Share share_of(const routing::ResolvedDestination& resolved, uint64_t weight);
PoolLimits pool_limits(const config::ConnectionPool* written);
OutlierRules outlier_rules(const config::OutlierDetection* written);
/// Without header operations and counters. `client`: whom it was resolved for. `endpoints`: those of its share.
Destination compile_destination(const routing::ResolvedDestination& resolved, const routing::Client& client,
                                std::span<const WeightedEndpoint> endpoints, SharedState& shared);

}  // namespace weir::proxy
