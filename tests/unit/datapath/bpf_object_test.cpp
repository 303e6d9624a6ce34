// Loading the embedded programs for the features a kernel may have.

#include "datapath/bpf_object.h"

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

namespace weir::datapath::test {
namespace {

constexpr MapSizes kSmall{.frontends = 8, .splits = 8, .endpoints = 16, .counters = 16, .sockets = 8, .sources = 8};

class BpfObjectTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    features = kernel_features(probe_features());
  }
  KernelFeatures features;
};

TEST_F(BpfObjectTest, MapsHaveTheSizesAskedFor) {
  auto loaded = load_object(features, kSmall, {});
  ASSERT_TRUE(loaded) << loaded.error().message;
  for (size_t i = 0; i < kMapCount; ++i) {
    const auto info = map_info(loaded->maps[i].get());
    EXPECT_EQ(info->name, map_specs()[i].name);
    EXPECT_EQ(info->max_entries, entries_for(static_cast<MapId>(i), kSmall));
  }
  for (const auto& program : loaded->programs) EXPECT_TRUE(program.valid());
}

TEST_F(BpfObjectTest, ProgramsRunOnGivenMaps) {
  auto first = load_object(features, kSmall, {});
  ASSERT_TRUE(first);
  auto maps = MapSet::adopt(std::move(first->maps));
  ASSERT_TRUE(maps);
  auto second = load_object(features, kSmall, GivenMaps(*maps));
  ASSERT_TRUE(second) << second.error().message;
  for (size_t i = 0; i < kMapCount; ++i)
    EXPECT_EQ(map_info(second->maps[i].get())->id, maps->info(static_cast<MapId>(i)).id);
}

// The variants for older kernels must load as well, here as anywhere.
TEST_F(BpfObjectTest, WithoutWhatOlderKernelsLack) {
  features.set_retval = features.fetch_add = features.getpeername = features.sock_release = false;
  const auto loaded = load_object(features, kSmall, {});
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_TRUE(loaded->programs[static_cast<size_t>(Hook::kConnect4)].valid());
  EXPECT_TRUE(loaded->programs[static_cast<size_t>(Hook::kConnect6)].valid());
  EXPECT_FALSE(loaded->programs[static_cast<size_t>(Hook::kGetpeername4)].valid());
  EXPECT_FALSE(loaded->programs[static_cast<size_t>(Hook::kSockRelease)].valid());
}

TEST_F(BpfObjectTest, AKernelThatLacksTooMuchIsTold) {
  features.missing = "cgroup_link (since Linux 5.7): probe: Invalid argument";
  const auto loaded = load_object(features, kSmall, {});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ENOTSUP);
  EXPECT_EQ(loaded.error().message,
            "this kernel lacks what weir needs: cgroup_link (since Linux 5.7): probe: Invalid argument");
}

TEST_F(BpfObjectTest, AMapTheKernelRefusesIsAnErrorWithItsWords) {
  MapSizes huge = kSmall;
  huge.sockets = 0xffffffff;
  const auto loaded = load_object(features, huge, {});
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().message.find("load the BPF programs: "), std::string::npos);
  EXPECT_NE(loaded.error().message.find("map 'sockets': failed to create"), std::string::npos)
      << loaded.error().message;
}

}  // namespace
}  // namespace weir::datapath::test
