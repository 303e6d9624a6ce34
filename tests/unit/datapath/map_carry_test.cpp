// What goes from one map into the one that takes its place, while programs still write to both.

#include "datapath/map_carry.h"

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <unistd.h>

namespace weir::datapath::test {
namespace {

class MapCarryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }
  static OldMap make(bpf_map_type type, uint32_t key, uint32_t value, uint32_t entries, uint32_t flags = 0) {
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = flags);
    OldMap map;
    map.fd.reset(bpf_map_create(type, "carry", key, value, entries, &options));
    map.info = *map_info(map.fd.get());
    return map;
  }
  static void put(int fd, uint64_t key, uint64_t value) { bpf_map_update_elem(fd, &key, &value, BPF_ANY); }
  /// 0: not there.
  static uint64_t get(int fd, uint64_t key) {
    uint64_t value = 0;
    return bpf_map_lookup_elem(fd, &key, &value) == 0 ? value : 0;
  }
};

TEST_F(MapCarryTest, ElementsAreMovedAndWhatIsNewerStays) {
  const OldMap from = make(BPF_MAP_TYPE_HASH, 8, 8, 64), to = make(BPF_MAP_TYPE_HASH, 8, 8, 64);
  put(from.fd.get(), 1, 10);
  put(from.fd.get(), 2, 20);
  put(to.fd.get(), 2, 21);
  ASSERT_TRUE(move_elements(from, to.fd.get()));
  EXPECT_EQ(get(to.fd.get(), 1), 10U);
  EXPECT_EQ(get(to.fd.get(), 2), 21U);
  EXPECT_EQ(get(from.fd.get(), 1) + get(from.fd.get(), 2), 0U);
}

TEST_F(MapCarryTest, WhatDoesNotFitStaysWhereItIs) {
  const OldMap from = make(BPF_MAP_TYPE_HASH, 8, 8, 64, BPF_F_NO_PREALLOC);
  const OldMap to = make(BPF_MAP_TYPE_HASH, 8, 8, 3, BPF_F_NO_PREALLOC);
  for (uint64_t key = 1; key <= 10; ++key) put(from.fd.get(), key, key);
  ASSERT_TRUE(move_elements(from, to.fd.get()));
  size_t moved = 0, left = 0;
  for (uint64_t key = 1; key <= 10; ++key) {
    moved += get(to.fd.get(), key) != 0;
    left += get(from.fd.get(), key) != 0;
  }
  EXPECT_EQ(moved, 3U);
  EXPECT_EQ(left, 7U);
}

TEST_F(MapCarryTest, NumbersGoOnAndNoneFalls) {
  OldMaps old;
  old[static_cast<size_t>(MapId::kCounters)] = make(BPF_MAP_TYPE_ARRAY, 4, sizeof(abi::counter), 8, BPF_F_MMAPABLE);
  const int fd = old[static_cast<size_t>(MapId::kCounters)]->fd.get();
  const auto count = [&](uint32_t id, uint64_t split, uint64_t picked) {
    abi::counter counter{};
    counter.split_key = split;
    counter.picked = picked;
    bpf_map_update_elem(fd, &id, &counter, BPF_ANY);
  };
  count(1, 7, 100);
  count(2, 8, 50);
  count(6, 9, 5);
  std::vector<abi::counter> fresh(4);  // smaller
  const MapMemory memory{{}, {}, fresh};
  auto carry = NumberCarry::begin(old, memory);
  ASSERT_TRUE(carry) << carry.error().message;
  EXPECT_EQ(fresh[1].picked, 100U);
  fresh[1].picked += 10;  // by programs on the new map
  fresh[2] = {};          // given to somebody else
  fresh[2].split_key = 99;
  count(1, 7, 103);
  count(2, 8, 60);
  carry->go_on(memory);
  carry->go_on(memory);
  EXPECT_EQ(fresh[1].picked, 113U);
  EXPECT_EQ(fresh[2].picked, 0U);
}

}  // namespace
}  // namespace weir::datapath::test
