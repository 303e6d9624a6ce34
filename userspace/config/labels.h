#pragma once
// Label selectors, as Services, subsets, Gateways and source labels have them.

#include <algorithm>

#include "config/model_common.h"

namespace weir::config {

/// Whether `labels` has every one of `wanted`, with its value. Nothing wanted: yes.
[[nodiscard]] inline bool has_all(const Labels& labels, const Labels& wanted) {
  return std::ranges::all_of(wanted, [&](const auto& label) {
    const auto found = labels.find(label.first);
    return found != labels.end() && found->second == label.second;
  });
}

}  // namespace weir::config
