#pragma once
// Which L4 rule takes a connection (semantics 1.3). Pure.

#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "routing/view/resolve.h"

namespace weir::routing {

struct ConnectionFacts {
  std::optional<IpAddress> destination, source;
  std::string sni;  // lower case; empty: none
  /// At a gateway addresses decide nothing, whatever a rule says of them (istio gateway.go l4MultiMatch).
  bool at_gateway = false;
};

/// The rule that fits most closely, as Envoy matches filter chains; of equal ones the first. Null: none.
const AppliedL4Rule* match_connection(const std::vector<AppliedL4Rule>& rules, const ConnectionFacts& facts);

}  // namespace weir::routing
