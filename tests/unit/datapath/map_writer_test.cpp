// Writing in order, and waiting for programs that may still look.

#include "datapath/map_writer.h"

#include <cerrno>

#include "lifecycle.h"

namespace weir::datapath::test {
namespace {

using MapWriterTest = LifecycleTest;

TEST_F(MapWriterTest, RangesFreedAMomentAgoAreUsedWhenNothingElseIsLeft) {
  Options options = sandbox.options();
  options.sizes.endpoints = 8;  // 7 of use
  std::vector<routing::PlanEndpoint> many;
  for (int i = 1; i <= 3; ++i) many.push_back({*IpAddress::parse("10.0.0." + std::to_string(i)), 80, 1});
  auto datapath = start(make_plan({make_service("svc", kVip, 80, {{1, many}})}), options);
  for (uint64_t i = 0; i < 20; ++i) {
    many[0].port = static_cast<uint16_t>(1000 + i);
    const auto applied = datapath.apply(make_plan({make_service("svc", kVip, 80, {{1, many}})}, i + 2));
    ASSERT_TRUE(applied) << applied.error().message;
  }
}

TEST_F(MapWriterTest, AfterAFailureTheNextApplyStartsFromWhatIsThere) {
  auto datapath = start(plan(1, 0));
  // Somebody fills the frontends behind our back: the room that the diff counted on is gone.
  const auto frontends = pinned("maps/frontends");
  for (uint16_t port = 1; port < 256; ++port) {
    const abi::frontend_key key{.address = {}, .port = port, .protocol = 6, .pad = 0, .source = 0};
    const abi::frontend value{.check = 0, .split = 0, .flags = 0, .proxy_port = 0};
    ASSERT_EQ(bpf_map_update_elem(frontends.get(), &key, &value, BPF_ANY), 0);
  }
  auto grown = make_plan({make_service("more", "127.9.0.9", 80, {{1, {b}}})}, 2);
  grown.services.push_back(plan(0, 1).services[0]);
  const auto refused = datapath.apply(grown);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "write map frontends: Argument list too long");
  EXPECT_EQ(ask(kVip, 80), 'b') << "the service whose split was written has changed, whole";
  for (uint16_t port = 1; port < 256; ++port) {
    const abi::frontend_key key{.address = {}, .port = port, .protocol = 6, .pad = 0, .source = 0};
    ASSERT_EQ(bpf_map_delete_elem(frontends.get(), &key), 0);
  }
  ASSERT_TRUE(datapath.apply(grown));
  EXPECT_EQ(ask(kVip, 80), 'b');
  EXPECT_EQ(ask("127.9.0.9", 80), 'b');
  EXPECT_EQ(datapath.apply(grown)->operations, 0U);
}

TEST_F(MapWriterTest, WaitingEnds) {
  wait_for_programs();
}

}  // namespace
}  // namespace weir::datapath::test
