#pragma once
// A question of `weir explain`, as the command line and the admin API put it.

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "routing/decide/explain_json.h"

namespace weir::agent {

/// As routing::parse_question, and besides "from_pod": "NAMESPACE/POD" for a client that the table knows.
Result<routing::Question> read_question(const nlohmann::json& entry, const routing::Table& table);

}  // namespace weir::agent
