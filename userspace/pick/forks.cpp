#include "pick/forks.h"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace weir::pick {
namespace {

__extension__ using Wide = unsigned __int128;

class ForkBuilder {
 public:
  explicit ForkBuilder(std::span<const uint64_t> weights) : weights_(weights), order_(weights.size()) {
    std::iota(order_.begin(), order_.end(), uint8_t{0});
    // Heaviest first: what weighs more than all the rest together stands alone at once.
    std::stable_sort(order_.begin(), order_.end(), [&](uint8_t a, uint8_t b) { return weights_[a] > weights_[b]; });
  }

  std::vector<abi::split_fork> run() {
    build(0, order_.size());
    return std::move(forks_);
  }

 private:
  [[nodiscard]] Wide sum(size_t begin, size_t end) const {
    Wide total = 0;
    for (size_t i = begin; i < end; ++i) total += weights_[order_[i]];
    return total;
  }

  /// The child that stands for order_[begin, end).
  uint8_t build(size_t begin, size_t end) {
    if (end - begin == 1) return order_[begin];
    const Wide total = sum(begin, end);
    // The first boundary at which half of the weight is reached or as good as reached.
    size_t middle = begin + 1;
    Wide left = weights_[order_[begin]];
    while (middle + 1 < end && distance(left + weights_[order_[middle]], total) < distance(left, total))
      left += weights_[order_[middle++]];
    const size_t index = forks_.size();
    forks_.emplace_back();
    const uint8_t left_child = build(begin, middle), right_child = build(middle, end);
    const bool left_is_rare = 2 * left <= total;
    const Wide share = std::max<Wide>(1, ((left_is_rare ? left : total - left) << 32) / total);
    forks_[index] = {.share = static_cast<uint32_t>(share),
                     .rare = left_is_rare ? left_child : right_child,
                     .common = left_is_rare ? right_child : left_child,
                     .pad = 0};
    return static_cast<uint8_t>(abi::FORK_BASE + index);
  }

  static Wide distance(Wide part, Wide total) { return 2 * part > total ? 2 * part - total : total - 2 * part; }

  std::span<const uint64_t> weights_;
  std::vector<uint8_t> order_;
  std::vector<abi::split_fork> forks_;
};

}  // namespace

std::vector<abi::split_fork> make_forks(std::span<const uint64_t> weights) {
  assert(!weights.empty() && weights.size() <= abi::MAX_DESTINATIONS);
  return ForkBuilder(weights).run();
}

}  // namespace weir::pick
