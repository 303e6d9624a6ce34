#include "pick/thresholds.h"

#include <algorithm>
#include <cassert>

namespace weir::pick {
namespace {
__extension__ using Wide = unsigned __int128;
}

std::vector<uint32_t> thresholds(std::span<const uint64_t> weights) {
  Wide sum = 0;
  for (const uint64_t weight : weights) {
    assert(weight > 0);
    sum += weight;
  }
  std::vector<uint32_t> result;
  result.reserve(weights.size());
  Wide before = 0;
  int64_t previous = -1;
  for (size_t i = 0; i < weights.size(); ++i) {
    before += weights[i];
    const auto ideal = static_cast<int64_t>((before << 32) / sum) - 1;
    // At least one point for this interval, and one left for each that follows.
    const int64_t most = (int64_t{1} << 32) - static_cast<int64_t>(weights.size() - i);
    previous = std::min(std::max(ideal, previous + 1), most);
    result.push_back(static_cast<uint32_t>(previous));
  }
  return result;
}

}  // namespace weir::pick
