#include "cli/agent_outside_options.h"

#include <gtest/gtest.h>

namespace weir::cli {
namespace {

using datapath::DeviceMode;

Result<agent::Options> read(const std::vector<std::string>& interfaces, const std::string& ports = "20000-29999") {
  agent::Options options;
  if (auto good = read_outside_options(interfaces, ports, options); !good) return std::move(good).error();
  return options;
}

TEST(AgentOutsideOptions, InterfacesAndHowTheyAreServed) {
  const auto options = read({"eth0", "bond0=tc", "eth1=xdp", "eth2=auto"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->interfaces, (std::vector<std::string>{"eth0", "bond0", "eth1", "eth2"}));
  const DeviceMode modes[] = {DeviceMode::kAuto, DeviceMode::kTc, DeviceMode::kXdp, DeviceMode::kAuto};
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(options->devices[i].mode, modes[i]) << i;
  EXPECT_EQ(options->outside_port_first, 20000);
  EXPECT_EQ(options->outside_port_count, 10000);
}

TEST(AgentOutsideOptions, WhatMakesNoSense) {
  for (const char* text : {"", "=tc", "eth0=", "eth0=fast"})
    EXPECT_EQ(read({text}).error().message,
              "--interface \"" + std::string(text) + "\" is not NAME or NAME=auto|tc|xdp");
  EXPECT_EQ(read({"eth0", "eth0=tc"}).error().message, "--interface eth0 is there twice");
  EXPECT_EQ(read({}, "1-x").error().message, "--outside-ports \"1-x\" is not FIRST-LAST, as 20000-29999");
  EXPECT_EQ(read({"eth0"}, "30000-30999").error().message,
            "--outside-ports 30000-30999 and Kubernetes' node ports (30000-32767) overlap");
  EXPECT_EQ(read({"eth0"}, "61500-62500").error().message,
            "--outside-ports 61500-62500 and --proxy-ports 61000-61999 overlap");
  EXPECT_TRUE(read({}, "30000-30999")) << "not used";
}

}  // namespace
}  // namespace weir::cli
