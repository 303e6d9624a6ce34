#include "cli/draw.h"

#include <string>

#include "datapath/pick.h"
#include "datapath/thresholds.h"

namespace weir::cli {

Result<Drawn> draw(std::span<const DrawTarget> targets, uint64_t count, uint64_t cursor) {
  if (targets.empty()) return Error{"there is nothing to draw from"};
  if (targets.size() > abi::MAX_DESTINATIONS)
    return Error{"the kernel splits between at most " + std::to_string(static_cast<int>(abi::MAX_DESTINATIONS)) +
                 " destinations"};
  constexpr uint32_t kSplit = 1;
  std::vector<uint64_t> weights;
  for (const auto& target : targets) weights.push_back(target.weight);
  const auto last = datapath::thresholds(weights);
  // One endpoint stands for all of a destination: which of them it is does not matter here.
  abi::split split{};
  split.destination_count = static_cast<uint32_t>(targets.size());
  std::vector<abi::endpoint> endpoints(targets.size());
  for (uint32_t i = 0; i < targets.size(); ++i) {
    split.destinations[i].last = last[i];
    split.destinations[i].first = i;
    split.destinations[i].count = targets[i].endpoints > 0 ? 1 : 0;
    endpoints[i].last = UINT32_MAX;
    endpoints[i].split = kSplit;
  }
  Drawn drawn{cursor, std::vector<uint64_t>(targets.size())};
  for (uint64_t n = 0; n < count; ++n) {
    cursor = datapath::advance(cursor);
    const uint32_t point = datapath::point_of(cursor);
    const auto result = datapath::pick(split, kSplit, endpoints, point);
    if (result.outcome == datapath::PickOutcome::kEndpoint) {
      ++drawn.picked[result.endpoint];
    } else {
      size_t i = 0;
      while (i + 1 < last.size() && point > last[i]) ++i;
      ++drawn.picked[i];
    }
  }
  return drawn;
}

}  // namespace weir::cli
