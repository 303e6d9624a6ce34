// What is left in the maps of sockets that are gone, and of none that lives.

#include "datapath/record_sweep.h"

#include <bpf/bpf.h>

#include "datapath/live_sockets.h"
#include "lifecycle.h"

namespace weir::datapath::test {
namespace {

constexpr uint64_t kGone = 0xdead00000001, kOutside = 0;

class RecordSweepTest : public LifecycleTest {
 protected:
  /// As a kernel socket leaves it: no release hook tells of its end.
  void leave_record(uint32_t counter, uint64_t generation = 1) {
    abi::socket_record record{};
    record.counter = counter;
    record.generation = generation;
    put("maps/sockets", &kGone, &record);
  }
  void leave_proof(uint16_t port, uint64_t cookie) {
    abi::redirect_key key{};
    key.client_port = port;
    const abi::redirect proof{.cookie = cookie};
    put("maps/redirects", &key, &proof);
  }
  void put(const std::string& map, const void* key, const void* value) {
    ASSERT_EQ(bpf_map_update_elem(pinned(map).get(), key, value, BPF_ANY), 0);
  }
  SweepReport run() {
    const auto any = sweep.begin(pin_path("maps"));
    if (!any) ADD_FAILURE() << any.error().message;
    if (!any || !*any) return {};
    const auto live = live_socket_cookies();
    if (!live) ADD_FAILURE() << live.error().message;
    return *sweep.finish(*live);
  }
  RecordSweep sweep;
};

uint64_t used(const Datapath& datapath, const std::string& map) {
  const auto view = *datapath.read();
  for (const MapUsage& usage : view.usage)
    if (usage.name == map) return usage.used;
  return ~0ULL;
}

TEST_F(RecordSweepTest, WhatTwoSweepsFindWithoutASocketGoes) {
  auto datapath = start(plan(1, 0));
  const Connection held = connect_to(kVip, 80);
  leave_record(1);
  leave_proof(1, kGone);
  leave_proof(2, kOutside);
  EXPECT_EQ(run().records_removed, 0U);
  EXPECT_EQ(used(datapath, "sockets"), 2U);
  const SweepReport second = run();
  EXPECT_EQ(second.records, 2U);
  EXPECT_EQ(second.records_removed, 1U);
  EXPECT_EQ(second.proofs_removed, 1U);
  EXPECT_EQ(used(datapath, "sockets"), 1U);
  EXPECT_EQ(used(datapath, "redirects"), 1U) << "a connection from outside has no socket here";
  EXPECT_EQ(peer_of(held.fd.get()), "127.9.0.1:80");
  const auto counts = split_of(datapath, "svc")->counts;
  EXPECT_EQ(counts.opened, 1U);
  EXPECT_EQ(counts.closed, 1U) << "of the one that was swept";
  EXPECT_EQ(run().records_removed, 0U);
}

// A socket that is just connecting is in no list yet.
TEST_F(RecordSweepTest, WhatHasChangedBetweenTwoSweepsStays) {
  auto datapath = start(plan(1, 0));
  leave_record(1);
  EXPECT_EQ(run().records_removed, 0U);
  leave_record(1, 2);
  EXPECT_EQ(run().records_removed, 0U);
  EXPECT_EQ(used(datapath, "sockets"), 1U);
  EXPECT_EQ(run().records_removed, 1U);
}

TEST_F(RecordSweepTest, ASocketThatLivesKeepsItsRecord) {
  auto datapath = start(plan(1, 0));
  std::vector<Connection> held;
  for (int i = 0; i < 50; ++i) held.push_back(connect_to(kVip, 80));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(run().records_removed, 0U);
  EXPECT_EQ(split_of(datapath, "svc")->counts.open(), 50U);
}

TEST_F(RecordSweepTest, ACounterOutOfBoundsIsNobodys) {
  auto datapath = start(plan(1, 0));
  leave_record(abi::COUNTER_NONE);
  run();
  EXPECT_EQ(run().records_removed, 1U);
  EXPECT_EQ(split_of(datapath, "svc")->counts.closed, 0U);
}

TEST_F(RecordSweepTest, NothingToSweepAsksForNoSockets) {
  auto datapath = start(plan(1, 0));
  const auto any = sweep.begin(pin_path("maps"));
  ASSERT_TRUE(any);
  EXPECT_FALSE(*any);
}

TEST_F(RecordSweepTest, WithoutMapsItIsAnError) {
  const auto any = sweep.begin(pin_path("elsewhere"));
  ASSERT_FALSE(any);
  EXPECT_NE(any.error().message.find("no maps are pinned"), std::string::npos) << any.error().message;
}

}  // namespace
}  // namespace weir::datapath::test
