#pragma once
// VirtualServices and DestinationRules, compiled. Only for build_table.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.h"
#include "config/model.h"
#include "routing/table.h"

namespace weir::routing {

struct CompiledVirtualService {
  VirtualServicePtr rule;
  /// Keys of the delegates it names, found or not: a change of one changes the rule.
  std::vector<std::string> delegates;
  config::Diagnostics conditions;
};

/// A VirtualService by "namespace/name"; null: none.
using FindVirtualService = std::function<config::ObjectPtr(std::string_view key)>;

/// `object` holds a VirtualService.
CompiledVirtualService compile_virtual_service(const config::ObjectPtr& object, const config::MeshConfig& mesh,
                                               const FindVirtualService& find_delegate);

/// All DestinationRules of one namespace and (fully qualified) host, oldest first, merged as Istio does
/// (semantics 1.4).
DestinationRules compile_destination_rules(std::string_view namespace_, std::string_view host,
                                           const std::vector<config::ObjectPtr>& objects,
                                           config::Diagnostics& conditions);

}  // namespace weir::routing
