#pragma once
// Where Gateway API routes hang: listeners of Gateways and ports of Services (semantics 2.1 Binding and Hostname).

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/model.h"
#include "routing/build/route_references.h"
#include "routing/status.h"
#include "routing/table.h"

namespace weir::routing {

/// A listener of a Gateway, with what it lets hang on it.
struct RouteListener {
  std::string gateway;  // "namespace/name"
  std::string binding;  // "namespace/name/listener": how rules name it
  std::string namespace_, name;
  uint16_t port = 0;
  std::string protocol, hostname;  // hostname in lower case, empty: every host
  bool terminates_tls = false;
  config::gateway_api::AllowedRoutes allowed;
};
using RouteListeners = std::multimap<std::string, RouteListener, std::less<>>;  // by gateway

/// The Gateway's listeners, and what serves them: a routing::Gateway each. One whose certificates are of another
/// namespace that does not grant them is left out, with a condition.
void add_listeners(const config::gateway_api::Gateway& written, const ObjectIndex& grants, RouteListeners& listeners,
                   std::vector<std::shared_ptr<const Gateway>>& gateways, config::Diagnostics& conditions);

/// Fields of a Gateway that are not honoured, and what happens instead.
void report_fields(const config::gateway_api::Gateway& written, config::Diagnostics& conditions);

/// A place that a route hangs on: rules of all routes of one place are one list.
struct RoutePlace {
  std::string where;                  // kMesh, or a listener's binding
  std::string host;                   // the Service's, or as far as listener and route agree: exact, "*.x" or "*"
  std::string only_for;               // clients of this namespace alone; empty: of all
  std::optional<uint16_t> port = {};  // of the Service; none: all
  auto operator<=>(const RoutePlace&) const = default;
};

struct RouteParents {
  std::vector<RoutePlace> places;  // each once
  RouteStatus status;              // ResolvedRefs is left open
  /// What is not attached, a line each, with its place.
  std::vector<std::pair<config::Position, std::string>> problems;
};

/// Labels of a namespace; the one that Kubernetes gives each is added here.
using NamespaceLabels = std::map<std::string, config::Labels, std::less<>>;

/// `hostnames`: of the route, in lower case.
RouteParents find_parents(const config::Metadata& route,
                          const std::vector<config::gateway_api::ParentReference>& parents,
                          const std::vector<config::Located<std::string>>& hostnames, const RouteListeners& listeners,
                          const NamespaceLabels& namespaces, RouteReferences& references);

}  // namespace weir::routing
