#pragma once
// One http route of a VirtualService, compiled to a rule. Only for build/.

#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.h"
#include "config/model.h"
#include "routing/rule/rule.h"

namespace weir::routing {

/// Short names in the route are completed, as those of the object in `namespace_` that wrote it: hosts of destinations
/// and mirrors, gateways of matches. A second time changes nothing.
void complete_names(config::HttpRoute& route, std::string_view namespace_, std::string_view cluster_domain);

/// What the route does and when, from a route whose names are complete. `author`: of whom findings speak.
HttpRule compile_http_rule(const config::HttpRoute& route, Origin origin, const config::Metadata& author,
                           config::Diagnostics& conditions);

/// Of tcp[] and tls[]: weights as they count, names completed.
std::vector<RuleDestination> compile_destinations(const std::vector<config::WeightedDestination>& route,
                                                  std::string_view namespace_, std::string_view cluster_domain);

}  // namespace weir::routing
