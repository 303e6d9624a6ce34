// Packet programs on devices: attached, updated in place, mended, taken away; never at the cost of others' programs.

#include "datapath/north.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <sched.h>

#include <cerrno>
#include <cstdlib>

#include "bpf/packet/abi.h"
#include "datapath/bpffs.h"
#include "datapath/north_device.h"
#include "datapath/north_hooks.h"
#include "datapath/north_object.h"
#include "datapath/probe.h"
#include "fixture.h"

namespace weir::datapath::test {
namespace {

class NorthTest : public LiveTest {
 protected:
  void SetUp() override {
    LiveTest::SetUp();
    if (IsSkipped()) return;
    if (std::system("ip -V >/dev/null 2>&1") != 0) GTEST_SKIP() << "needs the command ip";
    ASSERT_EQ(unshare(CLONE_NEWNET), 0);
    ASSERT_EQ(std::system("ip link set lo up && ip link add a0 type veth peer name b0 && ip link set a0 up && "
                          "ip link set b0 up && ip link add br0 type bridge"),
              0);
    auto opened = Datapath::open(sandbox.options());
    ASSERT_TRUE(opened) << opened.error().message;
    datapath = std::make_unique<Datapath>(*std::move(opened));
  }
  NorthDatapath open() {
    auto north =
        NorthDatapath::open({.bpffs_dir = sandbox.bpffs_dir(), .sizes = {.flows = 64, .embryos = 16}, .log = {}});
    if (!north) ADD_FAILURE() << north.error().message;
    return *std::move(north);
  }
  static NorthDeviceStatus device(const NorthDatapath& north, size_t index = 0) {
    const auto status = north.status();
    if (!status || status->devices.size() <= index) {
      ADD_FAILURE() << "no device";
      return {};
    }
    return status->devices[index];
  }
  [[nodiscard]] std::string folder() const { return sandbox.bpffs_dir() + "/north"; }

  std::unique_ptr<Datapath> datapath;
};

NorthDevice on(const std::string& name, DeviceMode mode = DeviceMode::kAuto) {
  return {.name = name, .mode = mode};
}

TEST_F(NorthTest, DevicesAreWhatTheyAre) {
  const auto veth = device_facts("a0");
  ASSERT_TRUE(veth);
  EXPECT_EQ(veth->driver, "veth");
  EXPECT_TRUE(veth->ethernet);
  EXPECT_FALSE(veth->physical || veth->loopback);
  EXPECT_EQ(veth->mtu, 1500U);
  EXPECT_EQ(why_no_xdp(*veth), "veth: XDP would cost it its offloads");
  EXPECT_EQ(why_no_xdp(*device_facts("br0")), "bridge: not a physical device");
  EXPECT_TRUE(device_facts("lo")->loopback);
  for (const char* name : {"", "none0", "a-name-that-is-much-too-long"})
    EXPECT_EQ(device_facts(name).error().code, ENODEV) << name;
  DeviceFacts nic{.name = "eth0",
                  .ifindex = 2,
                  .mtu = 1500,
                  .ethernet = true,
                  .physical = true,
                  .loopback = false,
                  .driver = "ixgbe"};
  EXPECT_EQ(why_no_xdp(nic), "");
}

TEST_F(NorthTest, NothingWithoutMaps) {
  const auto north = NorthDatapath::open({.bpffs_dir = sandbox.bpffs_dir() + "/none", .sizes = {}, .log = {}});
  ASSERT_FALSE(north);
  EXPECT_EQ(north.error().code, ENOENT);
}

TEST_F(NorthTest, AVethGetsTcAndAnythingElseNothing) {
  auto north = open();
  const NorthDevice devices[] = {on("a0"), on("br0")};
  ASSERT_TRUE(north.attach(devices));
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(device(north, i).tc, kernel_features(probe_features()).tcx ? "tcx" : "clsact");
    EXPECT_EQ(device(north, i).xdp, "");
    EXPECT_EQ(device(north, i).problem, "");
    EXPECT_NE(device(north, i).why, "");
  }
  EXPECT_EQ(attached_devices(folder())->size(), 2U);
  ASSERT_TRUE(north.attach({}));
  EXPECT_TRUE(attached_devices(folder())->empty());
}

TEST_F(NorthTest, WithoutTcxAFilterOfItsOwn) {
  const auto pinned = MapSet::open(sandbox.bpffs_dir() + "/maps", nullptr, true);
  ASSERT_TRUE(pinned && pinned->maps);
  const auto object =
      load_north_object(kernel_features(probe_features()), {.flows = 64, .embryos = 16}, *pinned->maps, nullptr);
  ASSERT_TRUE(object) << object.error().message;
  const NorthPrograms programs{.tc_in = object->tc_in.get(), .tc_out = object->tc_out.get(), .tcx = false};
  if (std::system("tc qdisc add dev a0 clsact 2>/dev/null") != 0) GTEST_SKIP() << "needs tc and its clsact queue";
  const auto facts = device_facts("a0");
  std::vector<std::string> made;
  ASSERT_TRUE(attach_tc(folder(), *facts, programs, &made));
  EXPECT_EQ(made.size(), 2U);
  NorthDeviceStatus status;
  status.ifindex = facts->ifindex;
  read_hooks(folder(), &status);
  EXPECT_EQ(status.tc, "clsact");
  EXPECT_EQ(status.problem, "");
  ASSERT_TRUE(attach_tc(folder(), *facts, programs, &made));
  EXPECT_EQ(made.size(), 2U) << "once is enough";
  EXPECT_EQ(*attached_devices(folder()), std::vector<uint32_t>{facts->ifindex});
  ASSERT_TRUE(detach_tc(folder(), facts->ifindex));
  EXPECT_TRUE(attached_devices(folder())->empty());
  EXPECT_EQ(std::system("tc qdisc show dev a0 | grep -q clsact"), 0) << "somebody else's queue stays";
}

TEST_F(NorthTest, XdpWhereItIsAskedFor) {
  auto north = open();
  const NorthDevice fast[] = {on("a0", DeviceMode::kXdp)};
  ASSERT_TRUE(north.attach(fast));
  EXPECT_EQ(device(north).xdp, "native");
  EXPECT_EQ(device(north).why, "");
  const NorthDevice plain[] = {on("a0", DeviceMode::kTc)};
  ASSERT_TRUE(north.attach(plain));
  EXPECT_EQ(device(north).xdp, "");
  EXPECT_EQ(device(north).why, "as asked for");
}

TEST_F(NorthTest, WhatCannotBeAttachedIsSaidAndTheRestIs) {
  auto north = open();
  const NorthDevice devices[] = {on("none0"), on("lo"), on("a0")};
  const auto attached = north.attach(devices);
  ASSERT_FALSE(attached);
  EXPECT_EQ(attached.error().code, ENODEV);
  EXPECT_EQ(device(north, 0).problem, "no such device");
  EXPECT_EQ(device(north, 1).problem, "tc programs are not attached");
  EXPECT_EQ(device(north, 2).problem, "");
}

TEST_F(NorthTest, TheNextOneTakesOverInPlace) {
  {
    auto north = open();
    const NorthDevice devices[] = {on("a0", DeviceMode::kXdp)};
    ASSERT_TRUE(north.attach(devices));
    EXPECT_FALSE(north.status()->adopted);
  }
  const uint32_t ifindex = if_nametoindex("a0");
  const FileDescriptor link(bpf_obj_get((folder() + "/in_" + std::to_string(ifindex)).c_str()));
  bpf_link_info before{}, after{};
  __u32 length = sizeof(before);
  if (link) {
    ASSERT_EQ(bpf_obj_get_info_by_fd(link.get(), &before, &length), 0);
  }
  auto north = open();
  EXPECT_TRUE(north.status()->adopted);
  const NorthDevice devices[] = {on("a0", DeviceMode::kXdp)};
  ASSERT_TRUE(north.attach(devices));
  EXPECT_EQ(device(north).problem, "");
  EXPECT_TRUE(device(north).foreign.empty()) << "the program before is gone";
  if (!link) return;
  ASSERT_EQ(bpf_obj_get_info_by_fd(link.get(), &after, &length), 0);
  EXPECT_EQ(after.id, before.id);
  EXPECT_NE(after.prog_id, before.prog_id);
}

TEST_F(NorthTest, MendsWhatIsDetachedAndSaysSo) {
  auto north = open();
  const NorthDevice devices[] = {on("a0", DeviceMode::kXdp)};
  ASSERT_TRUE(north.attach(devices));
  EXPECT_TRUE(north.mend()->empty());
  ASSERT_TRUE(detach_tc(folder(), if_nametoindex("a0")));
  ASSERT_TRUE(detach_xdp(folder(), if_nametoindex("a0")));
  EXPECT_EQ(device(north).problem, "tc programs are not attached");
  EXPECT_EQ(north.mend()->size(), 3U);
  EXPECT_EQ(device(north).problem, "");
  // The same name, another device.
  ASSERT_EQ(std::system("ip link del a0 && ip link add a0 type veth peer name b0 && ip link set a0 up"), 0);
  EXPECT_EQ(north.mend()->size(), 3U);
  EXPECT_EQ(device(north).problem, "");
}

TEST_F(NorthTest, SettingsThatMakeNoSenseAreRefused) {
  auto north = open();
  NorthSettings settings;
  settings.node_v4 = IpAddress::parse("192.0.2.1");
  EXPECT_TRUE(north.configure(settings));
  for (const char* address : {"127.0.0.1", "0.0.0.0", "224.0.0.1", "169.254.1.1", "2001:db8::1"}) {
    NorthSettings wrong = settings;
    wrong.node_v4 = IpAddress::parse(address);
    EXPECT_EQ(north.configure(wrong).error().code, EINVAL) << address;
  }
  NorthSettings wrong = settings;
  wrong.closing = std::chrono::seconds(0);
  EXPECT_EQ(north.configure(wrong).error().code, EINVAL);
  wrong = settings;
  wrong.port_count = 0;
  EXPECT_EQ(north.configure(wrong).error().code, EINVAL);
  ASSERT_EQ(std::system("sysctl -qw net.ipv4.ip_local_port_range='15000 25000'"), 0);
  EXPECT_EQ(north.configure(settings).error().code, EADDRINUSE);
}

TEST_F(NorthTest, TablesOfANewerWeirAreLeftAlone) {
  { auto north = open(); }
  const FileDescriptor map(bpf_obj_get((folder() + "/north_state").c_str()));
  const uint32_t zero = 0;
  const abi::north_state state{.flood_until = 0, .abi = abi::PACKET_ABI_VERSION + 1, .pad = 0};
  ASSERT_EQ(bpf_map_update_elem(map.get(), &zero, &state, BPF_ANY), 0);
  const auto north = NorthDatapath::open({.bpffs_dir = sandbox.bpffs_dir(), .sizes = {}, .log = {}});
  ASSERT_FALSE(north);
  EXPECT_EQ(north.error().code, EPROTO);
}

TEST_F(NorthTest, UninstallLeavesNothing) {
  {
    auto north = open();
    const NorthDevice devices[] = {on("a0", DeviceMode::kXdp), on("br0")};
    ASSERT_TRUE(north.attach(devices));
  }
  datapath.reset();
  ASSERT_TRUE(uninstall(sandbox.bpffs_dir()));
  EXPECT_FALSE(exists(sandbox.bpffs_dir()));
  NorthDeviceStatus status;
  status.ifindex = if_nametoindex("a0");
  read_hooks(folder(), &status);
  EXPECT_EQ(status.tc + status.xdp, "");
  EXPECT_TRUE(status.foreign.empty());
}

}  // namespace
}  // namespace weir::datapath::test
