// Which pinned maps are ours to use.

#include "datapath/map_set.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "datapath/bpffs.h"
#include "lifecycle.h"

namespace weir::datapath::test {
namespace {

class MapSetTest : public LifecycleTest {
 protected:
  void SetUp() override {
    LifecycleTest::SetUp();
    if (IsSkipped()) return;
    { auto datapath = start(plan(1, 1)); }
    sizes = sandbox.options().sizes;
  }
  [[nodiscard]] PinnedMaps open(const MapSizes* wanted) const { return *MapSet::open(pin_path("maps"), wanted, true); }
  /// Pins another map in the place of `name`.
  void replace(const std::string& name, bpf_map_type type, uint32_t key, uint32_t value, uint32_t entries) {
    const FileDescriptor map(bpf_map_create(type, "other", key, value, entries, nullptr));
    ASSERT_TRUE(map);
    ASSERT_TRUE(pin(map.get(), pin_path("maps/" + name)));
  }
  MapSizes sizes;
};

TEST_F(MapSetTest, Usable) {
  const auto pinned = open(&sizes);
  EXPECT_EQ(pinned.state, PinnedMaps::State::kUsable) << pinned.why;
  EXPECT_EQ(pinned.maps->info(MapId::kSplits).name, "splits");
  EXPECT_EQ(pinned.maps->memory().endpoints.size(), sizes.endpoints);
  EXPECT_EQ(pinned.maps->read_meta()->abi, static_cast<uint32_t>(abi::ABI_VERSION));
}

TEST_F(MapSetTest, NothingThere) {
  EXPECT_EQ(MapSet::open(pin_path("elsewhere"), &sizes, true)->state, PinnedMaps::State::kNone);
}

TEST_F(MapSetTest, OtherSizesAreOtherMapsUnlessNobodyAsks) {
  sizes.counters = 9;
  const auto pinned = open(&sizes);
  EXPECT_EQ(pinned.state, PinnedMaps::State::kOther);
  EXPECT_EQ(pinned.why, "map counters has 4096 entries, asked for 9");
  EXPECT_EQ(open(nullptr).state, PinnedMaps::State::kUsable);
}

TEST_F(MapSetTest, OneMissing) {
  ASSERT_TRUE(unpin(pin_path("maps/cursors")));
  const auto pinned = open(&sizes);
  EXPECT_EQ(pinned.state, PinnedMaps::State::kOther);
  EXPECT_EQ(pinned.why, "map cursors is missing");
}

TEST_F(MapSetTest, AnotherShape) {
  replace("sockets", BPF_MAP_TYPE_HASH, 8, 40, sizes.sockets);
  EXPECT_EQ(open(&sizes).why,
            "map sockets has type 1, key 8, value 40, flags 0, expected type 1, key 8, value 80, flags 0");
}

TEST_F(MapSetTest, AnotherType) {
  replace("frontends", BPF_MAP_TYPE_ARRAY, 4, 16, sizes.frontends);
  EXPECT_NE(open(&sizes).why.find("map frontends has type 2, key 4"), std::string::npos);
}

TEST_F(MapSetTest, AMetaThatIsTooSmallToHaveAVersion) {
  replace("meta", BPF_MAP_TYPE_ARRAY, 4, 2, 1);
  const auto pinned = open(&sizes);
  EXPECT_EQ(pinned.state, PinnedMaps::State::kOther);
  EXPECT_EQ(pinned.why, "the pinned maps are of ABI 0, this weir speaks 3");
}

TEST_F(MapSetTest, NewerOfAnotherShapeIsNewer) {
  replace("meta", BPF_MAP_TYPE_ARRAY, 4, 8, 1);
  const uint32_t zero = 0;
  const uint64_t version = 7;
  const auto map = pinned("maps/meta");
  ASSERT_EQ(bpf_map_update_elem(map.get(), &zero, &version, BPF_ANY), 0);
  EXPECT_EQ(open(&sizes).state, PinnedMaps::State::kNewer);
}

TEST_F(MapSetTest, SomethingElseIsPinnedThere) {
  const auto program = pinned("progs/connect4");
  ASSERT_TRUE(pin(program.get(), pin_path("maps/splits")));
  EXPECT_EQ(open(&sizes).state, PinnedMaps::State::kOther);
}

}  // namespace
}  // namespace weir::datapath::test
