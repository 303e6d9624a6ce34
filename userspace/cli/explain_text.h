#pragma once
// The answer to `weir explain` for a reader.

#include <optional>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/draw.h"
#include "cli/output.h"

namespace weir::cli {

struct Explained {
  Json decision;  // design section 7
  std::vector<std::string> steps;
  Json kernel;  // of a live agent: {"agrees","generation","entries","differences"}; null: not asked
  Json proxy;   // of a live agent, where the proxy is to carry it: {"serves","pid","generation","without"}
};

std::string explain_text(const Context& context, const Explained& answer, const std::optional<Drawn>& drawn);

/// Adds "drawn" to the decision's destinations.
void add_drawn(Json& decision, const Drawn& drawn);

}  // namespace weir::cli
