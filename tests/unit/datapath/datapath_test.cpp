// Start, death, adoption and drift: what is pinned works on, and the next start takes it over.

#include "datapath/datapath.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "datapath/bpffs.h"
#include "datapath/map_set.h"
#include "lifecycle.h"

namespace weir::datapath::test {
namespace {

using DatapathTest = LifecycleTest;

TEST_F(DatapathTest, ASecondApplyIsZeroOperations) {
  auto datapath = start(plan(90, 10));
  for (const auto& again : {datapath.apply(plan(90, 10)), datapath.apply(plan(90, 10))}) {
    ASSERT_TRUE(again);
    EXPECT_EQ(again->operations, 0U);
  }
}

TEST_F(DatapathTest, TheSplitOutlivesTheAgentAndIsAdopted) {
  {
    auto datapath = start(plan(1, 0));
    EXPECT_FALSE(datapath.adopted());
    EXPECT_EQ(ask(kVip, 80), 'a');
  }
  EXPECT_EQ(ask(kVip, 80), 'a') << "nobody is there, and it works";
  auto datapath = Datapath::open(sandbox.options());
  ASSERT_TRUE(datapath) << datapath.error().message;
  EXPECT_TRUE(datapath->adopted());
  EXPECT_EQ(ask(kVip, 80), 'a');
  const uint64_t cursor = split_of(*datapath, "svc")->cursor;
  auto applied = datapath->apply(plan(1, 0));
  ASSERT_TRUE(applied);
  EXPECT_EQ(applied->operations, 0U);
  ASSERT_TRUE(datapath->attach());
  EXPECT_EQ(split_of(*datapath, "svc")->cursor, cursor);
  EXPECT_EQ(split_of(*datapath, "svc")->counts.picked, 3U);
  EXPECT_TRUE(fully_attached(datapath->status()));
}

TEST_F(DatapathTest, AnAdoptedSetLosesWhatThePlanLacks) {
  { auto datapath = start(plan(1, 0)); }
  auto datapath = start(make_plan({make_service("other", "127.9.0.7", 80, {{1, {b}}})}));
  const auto view = datapath.read();
  ASSERT_EQ(view->frontends.size(), 1U);
  ASSERT_EQ(view->splits.size(), 1U);
  EXPECT_EQ(view->splits[0].name, "other");
  EXPECT_EQ(connect_to(kVip, 80).error, ECONNREFUSED);
}

TEST_F(DatapathTest, CountersSurviveEndpointsThatComeBack) {
  auto datapath = start(plan(1, 0));
  ask_often(kVip, 80, 5);
  ASSERT_TRUE(datapath.apply(plan(0, 1, 2)));
  ask_often(kVip, 80, 3);
  ASSERT_TRUE(datapath.apply(plan(1, 0, 3)));
  ask_often(kVip, 80, 2);
  const auto split = *split_of(datapath, "svc");
  ASSERT_EQ(split.destinations.size(), 1U);
  EXPECT_EQ(split.destinations[0].counts.picked, 7U);
}

TEST_F(DatapathTest, OpenConnectionsAreCountedDownAcrossAChangeAndARestart) {
  std::optional<Connection> held;
  {
    auto datapath = start(plan(1, 0));
    held = connect_to(kVip, 80);
    ASSERT_TRUE(datapath.apply(plan(0, 1, 2)));
  }
  auto datapath = start(plan(1, 0, 3));
  EXPECT_EQ(peer_of(held->fd.get()), "127.9.0.1:80");
  EXPECT_EQ(split_of(datapath, "svc")->counts.open(), 1U);
  held.reset();
  EXPECT_EQ(split_of(datapath, "svc")->counts.open(), 0U);
}

// The next start must reach the same end, whatever step the one before died at; and from the first attach on, no
// connection may fail.
TEST_F(DatapathTest, AStartMayDieBeforeAnyStep) {
  std::string expected;
  {
    auto datapath = start(plan(90, 10));
    expected = content(datapath);
  }
  ASSERT_TRUE(uninstall(sandbox.bpffs_dir()));
  int step = 0;
  for (;; ++step) {
    SCOPED_TRACE(step);
    if (!dies_before(step, [&] { start(plan(90, 10)); })) break;
    {
      auto datapath = start(plan(90, 10));
      EXPECT_EQ(content(datapath), expected);
      EXPECT_TRUE(fully_attached(datapath.status()));
    }
    const char answered = ask(kVip, 80);
    EXPECT_TRUE(answered == 'a' || answered == 'b') << answered;
    ASSERT_TRUE(uninstall(sandbox.bpffs_dir()));
  }
  EXPECT_GT(step, 30) << "steps of a fresh start";
}

TEST_F(DatapathTest, AChangeMayDieBeforeAnyStep) {
  auto grown = make_plan(
      {make_service("extra", "127.9.0.9", 80, {{1, {a, b}}}), make_service("svc", kVip, 80, {{1, {b}}, {1, {a, b}}})},
      9);
  int step = 0;
  for (;; ++step) {
    SCOPED_TRACE(step);
    { auto datapath = start(plan(1, 0)); }
    if (!dies_before(step, [&] { start(grown); })) break;
    const char between = ask(kVip, 80);
    EXPECT_TRUE(between == 'a' || between == 'b') << "one complete configuration is in force";
    auto datapath = start(grown);
    EXPECT_EQ(content(datapath), "127.9.0.1:80 127.9.0.9:80 extra v1=1.000000 " + to_string(a.address, a.port) + " " +
                                     to_string(b.address, b.port) + "svc v1=0.500000 " + to_string(b.address, b.port) +
                                     " v2=0.500000 " + to_string(a.address, a.port) + " " +
                                     to_string(b.address, b.port) + " problems 0");
    EXPECT_EQ(datapath.apply(grown)->operations, 0U);
  }
  EXPECT_GT(step, 10) << "steps of an adopting start";
}

TEST_F(DatapathTest, ASecondAgentIsRefused) {
  auto datapath = start(plan(1, 0));
  const auto second = Datapath::open(sandbox.options());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EBUSY);
  EXPECT_EQ(second.error().message, "another weir agent is running on " + sandbox.bpffs_dir());
  EXPECT_EQ(uninstall(sandbox.bpffs_dir()).error().code, EBUSY);
}

TEST_F(DatapathTest, AMapThatDoesNotFitIsRefusedWholeBeforeAnythingIsWritten) {
  Options options = sandbox.options();
  options.sizes.frontends = 3;
  auto datapath = start(plan(1, 0), options);
  const std::string before = content(datapath);
  std::vector<std::shared_ptr<routing::ServicePlan>> many;
  for (int i = 1; i <= 4; ++i)
    many.push_back(make_service("s" + std::to_string(i), "127.9.2." + std::to_string(i), 80, {{1, {a}}}));
  const auto refused = datapath.apply(make_plan(many, 2));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ENOSPC);
  EXPECT_EQ(refused.error().message, "frontends: the map is full: 5 entries needed, it has 3");
  EXPECT_EQ(content(datapath), before);
  EXPECT_EQ(datapath.apply(plan(1, 0))->operations, 0U);
}

TEST_F(DatapathTest, APreviewWritesNothing) {
  auto datapath = start(plan(1, 0));
  const auto preview = datapath.preview(plan(1, 1, 2));
  ASSERT_TRUE(preview);
  EXPECT_NE(preview->find("split 1 = svc v1=50.00% of 1 v2=50.00% of 1\n"), std::string::npos) << *preview;
  EXPECT_EQ(*datapath.preview(plan(1, 1, 2)), *preview);
  EXPECT_EQ(ask_often(kVip, 80, 10).size(), 1U);
  ASSERT_TRUE(datapath.apply(plan(1, 1, 2)));
  EXPECT_EQ(*datapath.preview(plan(1, 1, 2)), "");
}

TEST_F(DatapathTest, DriftIsFoundMendedAndTold) {
  auto datapath = start(plan(1, 0));
  EXPECT_TRUE(datapath.reconcile()->drift.empty());
  const auto frontends = pinned("maps/frontends"), meta = pinned("maps/meta");
  ASSERT_NO_FATAL_FAILURE(spoil_the_split());
  abi::frontend_key key{};
  ASSERT_EQ(bpf_map_get_next_key(frontends.get(), nullptr, &key), 0);
  ASSERT_EQ(bpf_map_delete_elem(frontends.get(), &key), 0);
  const uint32_t zero = 0;
  const abi::meta wiped{};
  ASSERT_EQ(bpf_map_update_elem(meta.get(), &zero, &wiped, BPF_ANY), 0);
  const auto report = datapath.reconcile();
  ASSERT_TRUE(report) << report.error().message;
  const std::string server = to_string(a.address, a.port);
  EXPECT_EQ(report->drift, (std::vector<std::string>{
                               "split 1: was svc v1=0.00% (" + server + "), is svc v1=100.00% (" + server + ")",
                               "frontend 127.9.0.1:80/tcp: was not there, is split 1",
                               "meta: was abi 0 generation 0, is abi 3 generation 1",
                           }));
  EXPECT_EQ(report->operations, 3U);
  EXPECT_EQ(ask(kVip, 80), 'a');
  EXPECT_TRUE(datapath.reconcile()->drift.empty());
}

TEST_F(DatapathTest, EndpointsThatSomebodyEditedAreMended) {
  auto datapath = start(plan(1, 0));
  const auto endpoints = pinned("maps/endpoints");
  for (uint32_t i = 1; i < 4; ++i) {
    abi::endpoint scribble{};
    std::memset(&scribble, 0xff, sizeof(scribble));
    ASSERT_EQ(bpf_map_update_elem(endpoints.get(), &i, &scribble, BPF_ANY), 0);
  }
  const auto report = datapath.reconcile();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->drift.size(), 1U);
  EXPECT_EQ(ask(kVip, 80), 'a');
}

TEST_F(DatapathTest, StrangersInTheMapsAreRemoved) {
  auto datapath = start(plan(1, 0));
  const auto splits = pinned("maps/splits"), frontends = pinned("maps/frontends");
  const uint32_t id = 77;
  abi::split split{};
  ASSERT_EQ(bpf_map_update_elem(splits.get(), &id, &split, BPF_ANY), 0);
  abi::frontend_key key{};
  key.port = 5;
  const abi::frontend frontend{.check = 1, .split = 77, .flags = 0, .proxy_port = 0};
  ASSERT_EQ(bpf_map_update_elem(frontends.get(), &key, &frontend, BPF_ANY), 0);
  const auto report = datapath.reconcile();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->drift, (std::vector<std::string>{"frontend [::]:1280/0: was split 77, is gone",
                                                     "split 77: was not there, is gone"}));
  EXPECT_EQ(datapath.read()->splits.size(), 1U);
  EXPECT_EQ(datapath.read()->frontends.size(), 1U);
}

TEST_F(DatapathTest, RemovedPinsArePinnedAgain) {
  auto datapath = start(plan(1, 0));
  std::filesystem::remove_all(sandbox.bpffs_dir());
  // Links go with their pins, but from a work queue of the kernel's: it may take a moment.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  int error = connect_to(kVip, 80).error;
  while (error != ECONNREFUSED && std::chrono::steady_clock::now() < deadline) error = connect_to(kVip, 80).error;
  EXPECT_EQ(error, ECONNREFUSED) << "links go with their pins";
  const auto report = datapath.reconcile();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->hooks.size(), kMapCount + kHookCount);
  EXPECT_EQ(ask(kVip, 80), 'a');
  const auto view = read_maps(sandbox.bpffs_dir());
  EXPECT_TRUE(view) << view.error().message;
  EXPECT_EQ(Datapath::open(sandbox.options()).error().code, EBUSY) << "the lock holds on the new folder";
}

TEST_F(DatapathTest, TwoServicesOnOneAddressFirstHolds) {
  auto datapath = start(make_plan({make_service("one", kVip, 80, {{1, {a}}})}));
  auto both = make_plan({make_service("one", kVip, 80, {{1, {a}}}), make_service("two", kVip, 80, {{1, {b}}})}, 2);
  auto report = datapath.apply(both);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->warnings,
            (std::vector<std::string>{"service two claims 127.9.0.1:80/tcp, which service one has; that one holds"}));
  EXPECT_EQ(ask(kVip, 80), 'a');
  EXPECT_EQ(datapath.apply(both)->operations, 0U);
  both.services.erase(both.services.begin());
  ASSERT_TRUE(datapath.apply(both));
  EXPECT_EQ(ask(kVip, 80), 'b') << "the first is gone, the second has it now";
}

TEST_F(DatapathTest, BadOptionsAreToldBeforeAnythingHappens) {
  Options options = sandbox.options();
  options.sizes.endpoints = (1 << 20) + 1;
  EXPECT_EQ(Datapath::open(options).error().message, "at most 1048576 endpoints");
  options = sandbox.options();
  options.cgroup = "/tmp";
  EXPECT_NE(Datapath::open(options).error().message.find("/tmp is not a cgroup2 directory; cgroup2 is at "),
            std::string::npos);
  options.cgroup = sandbox.cgroup() + "/nowhere";
  EXPECT_EQ(Datapath::open(options).error().code, ENOENT);
  options = sandbox.options();
  options.bpffs_dir = "/tmp/weir_not_bpffs";
  EXPECT_NE(Datapath::open(options).error().message.find("is not in a BPF file system"), std::string::npos);
  options.bpffs_dir = "relative";
  EXPECT_EQ(Datapath::open(options).error().code, EINVAL);
  EXPECT_FALSE(exists(sandbox.bpffs_dir()));
}

}  // namespace
}  // namespace weir::datapath::test
