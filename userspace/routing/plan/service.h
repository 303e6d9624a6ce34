#pragma once
// The plan of one host's services. Only for build_table.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.h"
#include "routing/client.h"
#include "routing/options.h"
#include "routing/plan/plan.h"
#include "routing/table.h"

namespace weir::routing {

/// How a service plan's reason ends where it does not hold for every client.
inline constexpr std::string_view kForSomeClients = " (for some clients only)";

/// Clients on this node that no rule tells apart.
struct PlanClass {
  uint32_t id = 0;   // see PlanSource
  std::string name;  // "namespace/label=value,…": unique, for readers and for names of splits
  Client client;     // one of them
};

struct HostPlan {
  std::vector<std::shared_ptr<const ServicePlan>> services;  // by port
  /// Fully qualified hosts whose services or DestinationRules the plan hangs on, sorted; not the host itself.
  std::vector<std::string> hosts;
  std::vector<uint32_t> sources;  // ids of classes with frontends of their own, sorted
  /// A change of who runs on this node may change the plan.
  bool depends_on_sources = false;
  config::Diagnostics conditions;
};

/// Uses of `table` all but its plan.
HostPlan plan_host(const Table& table, const BuildOptions& options, const std::vector<PlanClass>& classes,
                   std::string_view host);

}  // namespace weir::routing
