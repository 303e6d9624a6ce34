#pragma once
// A delegate's routes inside a root's route (semantics 1.0, istio-facts 38). Only for build_table.

#include <optional>

#include "config/model.h"

namespace weir::routing {

/// The delegate's route with the root's conditions added, and what it leaves open taken from the root.
/// Nothing: its match is not inside the root's, so the route must be dropped.
std::optional<config::HttpRoute> merge_delegate(const config::HttpRoute& root, const config::HttpRoute& route);

}  // namespace weir::routing
