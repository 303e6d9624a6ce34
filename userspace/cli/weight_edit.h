#pragma once
// Other weights in the user's own YAML text: comments, order and layout stay. Pure.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/model.h"

namespace weir::cli {

struct WeightEdit {
  config::Position entry;   // of the destination's entry in route[]
  config::Position weight;  // of its weight's number; line 0: it has none yet
  uint32_t value = 0;
};

/// `text` with these weights. An error names line and column of what cannot be edited in place (an alias, a multi-line
/// scalar).
Result<std::string> edit_weights(std::string_view text, std::vector<WeightEdit> edits);

}  // namespace weir::cli
