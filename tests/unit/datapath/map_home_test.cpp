// Maps of other versions and sizes, and starts that died while replacing them.

#include "datapath/map_home.h"

#include <bpf/bpf.h>
#include <sys/stat.h>

#include <cerrno>

#include "datapath/bpffs.h"
#include "lifecycle.h"

namespace weir::datapath::test {
namespace {

using MapHomeTest = LifecycleTest;

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
  EXPECT_EQ(said[0], "building new maps beside the pinned ones: the pinned maps are of ABI 0, this weir speaks 3");
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

TEST_F(MapHomeTest, AMapPinThatWentMissingIsReplacedAtTheNextStart) {
  { auto datapath = start(plan(1, 0)); }
  ASSERT_TRUE(unpin(pin_path("maps/splits")));
  EXPECT_EQ(ask(kVip, 80), 'a');
  auto datapath = start(plan(0, 1));
  EXPECT_FALSE(datapath.adopted());
  EXPECT_EQ(ask(kVip, 80), 'b');
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
