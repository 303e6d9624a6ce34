#pragma once
// VirtualServices, compiled to rules. Only for build/.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.h"
#include "config/model.h"
#include "routing/table.h"

namespace weir::routing {

struct CompiledVirtualService {
  RuleSetPtr rules;
  /// Keys of the delegates it names, found or not: a change of one changes the rules.
  std::vector<std::string> delegates;
  config::Diagnostics conditions;
};

/// A VirtualService by "namespace/name"; null: none.
using FindVirtualService = std::function<config::ObjectPtr(std::string_view key)>;

/// `object` holds a VirtualService.
CompiledVirtualService compile_virtual_service(const config::ObjectPtr& object, const config::MeshConfig& mesh,
                                               const FindVirtualService& find_delegate);

}  // namespace weir::routing
