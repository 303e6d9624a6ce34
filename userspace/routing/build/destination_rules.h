#pragma once
// DestinationRules, merged. Only for build/.

#include <string_view>
#include <vector>

#include "config/diagnostic.h"
#include "config/model.h"
#include "routing/table.h"

namespace weir::routing {

/// All DestinationRules of one namespace and (fully qualified) host, oldest first, merged as Istio does
/// (semantics 1.4).
DestinationRules compile_destination_rules(std::string_view namespace_, std::string_view host,
                                           const std::vector<config::ObjectPtr>& objects,
                                           config::Diagnostics& conditions);

}  // namespace weir::routing
