#pragma once
// "did you mean": the known word nearest to a mistyped one.

#include <span>
#include <string>
#include <string_view>

namespace weir {

/// Empty when none is near. Compares without case; a prefix counts as near.
std::string nearest(std::string_view word, std::span<const std::string> known);

}  // namespace weir
