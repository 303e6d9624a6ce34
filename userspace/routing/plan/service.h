#pragma once
// The plan of one host's services. Only for build_table.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.h"
#include "routing/build/table_builder.h"
#include "routing/plan/plan.h"
#include "routing/table.h"

namespace weir::routing {

struct HostPlan {
  std::vector<std::shared_ptr<const ServicePlan>> services;  // by port
  /// Fully qualified hosts whose services or DestinationRules the plan hangs on, sorted; not the host itself.
  std::vector<std::string> hosts;
  std::vector<uint32_t> sources;  // ids of sources with frontends of their own, sorted
  /// A change of who runs on this node may change the plan.
  bool depends_on_sources = false;
  config::Diagnostics conditions;
};

/// Uses of `table` all but its plan.
HostPlan plan_host(const Table& table, const BuildOptions& options, const std::vector<PlanSource>& sources,
                   std::string_view host);

}  // namespace weir::routing
