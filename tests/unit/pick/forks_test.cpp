#include "pick/forks.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

namespace weir::pick {
namespace {

/// "(rare:share common)", e.g. "(1:25% 0)" for 75/25.
std::string to_text(const std::vector<abi::split_fork>& forks, uint8_t node = abi::FORK_BASE) {
  if (forks.empty()) return "0";
  if (node < abi::FORK_BASE) return std::to_string(node);
  const auto& fork = forks.at(node - abi::FORK_BASE);
  return "(" + to_text(forks, fork.rare) + ":" + std::to_string(std::lround(fork.share / 42949672.96)) + "% " +
         to_text(forks, fork.common) + ")";
}

TEST(Forks, Table) {
  struct Case {
    std::vector<uint64_t> weights;
    std::string text;
  };
  const std::vector<Case> cases{
      {{7}, "0"},
      {{1, 1}, "(0:50% 1)"},
      {{90, 10}, "(1:10% 0)"},
      {{1, 99}, "(0:1% 1)"},
      {{33, 33, 34}, "(2:34% (0:50% 1))"},
      {{1, 97, 1, 1}, "((0:33% (2:50% 3)):3% 1)"},
      {{1, 1, 1, 1}, "((0:50% 1):50% (2:50% 3))"},
      {{UINT64_MAX, UINT64_MAX}, "(0:50% 1)"},
  };
  for (const auto& [weights, text] : cases) EXPECT_EQ(to_text(make_forks(weights)), text);
}

TEST(Forks, AWeightTooSmallForTheResolutionIsStillThere) {
  const auto forks = make_forks(std::vector<uint64_t>{UINT64_MAX, 1});
  EXPECT_EQ(forks[0].share, 1U);
  EXPECT_EQ(forks[0].rare, 1);
}

TEST(Forks, EveryWeightHasItsShare) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 5000; ++round) {
    std::vector<uint64_t> weights(1 + random() % abi::MAX_DESTINATIONS);
    for (auto& weight : weights) weight = 1 + random() % (1ULL << (round % 60));
    const auto forks = make_forks(weights);
    ASSERT_EQ(forks.size(), weights.size() - 1);
    std::vector<double> shares(weights.size());
    const std::function<void(uint8_t, double)> walk = [&](uint8_t node, double share) {
      if (node < abi::FORK_BASE) {
        shares.at(node) += share;
        return;
      }
      const auto& fork = forks.at(node - abi::FORK_BASE);
      ASSERT_GE(fork.share, 1U);
      ASSERT_LE(fork.share, 0x80000000U);
      walk(fork.rare, share * fork.share / 4294967296.0);
      walk(fork.common, share * (1 - fork.share / 4294967296.0));
    };
    walk(forks.empty() ? 0 : abi::FORK_BASE, 1);
    double sum = 0;
    for (const uint64_t weight : weights) sum += static_cast<double>(weight);
    for (size_t i = 0; i < weights.size(); ++i) ASSERT_NEAR(shares[i], static_cast<double>(weights[i]) / sum, 1e-8);
  }
}

}  // namespace
}  // namespace weir::pick
