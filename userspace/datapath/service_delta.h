#pragma once
// Which services of a new plan are not those of the plan before: told by address, since an unchanged ServicePlan keeps
// it. Pure.

#include <memory>
#include <vector>

#include "base/result.h"
#include "datapath/map_diff.h"
#include "routing/plan/plan.h"

namespace weir::datapath {

using Services = std::vector<std::shared_ptr<const routing::ServicePlan>>;

struct ServiceDelta {
  Services added, removed;
  size_t prefix = 0, suffix = 0;  // services at either end that are the same
};
ServiceDelta compare_services(const Services& before, const Services& after);
/// Makes `applied` what `after` is, touching only what differs.
void replace_services(Services& applied, const Services& after, const ServiceDelta& delta);

/// Images and what is wanted of the maps; `wanted` points into `images`.
struct WantedImages {
  std::vector<ServiceImage> images;
  Wanted wanted;
};
/// All of `services`, and nothing else. `ports` here and below: see make_service_image().
Result<WantedImages> want_all(const Services& services, const ProxyPorts* ports = nullptr);
/// Only what `delta` changes. Falls back to nothing (`fits` false) when another service holds what an added one claims:
/// then order decides, and want_all() must be used.
Result<WantedImages> want_delta(const ServiceDelta& delta, const MapState& state, bool* fits,
                                const ProxyPorts* ports = nullptr);

}  // namespace weir::datapath
