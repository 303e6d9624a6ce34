#pragma once
// All routes of one place, put into one order (semantics 2.1 Match precedence).

#include <optional>
#include <string>
#include <vector>

#include "config/diagnostic.h"
#include "config/model.h"
#include "routing/build/route_rules.h"
#include "routing/table.h"

namespace weir::routing {

/// A route as it hangs on the place.
struct RouteAtPlace {
  const config::Metadata* route = nullptr;
  std::optional<uint16_t> port;  // of the Service; none: all
  const std::vector<RankedRule>* http = nullptr;
  const std::vector<L4Rule>* l4 = nullptr;
  std::vector<std::string> hostnames;  // of a TLSRoute
};

/// `where`: kMesh or a listener's binding. `host`: the Service's, or the hostname. `only_for`: clients of this
/// namespace; empty: all. Null: no routes.
RuleSetPtr make_rule_set(const std::string& where, const std::string& host, const std::string& only_for,
                         std::vector<RouteAtPlace> routes, config::Diagnostics& conditions);

}  // namespace weir::routing
