// Batches on real maps.

#include "datapath/bpf_map.h"

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace weir::datapath::test {
namespace {

class BpfMapTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }
  static FileDescriptor make(bpf_map_type type, uint32_t entries, uint32_t flags = 0) {
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = flags);
    return FileDescriptor(bpf_map_create(type, "weir_test", sizeof(uint32_t), sizeof(uint64_t), entries, &options));
  }
};

std::vector<uint32_t> numbers(uint32_t count, uint32_t from = 0) {
  std::vector<uint32_t> keys(count);
  for (uint32_t i = 0; i < count; ++i) keys[i] = from + i;
  return keys;
}

TEST_F(BpfMapTest, Info) {
  const auto map = make(BPF_MAP_TYPE_HASH, 7, BPF_F_NO_PREALLOC);
  const auto info = map_info(map.get());
  ASSERT_TRUE(info);
  EXPECT_EQ(info->name, "weir_test");
  EXPECT_EQ(info->type, static_cast<uint32_t>(BPF_MAP_TYPE_HASH));
  EXPECT_EQ(info->key_size, 4U);
  EXPECT_EQ(info->value_size, 8U);
  EXPECT_EQ(info->max_entries, 7U);
  EXPECT_EQ(info->flags, static_cast<uint32_t>(BPF_F_NO_PREALLOC));
  EXPECT_FALSE(map_info(-1));
  EXPECT_FALSE(map_info(STDIN_FILENO));
}

TEST_F(BpfMapTest, MoreThanOneBatch) {
  const auto fd = make(BPF_MAP_TYPE_HASH, 20000);
  const HashMap<uint32_t, uint64_t> map(fd.get(), "test");
  const auto keys = numbers(10001);
  std::vector<uint64_t> values(keys.begin(), keys.end());
  ASSERT_TRUE(map.update(keys, values));
  auto all = map.read_all();
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), keys.size());
  std::sort(all->begin(), all->end());
  for (uint32_t i = 0; i < keys.size(); ++i) ASSERT_EQ((*all)[i], (std::pair<uint32_t, uint64_t>(i, i)));
  ASSERT_TRUE(map.remove(numbers(10000)));
  EXPECT_EQ(map.read_all()->size(), 1U);
}

TEST_F(BpfMapTest, NothingIsNothing) {
  const auto fd = make(BPF_MAP_TYPE_HASH, 10);
  const HashMap<uint32_t, uint64_t> map(fd.get(), "test");
  EXPECT_TRUE(map.update({}, {}));
  EXPECT_TRUE(map.remove({}));
  EXPECT_TRUE(map.read_all()->empty());
}

TEST_F(BpfMapTest, DeletingSkipsWhatIsNotThere) {
  const auto fd = make(BPF_MAP_TYPE_HASH, 10);
  const HashMap<uint32_t, uint64_t> map(fd.get(), "test");
  ASSERT_TRUE(map.update(std::vector<uint32_t>{2, 5}, std::vector<uint64_t>{1, 1}));
  ASSERT_TRUE(map.remove(numbers(8)));
  EXPECT_TRUE(map.read_all()->empty());
}

TEST_F(BpfMapTest, AFullMapIsNamed) {
  const auto fd = make(BPF_MAP_TYPE_HASH, 2);
  const HashMap<uint32_t, uint64_t> map(fd.get(), "frontends");
  const auto written = map.update(numbers(3), std::vector<uint64_t>(3));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, E2BIG);
  EXPECT_EQ(written.error().message, "write map frontends: Argument list too long");
}

TEST_F(BpfMapTest, MappedMemoryIsTheMap) {
  const auto fd = make(BPF_MAP_TYPE_ARRAY, 4, BPF_F_MMAPABLE);
  auto mapping = Mapping::map(fd.get(), "test", 4 * sizeof(uint64_t), true);
  ASSERT_TRUE(mapping);
  mapping->as<uint64_t>()[3] = 9;
  const uint32_t key = 3;
  uint64_t value = 0;
  ASSERT_EQ(bpf_map_lookup_elem(fd.get(), &key, &value), 0);
  EXPECT_EQ(value, 9U);
  Mapping moved = *std::move(mapping);
  EXPECT_EQ(moved.as<uint64_t>()[3], 9U);
}

TEST_F(BpfMapTest, WhatCannotBeMapped) {
  const auto hash = make(BPF_MAP_TYPE_HASH, 4), plain = make(BPF_MAP_TYPE_ARRAY, 4);
  EXPECT_FALSE(Mapping::map(hash.get(), "test", 32, true));
  EXPECT_FALSE(Mapping::map(plain.get(), "test", 32, true));
  EXPECT_FALSE(Mapping::map(-1, "test", 32, true));
  EXPECT_EQ(Mapping::map(-1, "endpoints", 32, true).error().message, "mmap map endpoints: Bad file descriptor");
}

}  // namespace
}  // namespace weir::datapath::test
