#pragma once
// A JSON document as the same plain tree that a YAML one becomes, for objects of an API server. There are no lines to
// point at, so every place is 0; who reads the tree names the object instead.

#include <functional>
#include <optional>
#include <string_view>

#include "config/yaml_tree.h"

namespace weir::config::json {

/// Calls `document` with the root (valid during the call), or returns what is wrong with the text. Never throws for bad
/// input. The limits are those of YAML: depth, and the size of a file.
std::optional<yaml::Problem> parse(std::string_view text, const std::function<void(const yaml::Node& root)>& document);

}  // namespace weir::config::json
