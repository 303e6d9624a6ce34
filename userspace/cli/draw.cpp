#include "cli/draw.h"

#include <algorithm>
#include <string>

#include "pick/forks.h"
#include "pick/pick.h"

namespace weir::cli {

Result<Drawn> draw(std::span<const DrawTarget> targets, uint64_t count, uint64_t phase) {
  if (targets.empty()) return Error{"there is nothing to draw from"};
  if (targets.size() > abi::MAX_DESTINATIONS)
    return Error{"the kernel splits between at most " + std::to_string(static_cast<int>(abi::MAX_DESTINATIONS)) +
                 " destinations"};
  constexpr uint32_t kSplit = 1;
  std::vector<uint64_t> weights;
  for (const auto& target : targets) weights.push_back(target.weight);
  const auto forks = pick::make_forks(weights);
  // One endpoint stands for all of a destination: which of them it is does not matter here.
  abi::split split{};
  split.phase = phase;
  split.destination_count = static_cast<uint32_t>(targets.size());
  std::copy(forks.begin(), forks.end(), split.forks);
  std::vector<abi::endpoint> endpoints(targets.size());
  for (uint32_t i = 0; i < targets.size(); ++i) {
    split.destinations[i].first = i;
    split.destinations[i].count = 1;
    endpoints[i].last = UINT32_MAX;
    endpoints[i].port = 1;
    endpoints[i].split = kSplit;
  }
  Drawn drawn{phase, std::vector<uint64_t>(targets.size())};
  for (uint64_t cursor = 0; cursor < count; ++cursor) {
    const auto result = pick::pick(split, kSplit, endpoints, cursor);
    if (result.outcome != pick::PickOutcome::kEndpoint) return Error{"the pick makes no sense of these weights"};
    ++drawn.picked[result.endpoint];
  }
  return drawn;
}

}  // namespace weir::cli
