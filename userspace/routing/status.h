#pragma once
// What became of a route at each of its parents, as the Gateway API's status has it. Who writes it to an API server is
// another's business.

#include <string>
#include <vector>

namespace weir::routing {

/// Of one parentRef of a route (RouteParentStatus): types, reasons as the Gateway API names them.
struct ParentStatus {
  std::string parent;    // "Gateway default/gw", "Service default/web", with "/section" and ":port" where written
  std::string accepted;  // reason of condition Accepted: "Accepted", else why not: "NoMatchingParent" ...
  std::string resolved;  // reason of condition ResolvedRefs: "ResolvedRefs", else "BackendNotFound" ...
  std::string message;   // of the first that is not well; may be empty
  [[nodiscard]] bool is_accepted() const { return accepted == "Accepted"; }
  [[nodiscard]] bool is_resolved() const { return resolved == "ResolvedRefs"; }
  bool operator==(const ParentStatus&) const = default;
};

/// Of one route, a parentRef each, in the order of the file.
struct RouteStatus {
  std::vector<ParentStatus> parents;
  bool operator==(const RouteStatus&) const = default;
};

}  // namespace weir::routing
