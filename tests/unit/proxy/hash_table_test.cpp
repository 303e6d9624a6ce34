#include "proxy/hash_table.h"

#include <gtest/gtest.h>

#include <map>

#include "base/hash.h"

namespace weir::proxy {
namespace {

constexpr int kKeys = 20'000;

std::vector<WeightedEndpoint> endpoints(uint16_t count) {
  std::vector<WeightedEndpoint> made;
  for (uint16_t number = 1; number <= count; ++number) made.push_back({{*IpAddress::parse("10.0.0.1"), number}, 1});
  return made;
}

uint64_t key(int number) {
  return hash64("key" + std::to_string(number));
}

struct Kind {
  const char* name;
  HashTable (*make)(std::span<const WeightedEndpoint>, uint64_t);
  uint64_t size;
  double uneven;  // how far a share may be off
};

class HashTableTest : public testing::TestWithParam<Kind> {
 protected:
  [[nodiscard]] static HashTable make(const std::vector<WeightedEndpoint>& all) {
    return GetParam().make(all, GetParam().size);
  }
};
INSTANTIATE_TEST_SUITE_P(Kinds, HashTableTest,
                         testing::Values(Kind{"ring", &HashTable::ring, 4096, 0.25},
                                         Kind{"maglev", &HashTable::maglev, 65537, 0.05}),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST_P(HashTableTest, KeysSpread) {
  const HashTable table = make(endpoints(5));
  std::map<uint32_t, int> seen;
  for (int number = 0; number < kKeys; ++number) ++seen[table.find(key(number))];
  ASSERT_EQ(seen.size(), 5U);
  for (const auto& [index, count] : seen) EXPECT_NEAR(count, kKeys / 5, kKeys / 5 * GetParam().uneven + 150) << index;
}

TEST_P(HashTableTest, WeightsCount) {
  auto all = endpoints(2);
  all[0].weight = 3;
  const HashTable table = make(all);
  int first = 0;
  for (int number = 0; number < kKeys; ++number) first += table.find(key(number)) == 0;
  EXPECT_NEAR(first, kKeys * 3 / 4, kKeys * GetParam().uneven / 2 + 150);
}

TEST_P(HashTableTest, AnEndpointThatGoesMovesItsOwnKeysOnly) {
  auto all = endpoints(10);
  const HashTable before = make(all);
  all.pop_back();
  const HashTable after = make(all);
  int moved = 0, of_gone = 0;
  for (int number = 0; number < kKeys; ++number) {
    const uint32_t old = before.find(key(number));
    of_gone += old == 9;
    moved += old != 9 && after.find(key(number)) != old;
  }
  EXPECT_NEAR(of_gone, kKeys / 10, kKeys / 20);
  EXPECT_LE(moved, kKeys / 50) << "maglev moves a few more than the ring's none";
}

TEST_P(HashTableTest, TheOrderOfTheListDoesNotMatterToARing) {
  auto all = endpoints(6);
  const HashTable table = make(all);
  std::reverse(all.begin(), all.end());
  const HashTable reversed = make(all);
  int different = 0;
  for (int number = 0; number < kKeys; ++number) different += table.find(key(number)) != 5 - reversed.find(key(number));
  EXPECT_LE(different, kKeys / 20);
}

TEST_P(HashTableTest, OtherAttemptsFindOthers) {
  const HashTable table = make(endpoints(4));
  for (int number = 0; number < 100; ++number) {
    std::map<uint32_t, int> seen;
    for (uint32_t attempt = 0; attempt < 64; ++attempt) ++seen[table.find(key(number), attempt)];
    EXPECT_EQ(seen.size(), 4U);
  }
}

TEST_P(HashTableTest, OneEndpointGetsAll) {
  const HashTable table = make(endpoints(1));
  for (int number = 0; number < 100; ++number) EXPECT_EQ(table.find(key(number)), 0U);
}

TEST(HashTable, TinyTables) {
  EXPECT_EQ(HashTable::ring(endpoints(3), 1).size(), 3U) << "each has a place";
  const HashTable two = HashTable::maglev(endpoints(5), 2);
  EXPECT_EQ(two.size(), 2U);
  EXPECT_LT(two.find(key(1)), 5U);
  EXPECT_LE(HashTable::ring(endpoints(3), UINT64_MAX).size(), 1U << 21) << "nobody's memory";
}

}  // namespace
}  // namespace weir::proxy
