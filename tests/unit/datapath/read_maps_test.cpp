// What is read back without an agent.

#include "datapath/read_maps.h"

#include <cerrno>

#include "datapath/bpffs.h"
#include "lifecycle.h"

namespace weir::datapath::test {
namespace {

using ReadMapsTest = LifecycleTest;

TEST_F(ReadMapsTest, EverythingThatWasApplied) {
  auto weighted = plan(3, 1, 12);
  {
    auto datapath = start(weighted);
    ask_often(kVip, 80, 4);
  }
  const auto view = read_maps(sandbox.bpffs_dir());
  ASSERT_TRUE(view) << view.error().message;
  EXPECT_EQ(view->abi, static_cast<uint32_t>(abi::ABI_VERSION));
  EXPECT_EQ(view->generation, 12U);
  EXPECT_EQ(view->node, "test-node");
  EXPECT_GT(view->written_at_ns, 0U);
  ASSERT_EQ(view->frontends.size(), 1U);
  EXPECT_EQ(to_string(view->frontends[0].address, view->frontends[0].port), "127.9.0.1:80");
  ASSERT_EQ(view->splits.size(), 1U);
  const SplitView& split = view->splits[0];
  EXPECT_EQ(split.id, view->frontends[0].split);
  EXPECT_EQ(split.key, split_key("svc"));
  EXPECT_EQ(split.cursor, 4U);
  EXPECT_EQ(split.counts.picked, 4U);
  EXPECT_EQ(split.counts.open(), 0U);
  ASSERT_EQ(split.destinations.size(), 2U);
  EXPECT_EQ(split.destinations[0].key, destination_key("svc", 80, "v1"));
  EXPECT_NEAR(split.destinations[0].share, 0.75, 1e-9);
  EXPECT_EQ(split.destinations[0].counts.picked, 3U);
  EXPECT_EQ(split.destinations[1].endpoints[0].port, b.port);
  EXPECT_TRUE(view->problems.empty());
}

TEST_F(ReadMapsTest, Usage) {
  auto datapath = start(plan(3, 1));
  const Connection held = connect_to(kVip, 80);
  std::map<std::string, std::pair<uint64_t, uint64_t>> usage;
  const auto view = datapath.read();
  for (const MapUsage& map : view->usage) usage[map.name] = {map.used, map.capacity};
  EXPECT_EQ(usage.at("frontends"), (std::pair<uint64_t, uint64_t>(1, 256)));
  EXPECT_EQ(usage.at("splits"), (std::pair<uint64_t, uint64_t>(1, 256)));
  EXPECT_EQ(usage.at("endpoints"), (std::pair<uint64_t, uint64_t>(2, 4096)));
  EXPECT_EQ(usage.at("counters"), (std::pair<uint64_t, uint64_t>(2, 4096)));
  EXPECT_EQ(usage.at("sockets"), (std::pair<uint64_t, uint64_t>(1, 1024)));
}

TEST_F(ReadMapsTest, NobodyWasHere) {
  const auto view = read_maps(sandbox.bpffs_dir());
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().code, ENOENT);
  EXPECT_EQ(view.error().message,
            "no maps are pinned in " + sandbox.bpffs_dir() + " (has a weir agent run on this node?)");
}

TEST_F(ReadMapsTest, MapsThatCannotBeRead) {
  { auto datapath = start(plan(1, 1)); }
  ASSERT_TRUE(unpin(pin_path("maps/counters")));
  const auto view = read_maps(sandbox.bpffs_dir());
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().code, EPROTO);
  EXPECT_NE(view.error().message.find("map counters is missing"), std::string::npos);
}

TEST_F(ReadMapsTest, ValuesThatMakeNoSenseAreProblems) {
  auto datapath = start(plan(1, 1));
  const auto splits = pinned("maps/splits");
  const uint32_t id = 1;
  abi::split split{};
  ASSERT_EQ(bpf_map_lookup_elem(splits.get(), &id, &split), 0);
  split.destinations[0].first = 0xfffffff0;
  split.destinations[1].first = 77;
  ASSERT_EQ(bpf_map_update_elem(splits.get(), &id, &split, BPF_ANY), 0);
  EXPECT_EQ(datapath.read()->problems,
            (std::vector<std::string>{"split 1 has endpoints out of bounds", "split 1 has an endpoint of split 0"}));
  split.destination_count = 1000;
  ASSERT_EQ(bpf_map_update_elem(splits.get(), &id, &split, BPF_ANY), 0);
  EXPECT_EQ(datapath.read()->problems, (std::vector<std::string>{"split 1 has 1000 destinations"}));
}

}  // namespace
}  // namespace weir::datapath::test
