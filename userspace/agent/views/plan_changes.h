#pragma once
// What differs between two plans, found in one walk: plans share the services that did not change.

#include <tuple>

#include "routing/plan/plan.h"

namespace weir::agent {

/// Calls `use(const ServicePlan* old, const ServicePlan& now)` for each service of `after` that is not the very one of
/// `before` (may be null); `old` is null for a new one.
template <class Use>
void for_each_changed(const routing::Plan* before, const routing::Plan& after, Use use) {
  const auto key = [](const auto& service) { return std::tie(service->service, service->port); };
  size_t at = 0;
  for (const auto& service : after.services) {
    const routing::ServicePlan* old = nullptr;
    if (before != nullptr) {
      const auto& services = before->services;
      // The common case first: no text is compared.
      if (at < services.size() && services[at] == service) {
        ++at;
        continue;
      }
      while (at < services.size() && key(services[at]) < key(service)) ++at;
      if (at < services.size() && key(services[at]) == key(service)) old = services[at++].get();
    }
    if (old != service.get()) use(old, *service);
  }
}

}  // namespace weir::agent
