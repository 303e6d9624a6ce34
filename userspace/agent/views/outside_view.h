#pragma once
// Traffic from outside, as `weir status` shows it. Pure.

#include <string>
#include <vector>

#include "agent/views/views.h"

namespace weir::agent {

/// {"wanted","attached","trouble","frontends","unserved","devices":[{"name","tc","xdp","why","problem","foreign"}],…}.
Json outside_view(const State& state);
/// What is not as it should be, a line each.
std::vector<std::string> outside_problems(const State& state);

}  // namespace weir::agent
