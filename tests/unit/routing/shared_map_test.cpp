#include "routing/shared_map.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace weir::routing {
namespace {

using Map = SharedMap<int>;

TEST(SharedMap, FindsWhatWasSetAndNothingElse) {
  Map map;
  EXPECT_EQ(map.find("a"), nullptr);
  map.set("a", std::make_shared<const int>(1));
  map.set("", std::make_shared<const int>(2));
  EXPECT_EQ(*map.find("a"), 1);
  EXPECT_EQ(*map.find(""), 2);
  EXPECT_EQ(map.size(), 2U);
  map.set("a", nullptr);
  map.set("never", nullptr);
  EXPECT_EQ(map.find("a"), nullptr);
  EXPECT_EQ(map.size(), 1U);
}

TEST(SharedMap, ACopyDoesNotSeeLaterChanges) {
  Map map;
  for (int i = 0; i < 5000; ++i) map.set(std::to_string(i), std::make_shared<const int>(i));
  const Map before = map;
  map.set("17", std::make_shared<const int>(-1));
  map.set("18", nullptr);
  map.set("new", std::make_shared<const int>(5));
  EXPECT_EQ(*before.find("17"), 17);
  EXPECT_EQ(*before.find("18"), 18);
  EXPECT_EQ(before.find("new"), nullptr);
  EXPECT_EQ(before.size(), 5000U);
  EXPECT_EQ(*map.find("17"), -1);
  EXPECT_EQ(map.find("18"), nullptr);
}

TEST(SharedMap, AssigningSharesToo) {
  Map map, other;
  map.set("a", std::make_shared<const int>(1));
  other = map;
  map.set("a", std::make_shared<const int>(2));
  other.set("a", std::make_shared<const int>(3));
  EXPECT_EQ(*map.find("a"), 2);
  EXPECT_EQ(*other.find("a"), 3);
}

TEST(SharedMap, SortedIsByKey) {
  Map map;
  for (const char* key : {"b", "c", "a"}) map.set(key, std::make_shared<const int>(0));
  std::string keys;
  for (const auto& [key, value] : map.sorted()) keys += key;
  EXPECT_EQ(keys, "abc");
}

TEST(SharedMap, BehavesAsAMapWhateverIsDoneToItsCopies) {
  std::mt19937 random(7);
  Map map;
  std::map<std::string, int> model;
  std::vector<std::pair<Map, std::map<std::string, int>>> copies;
  for (int step = 0; step < 20'000; ++step) {
    const std::string key = std::to_string(random() % 300);
    if (random() % 3 == 0) {
      map.set(key, nullptr);
      model.erase(key);
    } else {
      map.set(key, std::make_shared<const int>(step));
      model[key] = step;
    }
    if (step % 2000 == 0) copies.emplace_back(map, model);
  }
  copies.emplace_back(map, model);
  for (const auto& [copy, expected] : copies) {
    ASSERT_EQ(copy.size(), expected.size());
    for (const auto& [key, value] : expected) ASSERT_EQ(*copy.find(key), value);
  }
}

}  // namespace
}  // namespace weir::routing
