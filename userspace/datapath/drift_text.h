#pragma once
// What drifted, for a reader: how an element was before it was mended, and how it is now. Pure.

#include <string>
#include <vector>

#include "datapath/map_diff.h"

namespace weir::datapath {

/// "split 1: was ...", a line for each element that `changes` will mend; `state` is what was read back.
std::vector<std::string> describe_before(const MapState& state, const Changes& changes);
/// The other half of each line, in the same order: ", is ...". Once `changes` is written.
std::vector<std::string> describe_after(const MapState& state, const Changes& changes);

}  // namespace weir::datapath
