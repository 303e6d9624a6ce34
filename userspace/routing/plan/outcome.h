#pragma once
// What happens to a connection of one client to one frontend: the step between the rules and the plan.

#include <string>
#include <vector>

#include "base/ip_address.h"
#include "routing/client.h"
#include "routing/plan/plan.h"
#include "routing/table.h"
#include "routing/view/resolve.h"

namespace weir::routing {

struct Outcome {
  enum class Kind {
    kUntouched,  // no rule has anything to say
    kLeftAlone,  // a rule does, but the kernel must not act; `reason` says why
    kSplit,      // or for the proxy, then with or without a split to fall back to
  };
  Kind kind = Kind::kUntouched;
  Path path = Path::kNone;
  std::string reason;
  std::string rule;  // part of the split's name: "reviews#0"; "default" without a rule
  Origin origin;
  bool proxied = false;                       // for the proxy: `destinations` are for want of it, and may be none
  bool refuse_without_proxy = false;          // what the VirtualService says of that case
  std::vector<PlanDestination> destinations;  // endpoints of both families
  /// Fully qualified hosts that the outcome hangs on, the service's own aside.
  std::vector<std::string> hosts;
  config::Diagnostics conditions;
};

/// For a client that dials `address`, one of the service's, on one of its ports. `http_by_request`: see BuildOptions.
Outcome find_outcome(const Table& table, const Client& client, const Service& service, const ServicePort& port,
                     const IpAddress& address, bool http_by_request = false);

/// A split over all healthy endpoints of the service.
Outcome default_outcome(const Table& table, const Client& client, const Service& service, const ServicePort& port,
                        std::string reason);

/// Why a rule cannot be decided per connection, for a reader: "matches header end-user", "rewrites the request". Empty:
/// it can.
std::string needs_proxy(const AppliedHttpRule& rule);

}  // namespace weir::routing
