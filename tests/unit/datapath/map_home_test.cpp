// Maps of other versions and sizes, and starts that died while replacing them.

#include "datapath/map_home.h"

#include <bpf/bpf.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "datapath/bpf_map.h"
#include "datapath/bpffs.h"
#include "lifecycle.h"

namespace weir::datapath::test {
namespace {

class MapHomeTest : public LifecycleTest {
 protected:
  /// Kernel ids of the pinned maps, by name.
  [[nodiscard]] std::map<std::string, uint32_t> map_ids() const {
    std::map<std::string, uint32_t> ids;
    const auto names = list_directory(pin_path("maps"));
    for (const std::string& name : *names) ids[name] = map_info(pinned("maps/" + name).get())->id;
    return ids;
  }
  /// Names of the maps that are others than in `before`.
  [[nodiscard]] std::vector<std::string> made_anew(const std::map<std::string, uint32_t>& before) const {
    std::vector<std::string> names;
    const auto ids = map_ids();
    for (const auto& [name, id] : before)
      if (const auto found = ids.find(name); found == ids.end() || found->second != id) names.push_back(name);
    return names;
  }
};

uint64_t capacity(const Datapath& datapath, const std::string& map) {
  const auto view = *datapath.read();
  for (const MapUsage& usage : view.usage)
    if (usage.name == map) return usage.capacity;
  return 0;
}

TEST_F(MapHomeTest, MapsOfANewerVersionAreLeftAlone) {
  { auto datapath = start(plan(1, 0)); }
  const auto meta_map = pinned("maps/meta");
  const uint32_t zero = 0;
  abi::meta meta{};
  ASSERT_EQ(bpf_map_lookup_elem(meta_map.get(), &zero, &meta), 0);
  meta.abi = abi::ABI_VERSION + 1;
  ASSERT_EQ(bpf_map_update_elem(meta_map.get(), &zero, &meta, BPF_ANY), 0);
  const auto refused = Datapath::open(sandbox.options());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EPROTO);
  EXPECT_NE(refused.error().message.find("of ABI 4, this weir speaks 3: refusing"), std::string::npos)
      << refused.error().message;
  EXPECT_EQ(ask(kVip, 80), 'a') << "and the data path works on";
}

TEST_F(MapHomeTest, MapsOfAnOlderVersionAreReplacedWithoutAGap) {
  { auto datapath = start(plan(1, 0)); }
  const auto meta_map = pinned("maps/meta");
  const uint32_t zero = 0;
  const abi::meta old{};
  ASSERT_EQ(bpf_map_update_elem(meta_map.get(), &zero, &old, BPF_ANY), 0);
  std::vector<std::string> said;
  Options options = sandbox.options();
  options.log = [&](std::string_view line) { said.emplace_back(line); };
  auto datapath = Datapath::open(options);
  ASSERT_TRUE(datapath) << datapath.error().message;
  EXPECT_FALSE(datapath->adopted());
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(said[0], "making maps anew beside the pinned ones: the pinned maps are of ABI 0, this weir speaks 3");
  EXPECT_EQ(ask(kVip, 80), 'a') << "the old programs on the old maps";
  ASSERT_TRUE(datapath->apply(plan(0, 1)));
  EXPECT_EQ(ask(kVip, 80), 'a');
  ASSERT_TRUE(datapath->attach());
  EXPECT_EQ(ask(kVip, 80), 'b');
  EXPECT_EQ(*list_directory(sandbox.bpffs_dir()), (std::vector<std::string>{"links", "maps", "progs"}));
  EXPECT_TRUE(fully_attached(datapath->status()));
}

TEST_F(MapHomeTest, AReplacementMayDieBeforeAnyStep) {
  Options larger = sandbox.options();
  larger.sizes.endpoints *= 2;
  larger.sizes.sockets *= 2;
  int step = 0;
  for (;; ++step) {
    SCOPED_TRACE(step);
    { auto datapath = start(plan(1, 0)); }
    if (!dies_before(step, [&] { start(plan(0, 1, 2), larger); })) break;
    const char between = ask(kVip, 80);
    EXPECT_TRUE(between == 'a' || between == 'b') << between;
    auto datapath = start(plan(0, 1, 2), larger);
    EXPECT_EQ(ask(kVip, 80), 'b');
    EXPECT_TRUE(fully_attached(datapath.status()));
    EXPECT_EQ(*list_directory(sandbox.bpffs_dir()), (std::vector<std::string>{"links", "maps", "progs"}));
  }
  EXPECT_GT(step, 40);
}

// A proxy went on beating into the old map, and connections went past it for good.
TEST_F(MapHomeTest, AnotherSizeOfOneMapLeavesTheOthers) {
  { auto datapath = start(plan(1, 0)); }
  struct {
    const char* what;
    uint32_t MapSizes::*size;
    std::vector<std::string> anew;
  } const cases[] = {
      {"sources", &MapSizes::sources, {"sources"}},
      {"sockets", &MapSizes::sockets, {"sockets"}},
      {"redirects", &MapSizes::redirects, {"redirects"}},
      // They name each other's places.
      {"frontends", &MapSizes::frontends, {"endpoints", "frontends", "splits"}},
      {"endpoints", &MapSizes::endpoints, {"endpoints", "frontends", "splits"}},
      {"splits", &MapSizes::splits, {"cursors", "endpoints", "frontends", "splits"}},
      {"counters", &MapSizes::counters, {"counters", "endpoints", "frontends", "splits"}},
  };
  Options options = sandbox.options();
  for (const auto& one : cases) {
    SCOPED_TRACE(one.what);
    const auto before = map_ids();
    options.sizes.*one.size *= 2;
    auto datapath = start(plan(1, 0), options);
    EXPECT_EQ(made_anew(before), one.anew);
    EXPECT_TRUE(datapath.adopted());
    EXPECT_EQ(capacity(datapath, one.what), options.sizes.*one.size);
    EXPECT_EQ(ask(kVip, 80), 'a');
    EXPECT_TRUE(fully_attached(datapath.status()));
    EXPECT_EQ(*list_directory(sandbox.bpffs_dir()), (std::vector<std::string>{"links", "maps", "progs"}));
  }
}

TEST_F(MapHomeTest, CountersAndCursorsGoOnInLargerAndSmallerMaps) {
  Options options = sandbox.options();
  { auto datapath = start(plan(1, 1), options); }
  uint64_t asked = 0, lookups = 0;
  for (const auto& [counters, splits] : {std::pair(8192U, 2048U), std::pair(64U, 64U), std::pair(4096U, 128U)}) {
    ask_often(kVip, 80, 51);
    asked += 51;
    options.sizes.counters = counters;
    options.sizes.splits = splits;
    auto datapath = start(plan(1, 1), options);
    const auto split = *split_of(datapath, "svc");
    EXPECT_EQ(split.cursor, asked);
    EXPECT_EQ(split.counts.picked, asked);
    EXPECT_EQ(split.counts.opened, asked);
    EXPECT_EQ(split.counts.closed, asked);
    EXPECT_NEAR(static_cast<double>(split.destinations[0].counts.picked), static_cast<double>(asked) / 2, 1);
    EXPECT_GT(verdict(datapath, "lookups"), lookups);
    lookups = verdict(datapath, "lookups");
  }
}

TEST_F(MapHomeTest, AConnectionThatIsOpenIsClosedInAnotherMapOfRecords) {
  Options options = sandbox.options();
  std::vector<Connection> held;
  { auto datapath = start(plan(1, 0), options); }
  for (int i = 0; i < 20; ++i) held.push_back(connect_to(kVip, 80));
  options.sizes.sockets *= 2;
  auto datapath = start(plan(1, 0), options);
  EXPECT_EQ(peer_of(held.back().fd.get()), "127.9.0.1:80");
  EXPECT_EQ(split_of(datapath, "svc")->counts.open(), 20U);
  held.clear();
  EXPECT_EQ(split_of(datapath, "svc")->counts.open(), 0U);
  EXPECT_EQ(split_of(datapath, "svc")->counts.closed, 20U);
}

TEST_F(MapHomeTest, WhatDoesNotFitIsRefusedAndTheOldMapsWorkOn) {
  {
    auto datapath =
        start(make_plan({make_service("svc", kVip, 80, {{1, {a}}}), make_service("two", "127.9.0.2", 80, {{1, {b}}})}));
  }
  Options options = sandbox.options();
  options.sizes.splits = 2;
  auto datapath = Datapath::open(options);
  ASSERT_TRUE(datapath) << datapath.error().message;
  EXPECT_FALSE(datapath->adopted()) << "not to be attached before a plan was applied";
  const auto refused = datapath->apply(
      make_plan({make_service("svc", kVip, 80, {{1, {b}}}), make_service("two", "127.9.0.2", 80, {{1, {a}}})}, 2));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ENOSPC);
  EXPECT_EQ(ask(kVip, 80), 'a');
  EXPECT_EQ(ask("127.9.0.2", 80), 'b');
  ASSERT_TRUE(datapath->apply(plan(0, 1, 3)));
  ASSERT_TRUE(datapath->attach());
  EXPECT_EQ(ask(kVip, 80), 'b');
}

TEST_F(MapHomeTest, AMapPinThatWentMissingIsReplacedAtTheNextStart) {
  { auto datapath = start(plan(1, 0)); }
  const auto before = map_ids();
  for (const char* name : {"splits", "sockets", "proxy_ports", "verdicts"}) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(unpin(pin_path(std::string("maps/") + name)));
    EXPECT_EQ(ask(kVip, 80), 'a');
    auto datapath = start(plan(1, 0));
    EXPECT_EQ(ask(kVip, 80), 'a');
    EXPECT_EQ(map_ids().at("proxy_beat"), before.at("proxy_beat"));
  }
}

TEST_F(MapHomeTest, TheFolderIsClosedToOthers) {
  auto datapath = start(plan(1, 0));
  struct stat info {};
  ASSERT_EQ(stat(sandbox.bpffs_dir().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
  ASSERT_EQ(stat(pin_path("maps/frontends").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

}  // namespace
}  // namespace weir::datapath::test
