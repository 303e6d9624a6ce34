#pragma once
// Whom the references of Gateway API routes lead to, and whether they may (semantics 2, ReferenceGrant).

#include <set>
#include <string>
#include <string_view>

#include "config/model.h"
#include "routing/build/objects.h"
#include "routing/rule/rule.h"
#include "routing/shared_map.h"
#include "routing/table.h"

namespace weir::routing {

/// A reference that was followed.
struct Backend {
  RuleDestination destination;  // refused: says why
  /// Reason of the condition ResolvedRefs, as the Gateway API names it; empty: it is well.
  std::string reason;
};

/// Whom an object refers to.
struct Referred {
  std::string_view group, kind, namespace_, name;
};
/// Whether an object of the Gateway API's may refer to one of another namespace (ReferenceGrant). Of its own: always.
[[nodiscard]] bool is_granted(const ObjectIndex& grants, const config::Metadata& from, const Referred& to);

class RouteReferences {
 public:
  /// `grants`: by namespace. Both outlive it.
  RouteReferences(const Table& table, const ObjectIndex& grants) : table_(table), grants_(grants) {}

  /// `route`: whose reference it is.
  [[nodiscard]] Backend follow(const config::gateway_api::BackendReference& reference, const config::Metadata& route);
  /// The Kubernetes Service; null: none.
  [[nodiscard]] const Service* find_service(std::string_view name, std::string_view namespace_);
  /// Hosts of Services that were asked for, found or not.
  [[nodiscard]] const std::set<std::string>& hosts() const { return hosts_; }

 private:
  const Table& table_;
  const ObjectIndex& grants_;
  std::set<std::string> hosts_;
};

}  // namespace weir::routing
