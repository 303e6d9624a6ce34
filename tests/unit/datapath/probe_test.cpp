// What this kernel can do, as `weir check` shows it.

#include "datapath/probe.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "datapath/bpf_object.h"

namespace weir::datapath::test {
namespace {

TEST(Probe, EveryFeatureExplainsItself) {
  std::set<std::string> names;
  for (const Feature& feature : probe_features()) {
    EXPECT_TRUE(names.insert(feature.name).second) << feature.name;
    EXPECT_FALSE(feature.since.empty()) << feature.name;
    EXPECT_FALSE(feature.what.empty()) << feature.name;
    EXPECT_FALSE(feature.without.empty()) << feature.name;
    EXPECT_EQ(feature.available, feature.error.empty()) << feature.name << ": " << feature.error;
  }
  EXPECT_EQ(names.size(), 17U);
}

TEST(Probe, AnyKernelThatRunsThisHasWhatIsRequired) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const auto features = kernel_features(probe_features());
  EXPECT_EQ(features.missing, "");
}

TEST(Probe, WhatIsMissingIsNamed) {
  std::vector<Feature> features = probe_features();
  for (Feature& feature : features) {
    feature.available = feature.name != "cgroup_link" && feature.name != "set_retval";
    feature.error = feature.available ? "" : "probe: Invalid argument";
  }
  const auto flags = kernel_features(features);
  EXPECT_EQ(flags.missing, "cgroup_link (since Linux 5.7): probe: Invalid argument");
  EXPECT_FALSE(flags.set_retval);
  EXPECT_TRUE(flags.fetch_add);
  EXPECT_FALSE(flags.no_right);
}

TEST(Probe, AMissingRightIsNotAMissingFeature) {
  std::vector<Feature> features = probe_features();
  for (Feature& feature : features) {
    feature.available = false;
    feature.code = EPERM;
  }
  const auto flags = kernel_features(features);
  EXPECT_TRUE(flags.no_right);
  const auto loaded = load_object(flags, {}, {});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, EPERM);
  EXPECT_NE(loaded.error().message.find("CAP_BPF"), std::string::npos) << loaded.error().message;
}

}  // namespace
}  // namespace weir::datapath::test
