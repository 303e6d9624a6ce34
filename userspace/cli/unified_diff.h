#pragma once
// Two texts as `diff -u` shows them. Pure.

#include <string>
#include <string_view>

namespace weir::cli {

/// Empty when they are the same. `before_name`, `after_name`: for the two header lines ("/dev/null" for what is not
/// there).
std::string unified_diff(std::string_view before, std::string_view after, std::string_view before_name,
                         std::string_view after_name);

}  // namespace weir::cli
