#include "pick/pick.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "pick/forks.h"
#include "pick/thresholds.h"

namespace weir::pick {
namespace {

constexpr uint32_t kId = 3;

/// A split with one endpoint a weight; zero weights have none, as in a plan.
struct Case {
  explicit Case(const std::vector<uint64_t>& all, uint64_t phase = 0) {
    std::vector<uint64_t> weights;
    endpoints.resize(1);
    for (size_t i = 0; i < all.size(); ++i) {
      endpoints.push_back({.address = {}, .port = 1, .flags = 0, .counter = 0, .last = 0xffffffff, .split = kId});
      if (all[i] == 0) continue;
      auto& destination = split.destinations[split.destination_count++];
      destination.first = static_cast<uint32_t>(i + 1);
      destination.count = 1;
      weights.push_back(all[i]);
    }
    const auto forks = make_forks(weights);
    std::copy(forks.begin(), forks.end(), split.forks);
    split.phase = phase;
  }
  [[nodiscard]] PickResult at(uint64_t cursor) const { return pick::pick(split, kId, endpoints, cursor); }

  abi::split split{};
  std::vector<abi::endpoint> endpoints;
};

/// The largest distance from the exact share at any n = 1..most.
double worst_deviation(const std::vector<uint64_t>& weights, uint64_t phase, uint64_t first, int most) {
  Case sample(weights, phase);
  sample.split.start = first;
  const double sum = static_cast<double>(std::accumulate(weights.begin(), weights.end(), uint64_t{0}));
  std::vector<int> counts(weights.size());
  double worst = 0;
  for (int n = 1; n <= most; ++n) {
    const PickResult result = sample.at(first + static_cast<uint64_t>(n) - 1);
    if (result.outcome != PickOutcome::kEndpoint) return 1e9;
    ++counts[result.endpoint - 1];
    for (size_t i = 0; i < weights.size(); ++i)
      worst = std::max(worst, std::abs(counts[i] - n * static_cast<double>(weights[i]) / sum));
  }
  return worst;
}

TEST(Pick, TheWeightsOfTheIssueAreNeverMoreThanOneOff) {
  std::mt19937_64 random(1);
  for (const auto& weights :
       std::vector<std::vector<uint64_t>>{{90, 10}, {99, 1}, {75, 25}, {33, 33, 34}, {50, 50}, {1, 2, 1}, {1, 0}})
    for (int node = 0; node < 20; ++node) EXPECT_LE(worst_deviation(weights, random(), random(), 10000), 1.001);
}

TEST(Pick, TwoDestinationsAreNeverMoreThanOneOffWhateverTheWeights) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 300; ++round) {
    const std::vector<uint64_t> weights{1 + random() % (1ULL << (round % 40)), 1 + random() % 1000};
    ASSERT_LE(worst_deviation(weights, random(), random(), 10000), 1.001) << weights[0] << "/" << weights[1];
  }
}

TEST(Pick, ManyDestinationsAreNearlyExactAtAnyNumberOfConnections) {
  std::mt19937_64 random(3);
  double worst = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<uint64_t> weights(3 + random() % (abi::MAX_DESTINATIONS - 2));
    for (auto& weight : weights) weight = random() % (1ULL << (1 + round % 17));
    weights[0] += 1;
    worst = std::max(worst, worst_deviation(weights, random(), 0, 10000));
  }
  EXPECT_LE(worst, 3.0);
}

// Somebody who starts counting at any time sees what began before, too.
TEST(Pick, CountedFromAnywhereTwoDestinationsAreNeverMoreThanTwoOff) {
  std::mt19937_64 random(4);
  for (const auto& weights : std::vector<std::vector<uint64_t>>{{90, 10}, {99, 1}, {75, 25}, {50, 50}}) {
    const Case sample(weights, random());
    const double share = static_cast<double>(weights[1]) / static_cast<double>(weights[0] + weights[1]);
    for (int round = 0; round < 20; ++round) {
      const uint64_t from = random() % 1000000;
      int canary = 0;
      for (int n = 1; n <= 10000; ++n) {
        canary += sample.at(from + static_cast<uint64_t>(n) - 1).endpoint == 2 ? 1 : 0;
        ASSERT_LE(std::abs(canary - n * share), 2.0);
      }
    }
  }
}

TEST(Pick, WeightZeroIsNeverPicked) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 200; ++round) {
    std::vector<uint64_t> weights(2 + random() % 5);
    for (auto& weight : weights) weight = random() % 3 == 0 ? 0 : 1 + random() % 50;
    weights[random() % weights.size()] = 1;
    const Case sample(weights, random());
    const uint64_t from = random();
    for (uint64_t i = 0; i < 2000; ++i) ASSERT_GT(weights[sample.at(from + i).endpoint - 1], 0U);
  }
}

// A client that makes ten connections a round, of which one always does the same thing, must not meet one version only.
TEST(Pick, NoAliasingWithRegularClients) {
  const Case sample({90, 10}, 12345);
  for (const uint64_t stride : {2, 3, 7, 10, 20, 64, 100})
    for (uint64_t offset = 0; offset < std::min<uint64_t>(stride, 10); ++offset) {
      int canary = 0;
      for (uint64_t i = 0; i < 1000; ++i) canary += sample.at(offset + i * stride).endpoint == 2 ? 1 : 0;
      EXPECT_NEAR(canary, 100, 45) << "every " << stride << "th from " << offset;
    }
}

// Many nodes that make a few connections each must not all begin with the same version.
TEST(Pick, AFleetOfIdleNodesSplitsAsWell) {
  std::mt19937_64 random(6);
  int canary = 0;
  for (int node = 0; node < 1000; ++node) {
    const Case sample({90, 10}, random());
    for (uint64_t i = 0; i < 3; ++i) canary += sample.at(i).endpoint == 2 ? 1 : 0;
  }
  EXPECT_NEAR(canary, 300, 70);
}

TEST(Pick, ANumberBeforeTheStartIsSafe) {
  Case sample({90, 10}, 1);
  sample.split.start = 1000;
  for (uint64_t cursor = 990; cursor < 1010; ++cursor) EXPECT_EQ(sample.at(cursor).outcome, PickOutcome::kEndpoint);
  sample.split.start = 0;
  for (const uint64_t cursor : {0xfffffffeULL, 0xffffffffULL, 0x100000000ULL, 0xffffffffffffffffULL})
    EXPECT_EQ(sample.at(cursor).outcome, PickOutcome::kEndpoint);
}

TEST(Pick, EndpointsTakeTurns) {
  Case sample({70, 30}, 99);
  sample.split.destinations[0].first = 1;
  sample.split.destinations[0].count = 7;
  sample.split.destinations[1].first = 8;
  sample.split.destinations[1].count = 3;
  sample.endpoints.resize(11, sample.endpoints[1]);
  std::vector<int> counts(11);
  for (uint64_t i = 0; i < 1000; ++i) {
    ++counts[sample.at(i).endpoint];
    for (size_t k = 1; k < counts.size(); ++k) ASSERT_NEAR(counts[k], static_cast<double>(i + 1) / 10, 2);
  }
}

TEST(Pick, RoundsBeginWithAnotherEndpoint) {
  Case sample({1}, 7);
  sample.split.destinations[0].count = 3;
  sample.endpoints.resize(4, sample.endpoints[1]);
  std::vector<int> first(4);
  for (uint64_t round = 0; round < 300; ++round) {
    std::vector<int> seen(4);
    for (uint64_t i = 0; i < 3; ++i) ++seen[sample.at(round * 3 + i).endpoint];
    EXPECT_EQ(seen, (std::vector<int>{0, 1, 1, 1}));
    ++first[sample.at(round * 3).endpoint];
  }
  for (size_t i = 1; i < 4; ++i) EXPECT_NEAR(first[i], 100, 40) << "a client of every third connection meets them all";
}

TEST(Pick, WeightedEndpointsGetTheirShare) {
  for (const auto& weights : std::vector<std::vector<uint64_t>>{{6, 1, 3}, {1, 1, 1, 97}, {1, 1000}, {5}}) {
    Case sample({1}, 7);
    sample.endpoints.resize(1 + weights.size(), sample.endpoints[1]);
    const auto lasts = thresholds(weights);
    for (size_t i = 0; i < lasts.size(); ++i) sample.endpoints[i + 1].last = lasts[i];
    sample.split.destinations[0].count = static_cast<uint32_t>(weights.size());
    sample.split.destinations[0].flags = abi::DESTINATION_WEIGHTED;
    const double sum = static_cast<double>(std::accumulate(weights.begin(), weights.end(), uint64_t{0}));
    std::vector<int> counts(weights.size() + 1);
    for (uint64_t i = 0; i < 10000; ++i) ++counts[sample.at(i).endpoint];
    for (size_t i = 0; i < weights.size(); ++i)
      EXPECT_NEAR(counts[i + 1], 10000 * static_cast<double>(weights[i]) / sum, 4);
  }
}

TEST(Pick, ValuesThatMakeNoSense) {
  const auto outcome = [](auto change) {
    Case sample({1, 1});
    change(sample);
    const auto one = sample.at(0).outcome, two = sample.at(1).outcome;
    return one == PickOutcome::kEndpoint ? two : one;
  };
  EXPECT_EQ(outcome([](Case&) {}), PickOutcome::kEndpoint);
  EXPECT_EQ(outcome([](Case& c) { c.split.destination_count = 0; }), PickOutcome::kBad);
  EXPECT_EQ(outcome([](Case& c) { c.split.destinations[0].count = 0; }), PickOutcome::kEmpty);
  EXPECT_EQ(outcome([](Case& c) { c.split.destinations[0].count = 0xffffffff; }), PickOutcome::kBad);
  EXPECT_EQ(outcome([](Case& c) { c.split.destinations[0].first = 0xffffffff; }), PickOutcome::kBad);
  EXPECT_EQ(outcome([](Case& c) { c.split.destinations[0].first = 0; }), PickOutcome::kBad);
  EXPECT_EQ(outcome([](Case& c) { c.split.forks[0].share = 0; }), PickOutcome::kBad);
  EXPECT_EQ(outcome([](Case& c) { c.split.forks[0].rare = 2; }), PickOutcome::kBad);
  EXPECT_EQ(outcome([](Case& c) {
              c.split.forks[0].rare = abi::FORK_BASE;
              c.split.forks[0].common = abi::FORK_BASE;
            }),
            PickOutcome::kBad)
      << "a loop";
  EXPECT_EQ(outcome([](Case& c) { c.split.forks[0].rare = 255; }), PickOutcome::kBad);
  EXPECT_EQ(outcome([](Case& c) { c.split.mode = 1; }), PickOutcome::kBad);
  EXPECT_EQ(outcome([](Case& c) { c.endpoints[1].split = kId + 1; }), PickOutcome::kBad);
  EXPECT_EQ(outcome([](Case& c) { c.endpoints[1].port = 0; }), PickOutcome::kBad);
}

TEST(FrontendCheck, DiffersWithEveryField) {
  abi::frontend_key key{};
  key.port = 80;
  key.protocol = 6;
  const uint64_t check = frontend_check(key);
  EXPECT_NE(frontend_check(abi::frontend_key{}), 0U) << "an element of zeros is nobody's";
  const auto changed = [&](auto change) {
    abi::frontend_key other = key;
    change(other);
    return frontend_check(other);
  };
  for (int i = 0; i < 16; ++i) EXPECT_NE(changed([&](abi::frontend_key& k) { k.address[i] ^= 1; }), check);
  EXPECT_NE(changed([](abi::frontend_key& k) { k.port ^= 256; }), check);
  EXPECT_NE(changed([](abi::frontend_key& k) { k.protocol = 17; }), check);
  EXPECT_NE(changed([](abi::frontend_key& k) { k.source = 1; }), check);
}

TEST(Pick, ItsTwoHalvesComeToTheSame) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 50; ++round) {
    std::vector<uint64_t> weights(1 + random() % 20);
    for (uint64_t& weight : weights) weight = 1 + random() % 100;
    const Case sample(weights, random());
    for (uint64_t cursor = 0; cursor < 200; ++cursor) {
      const auto turn = pick_destination(sample.split, cursor);
      ASSERT_TRUE(turn);
      ASSERT_EQ(pick_endpoint(sample.split, sample.endpoints, *turn), sample.at(cursor).endpoint);
    }
  }
}

TEST(Pick, HalvesOfNonsenseAreNothing) {
  Case sample({1, 1});
  sample.split.forks[0].share = 0;
  EXPECT_FALSE(pick_destination(sample.split, 1));
  sample.split.destinations[0].count = 0;
  EXPECT_FALSE(pick_endpoint(sample.split, sample.endpoints, {}));
}

TEST(Pick, APointBelongsToOneDestination) {
  Case sample({1, 2, 1});
  const auto lasts = thresholds(std::vector<uint64_t>{1, 2, 1});
  for (size_t i = 0; i < lasts.size(); ++i) sample.split.destinations[i].last = lasts[i];
  EXPECT_EQ(destination_at(sample.split, 0), 0U);
  EXPECT_EQ(destination_at(sample.split, lasts[0]), 0U);
  EXPECT_EQ(destination_at(sample.split, lasts[0] + 1), 1U);
  EXPECT_EQ(destination_at(sample.split, lasts[1]), 1U);
  EXPECT_EQ(destination_at(sample.split, 0xffffffff), 2U);
}

}  // namespace
}  // namespace weir::pick
