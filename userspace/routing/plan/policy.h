#pragma once
// What a DestinationRule's traffic policy asks for and the kernel does not do. Only for the plan.

#include "config/diagnostic.h"
#include "routing/view/resolve.h"

namespace weir::routing {

/// A finding for each block of the policy that holds for requests only: consistent hashing, outlier detection, pool
/// limits. TLS and locality are the reader's to report.
void find_policy_not_in_kernel(const ResolvedDestination& destination, config::Diagnostics& into);

}  // namespace weir::routing
