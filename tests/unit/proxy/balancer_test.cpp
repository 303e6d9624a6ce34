#include "proxy/balancer.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "base/hash.h"

namespace weir::proxy {
namespace {

using Simple = config::LoadBalancer::Simple;

class BalancerTest : public testing::Test {
 protected:
  void with(const config::LoadBalancer* written, std::vector<uint32_t> weights) {
    endpoints.clear();
    std::vector<EndpointStatePtr> all;
    for (uint16_t port = 1; port <= weights.size(); ++port) {
      endpoints.push_back({{*IpAddress::parse("10.0.0.1"), port}, weights[port - 1]});
      all.push_back(shared.endpoint(endpoints.back().address));
    }
    split.emplace(std::move(*Split::make({{1, endpoints}}, std::make_shared<Cursor>(7))));
    balancer = Balancer(written, endpoints, std::move(all), shared, outlier);
  }
  void with(Simple simple, std::vector<uint32_t> weights) {
    config::LoadBalancer written;
    written.simple = simple;
    with(&written, std::move(weights));
  }
  std::optional<uint32_t> choose(std::optional<uint64_t> key = {}, std::vector<uint32_t> tried = {}) {
    const pick::Turn turn = split->pick();
    return balancer.choose(shared,
                           {.split = *split, .turn = turn, .key = key, .random = random(), .now = now, .tried = tried});
  }
  std::map<uint32_t, int> count(int times, std::vector<uint32_t> tried = {}) {
    std::map<uint32_t, int> seen;
    for (int number = 0; number < times; ++number) ++seen[choose({}, tried).value_or(99)];
    return seen;
  }
  void eject(uint32_t index) {
    OutlierRules rules;
    rules.enabled = true;
    rules.consecutive_5xx = 1;
    rules.max_ejection_percent = 100;
    EXPECT_TRUE(shared.report(*balancer.states()[index], TryResult::kServerError, rules, balancer.states(), now));
  }

  DestinationState shared;
  OutlierRules outlier;
  std::vector<WeightedEndpoint> endpoints;
  std::optional<Split> split;
  Balancer balancer;
  std::mt19937_64 random{1};
  net::TimePoint now{std::chrono::seconds(1000)};
};

TEST_F(BalancerTest, TurnsAreEven) {
  with(Simple::kRoundRobin, {1, 1, 1});
  for (const auto& [index, seen] : count(300)) EXPECT_EQ(seen, 100) << index;
}

TEST_F(BalancerTest, TheDefaultIsAsEvenWhileNobodyIsSlow) {
  with(nullptr, {1, 1, 1});
  EXPECT_EQ(balancer.kind(), Balancer::Kind::kLeastRequest);
  for (const auto& [index, seen] : count(300)) EXPECT_EQ(seen, 100) << index;
}

TEST_F(BalancerTest, TheDefaultAvoidsWhoeverIsSlow) {
  with(nullptr, {1, 1, 1});
  balancer.states()[1]->open_requests = 10;
  auto seen = count(300);
  EXPECT_EQ(seen[1], 0) << "the other one always has fewer";
  balancer.states()[1]->open_requests = 0;
  balancer.states()[0]->open_requests = balancer.states()[2]->open_requests = 1;
  seen = count(300);
  EXPECT_GT(seen[1], 150);
}

TEST_F(BalancerTest, TurnsIgnoreLoad) {
  with(Simple::kRoundRobin, {1, 1});
  balancer.states()[1]->open_requests = 10;
  EXPECT_EQ(count(100)[1], 50);
}

TEST_F(BalancerTest, RandomIsRoughlyEven) {
  with(Simple::kRandom, {1, 1});
  auto seen = count(10'000);
  EXPECT_NEAR(seen[0], 5000, 300);
  EXPECT_NE(seen[0], 5000) << "would be turns";
}

TEST_F(BalancerTest, WeightsHold) {
  for (const Simple simple : {Simple::kRoundRobin, Simple::kRandom, Simple::kLeastRequest}) {
    with(simple, {3, 1});
    EXPECT_NEAR(count(4000)[0], 3000, 150);
  }
}

TEST_F(BalancerTest, LoadCountsByWeight) {
  with(Simple::kLeastRequest, {4, 1});
  balancer.states()[0]->open_requests = 8;
  balancer.states()[1]->open_requests = 3;
  EXPECT_EQ(count(100)[0], 100) << "2 a unit of weight against 3";
}

TEST_F(BalancerTest, NoEndpointNoChoice) {
  with(nullptr, {});
  EXPECT_FALSE(choose());
}

TEST_F(BalancerTest, EjectedOnesGetNothing) {
  for (const Simple simple : {Simple::kRoundRobin, Simple::kRandom, Simple::kLeastRequest}) {
    now += std::chrono::hours(1);
    with(simple, {1, 1, 1});
    eject(0);
    auto seen = count(3000);
    EXPECT_EQ(seen[0], 0);
    EXPECT_NEAR(seen[1], 1500, 300);
    now += std::chrono::hours(1);
    EXPECT_NEAR(count(3000)[0], 1000, 200) << "until their time is over";
  }
}

TEST_F(BalancerTest, WithAllOfThemEjectedThereIsNobody) {
  with(nullptr, {1, 1});
  eject(0);
  eject(1);
  EXPECT_FALSE(choose());
}

TEST_F(BalancerTest, TooFewLeftAndEjectionsDoNotCount) {
  outlier.min_health_percent = 60;
  with(Simple::kRoundRobin, {1, 1});
  eject(0);
  EXPECT_EQ(count(100)[0], 50);
}

TEST_F(BalancerTest, TriedOnesAreAvoidedWhereThereAreOthers) {
  for (const Simple simple : {Simple::kRoundRobin, Simple::kRandom, Simple::kLeastRequest}) {
    with(simple, {1, 1, 1});
    auto seen = count(1000, {0, 2});
    EXPECT_EQ(seen[1], 1000);
    EXPECT_EQ(count(1000, {0, 1, 2}).size(), 3U) << "better again than nowhere";
  }
}

TEST_F(BalancerTest, AnEjectedOneIsNoBetterThanATriedOne) {
  with(nullptr, {1, 1});
  eject(1);
  EXPECT_EQ(count(100, {0})[0], 100);
}

TEST_F(BalancerTest, AKeyHasOnePlace) {
  config::LoadBalancer written;
  written.consistent_hash.emplace().http_header_name = "x-user";
  for (const bool maglev : {false, true}) {
    if (maglev) written.consistent_hash->maglev_table_size = 1031;
    with(&written, {1, 1, 1, 1});
    EXPECT_EQ(balancer.kind(), Balancer::Kind::kHash);
    std::map<uint32_t, int> seen;
    for (int number = 0; number < 1000; ++number) {
      const uint64_t key = hash64(std::to_string(number));
      const auto place = choose(key);
      EXPECT_EQ(choose(key), place);
      EXPECT_EQ(choose(key, {*place}), place) << "tried or not";
      ++seen[*place];
    }
    EXPECT_EQ(seen.size(), 4U);
    EXPECT_EQ(count(1000).size(), 4U) << "without a key, anywhere";
  }
}

TEST_F(BalancerTest, AnEjectionMovesOnlyTheKeysOfTheEjected) {
  config::LoadBalancer written;
  written.consistent_hash.emplace().use_source_ip = true;
  with(&written, {1, 1, 1, 1});
  std::map<uint64_t, uint32_t> before;
  for (int number = 0; number < 1000; ++number) before[hash64(std::to_string(number))] = 0;
  for (auto& [key, place] : before) place = *choose(key);
  eject(2);
  for (const auto& [key, place] : before) {
    if (place == 2) {
      EXPECT_NE(choose(key), 2U);
    } else {
      EXPECT_EQ(choose(key), place);
    }
  }
}

TEST_F(BalancerTest, TablesAreShared) {
  config::LoadBalancer written;
  written.consistent_hash.emplace().use_source_ip = true;
  int made = 0;
  const auto make = [&] {
    ++made;
    return HashTable::ring(endpoints, 8);
  };
  with(&written, {1, 1});
  const auto table = shared.table(1, make);
  EXPECT_EQ(shared.table(1, make), table);
  EXPECT_NE(shared.table(2, make), table);
  EXPECT_EQ(made, 2);
}

TEST_F(BalancerTest, WhenACookieIsMade) {
  config::LoadBalancer written;
  auto& cookie = written.consistent_hash.emplace().http_cookie.emplace();
  cookie.name = "user";
  with(&written, {1});
  EXPECT_FALSE(balancer.cookie()) << "without a ttl the client brings it or not";
  cookie.ttl = std::chrono::seconds(0);
  with(&written, {1});
  ASSERT_TRUE(balancer.cookie());
  EXPECT_EQ(balancer.cookie()->ttl.count(), 0);
}

}  // namespace
}  // namespace weir::proxy
