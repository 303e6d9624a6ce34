#pragma once
// Whether a decision and what a real Istio answered come to the same (corpus/oracle/README.md, "Comparing").

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "routing/client.h"
#include "routing/decide/explain.h"

namespace weir::oracle {

/// One line a difference: `status: 404, Istio: 503`. Empty: they agree.
std::vector<std::string> differences(const routing::Request& request, const routing::Decision& decision,
                                     const nlohmann::json& answer);

}  // namespace weir::oracle
