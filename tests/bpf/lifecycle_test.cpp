// Start, death, adoption, drift and removal: what is pinned works on, and the next start takes it over.

#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "datapath/bpffs.h"
#include "datapath/hooks.h"
#include "datapath/map_set.h"
#include "datapath/steps.h"
#include "fixture.h"

namespace weir::datapath::test {
namespace {

constexpr const char* kVip = "127.9.0.1";

class LifecycleTest : public LiveTest {
 protected:
  void SetUp() override {
    LiveTest::SetUp();
    a = servers.start('a');
    b = servers.start('b');
  }
  routing::Plan plan(uint64_t left, uint64_t right, uint64_t generation = 1) const {
    return make_plan({make_service("svc", kVip, 80, {{left, {a}}, {right, {b}}})}, generation);
  }
  [[nodiscard]] std::string pin_path(const std::string& name) const { return sandbox.bpffs_dir() + "/" + name; }
  [[nodiscard]] FileDescriptor pinned(const std::string& name) const {
    return FileDescriptor(bpf_obj_get(pin_path(name).c_str()));
  }

  routing::PlanEndpoint a, b;
};

int steps_left = 0;

/// Runs `work` in a child that dies without a word before its step number `step`. True if it got that far.
template <class Work>
bool dies_before(int step, Work work) {
  const pid_t child = fork();
  if (child == 0) {
    steps_left = step;
    step_watcher = [](std::string_view) {
      if (steps_left-- == 0) _exit(7);
    };
    work();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

/// What the maps say, without counts, cursors and verdicts.
std::string content(const Datapath& datapath) {
  auto view = *datapath.read();
  std::string text;
  for (const auto& frontend : view.frontends) text += to_string(frontend.address, frontend.port) + " ";
  for (const auto& split : view.splits) {
    text += split.name;
    for (const auto& destination : split.destinations) {
      text += " " + destination.label + "=" + std::to_string(destination.share);
      for (const auto& endpoint : destination.endpoints) text += " " + to_string(endpoint.address, endpoint.port);
    }
  }
  return text + " problems " + std::to_string(view.problems.size());
}

bool fully_attached(const Status& status) {
  for (const auto& hook : status.hooks)
    if (!hook.attached || !hook.problem.empty()) return false;
  return status.hooks.size() == kHookCount;
}

TEST_F(LifecycleTest, ASecondApplyIsZeroOperations) {
  auto datapath = start(plan(90, 10));
  for (const auto& again : {datapath.apply(plan(90, 10)), datapath.apply(plan(90, 10))}) {
    ASSERT_TRUE(again);
    EXPECT_EQ(again->operations, 0U);
  }
}

TEST_F(LifecycleTest, TheSplitOutlivesTheAgentAndIsAdopted) {
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

TEST_F(LifecycleTest, AnAdoptedSetLosesWhatThePlanLacks) {
  { auto datapath = start(plan(1, 0)); }
  auto datapath = start(make_plan({make_service("other", "127.9.0.7", 80, {{1, {b}}})}));
  const auto view = datapath.read();
  ASSERT_EQ(view->frontends.size(), 1U);
  ASSERT_EQ(view->splits.size(), 1U);
  EXPECT_EQ(view->splits[0].name, "other");
  EXPECT_EQ(connect_to(kVip, 80).error, ECONNREFUSED);
}

TEST_F(LifecycleTest, CountersSurviveEndpointsThatComeBack) {
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

TEST_F(LifecycleTest, OpenConnectionsAreCountedDownAcrossAChangeAndARestart) {
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
TEST_F(LifecycleTest, AStartMayDieBeforeAnyStep) {
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

TEST_F(LifecycleTest, AChangeMayDieBeforeAnyStep) {
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

TEST_F(LifecycleTest, RemovalMayDieBeforeAnyStep) {
  int step = 0;
  for (;; ++step) {
    SCOPED_TRACE(step);
    { auto datapath = start(plan(1, 0)); }
    if (!dies_before(step, [&] { (void)uninstall(sandbox.bpffs_dir()); })) break;
    ASSERT_TRUE(uninstall(sandbox.bpffs_dir()));
    EXPECT_FALSE(exists(sandbox.bpffs_dir()));
    EXPECT_EQ(connect_to(kVip, 80).error, ECONNREFUSED);
  }
  EXPECT_GT(step, 5);
}

TEST_F(LifecycleTest, UninstallLeavesNothing) {
  { auto datapath = start(plan(1, 0)); }
  const auto removed = uninstall(sandbox.bpffs_dir());
  ASSERT_TRUE(removed);
  EXPECT_EQ(*removed, kMapCount + 2 * kHookCount);
  EXPECT_FALSE(exists(sandbox.bpffs_dir()));
  EXPECT_EQ(connect_to(kVip, 80).error, ECONNREFUSED);
  const auto again = uninstall(sandbox.bpffs_dir());
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, 0U);
  EXPECT_EQ(read_maps(sandbox.bpffs_dir()).error().code, ENOENT);
}

TEST_F(LifecycleTest, UninstallTouchesNoFolderThatIsNotOurs) {
  ASSERT_TRUE(make_directory(sandbox.bpffs_dir()));
  ASSERT_TRUE(make_directory(sandbox.bpffs_dir() + "/cilium"));
  const auto removed = uninstall(sandbox.bpffs_dir());
  ASSERT_FALSE(removed);
  EXPECT_NE(removed.error().message.find("'cilium', which is not weir's"), std::string::npos)
      << removed.error().message;
  ASSERT_TRUE(remove_directory(sandbox.bpffs_dir() + "/cilium"));
  ASSERT_TRUE(remove_directory(sandbox.bpffs_dir()));
}

TEST_F(LifecycleTest, ASecondAgentIsRefused) {
  auto datapath = start(plan(1, 0));
  const auto second = Datapath::open(sandbox.options());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EBUSY);
  EXPECT_EQ(second.error().message, "another weir agent is running on " + sandbox.bpffs_dir());
  EXPECT_EQ(uninstall(sandbox.bpffs_dir()).error().code, EBUSY);
}

TEST_F(LifecycleTest, MapsOfANewerVersionAreLeftAlone) {
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
  EXPECT_NE(refused.error().message.find("of ABI 2, this weir speaks 1: refusing"), std::string::npos)
      << refused.error().message;
  EXPECT_EQ(ask(kVip, 80), 'a') << "and the data path works on";
}

TEST_F(LifecycleTest, MapsOfAnOlderVersionAreReplacedWithoutAGap) {
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
  EXPECT_EQ(said[0], "building new maps beside the pinned ones: the pinned maps are of ABI 0, this weir speaks 1");
  EXPECT_EQ(ask(kVip, 80), 'a') << "the old programs on the old maps";
  ASSERT_TRUE(datapath->apply(plan(0, 1)));
  EXPECT_EQ(ask(kVip, 80), 'a');
  ASSERT_TRUE(datapath->attach());
  EXPECT_EQ(ask(kVip, 80), 'b');
  EXPECT_EQ(*list_directory(sandbox.bpffs_dir()), (std::vector<std::string>{"links", "maps", "progs"}));
  EXPECT_TRUE(fully_attached(datapath->status()));
}

TEST_F(LifecycleTest, AReplacementMayDieBeforeAnyStep) {
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

TEST_F(LifecycleTest, AMapThatDoesNotFitIsRefusedWholeBeforeAnythingIsWritten) {
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

TEST_F(LifecycleTest, RangesFreedAMomentAgoAreUsedWhenNothingElseIsLeft) {
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

TEST_F(LifecycleTest, APreviewWritesNothing) {
  auto datapath = start(plan(1, 0));
  const auto preview = datapath.preview(plan(1, 1, 2));
  ASSERT_TRUE(preview);
  EXPECT_NE(preview->find("split 1 = svc v1=50.00% of 1 v2=50.00% of 1\n"), std::string::npos) << *preview;
  EXPECT_EQ(*datapath.preview(plan(1, 1, 2)), *preview);
  EXPECT_EQ(ask_often(kVip, 80, 10).size(), 1U);
  ASSERT_TRUE(datapath.apply(plan(1, 1, 2)));
  EXPECT_EQ(*datapath.preview(plan(1, 1, 2)), "");
}

TEST_F(LifecycleTest, DriftIsFoundMendedAndTold) {
  auto datapath = start(plan(1, 0));
  EXPECT_TRUE(datapath.reconcile()->drift.empty());
  const auto splits = pinned("maps/splits"), frontends = pinned("maps/frontends"), meta = pinned("maps/meta");
  uint32_t id = 0;
  ASSERT_EQ(bpf_map_get_next_key(splits.get(), nullptr, &id), 0);
  abi::split split{};
  ASSERT_EQ(bpf_map_lookup_elem(splits.get(), &id, &split), 0);
  split.destinations[0].last = 5;
  ASSERT_EQ(bpf_map_update_elem(splits.get(), &id, &split, BPF_ANY), 0);
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
                               "meta: was abi 0 generation 0, is abi 1 generation 1",
                           }));
  EXPECT_EQ(report->operations, 3U);
  EXPECT_EQ(ask(kVip, 80), 'a');
  EXPECT_TRUE(datapath.reconcile()->drift.empty());
}

TEST_F(LifecycleTest, EndpointsThatSomebodyEditedAreMended) {
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

TEST_F(LifecycleTest, StrangersInTheMapsAreRemoved) {
  auto datapath = start(plan(1, 0));
  const auto splits = pinned("maps/splits"), frontends = pinned("maps/frontends");
  const uint32_t id = 77;
  abi::split split{};
  ASSERT_EQ(bpf_map_update_elem(splits.get(), &id, &split, BPF_ANY), 0);
  abi::frontend_key key{};
  key.port = 5;
  const abi::frontend frontend{.check = 1, .split = 77, .flags = 0};
  ASSERT_EQ(bpf_map_update_elem(frontends.get(), &key, &frontend, BPF_ANY), 0);
  const auto report = datapath.reconcile();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->drift, (std::vector<std::string>{"frontend [::]:1280/0: was split 77, is gone",
                                                     "split 77: was not there, is gone"}));
  EXPECT_EQ(datapath.read()->splits.size(), 1U);
  EXPECT_EQ(datapath.read()->frontends.size(), 1U);
}

TEST_F(LifecycleTest, DetachedLinksAreMadeAnew) {
  auto datapath = start(plan(1, 0));
  const auto link = pinned("links/connect4");
  ASSERT_EQ(bpf_link_detach(link.get()), 0);
  EXPECT_EQ(connect_to(kVip, 80).error, ECONNREFUSED);
  auto status = datapath.status();
  EXPECT_FALSE(status.healthy());
  EXPECT_FALSE(status.hooks[0].attached);
  EXPECT_EQ(status.hooks[0].problem, "the link was detached, or its cgroup removed");
  const auto report = datapath.reconcile();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->hooks, (std::vector<std::string>{"hook connect4"}));
  EXPECT_EQ(ask(kVip, 80), 'a');
  EXPECT_TRUE(datapath.status().healthy());
}

TEST_F(LifecycleTest, RemovedPinsArePinnedAgain) {
  auto datapath = start(plan(1, 0));
  std::filesystem::remove_all(sandbox.bpffs_dir());
  EXPECT_EQ(connect_to(kVip, 80).error, ECONNREFUSED) << "links go with their pins";
  const auto report = datapath.reconcile();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->hooks.size(), kMapCount + kHookCount);
  EXPECT_EQ(ask(kVip, 80), 'a');
  const auto view = read_maps(sandbox.bpffs_dir());
  EXPECT_TRUE(view) << view.error().message;
  EXPECT_EQ(Datapath::open(sandbox.options()).error().code, EBUSY) << "the lock holds on the new folder";
}

TEST_F(LifecycleTest, AMapPinThatWentMissingIsReplacedAtTheNextStart) {
  { auto datapath = start(plan(1, 0)); }
  ASSERT_TRUE(unpin(pin_path("maps/splits")));
  EXPECT_EQ(ask(kVip, 80), 'a');
  auto datapath = start(plan(0, 1));
  EXPECT_FALSE(datapath.adopted());
  EXPECT_EQ(ask(kVip, 80), 'b');
}

TEST_F(LifecycleTest, LinksOnAnotherCgroupMove) {
  { auto datapath = start(plan(1, 0)); }
  Options options = sandbox.options();
  options.cgroup += "/inner";
  ASSERT_EQ(mkdir(options.cgroup.c_str(), 0755), 0);
  {
    auto datapath = start(plan(1, 0), options);
    EXPECT_TRUE(fully_attached(datapath.status()));
    EXPECT_EQ(connect_to(kVip, 80).error, ECONNREFUSED) << "this process is not in there";
  }
  ASSERT_TRUE(uninstall(sandbox.bpffs_dir()));
  rmdir(options.cgroup.c_str());
}

/// A program of somebody else's that lets everything pass.
FileDescriptor foreign_program() {
  const bpf_insn program[] = {
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .src_reg = 0, .off = 0, .imm = 1},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_CGROUP_INET4_CONNECT);
  return FileDescriptor(bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "somebody", "GPL", program, 2, &options));
}

TEST_F(LifecycleTest, ForeignProgramsStayAndAreNamed) {
  const auto program = foreign_program();
  const FileDescriptor cgroup(open(sandbox.cgroup().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const FileDescriptor link(bpf_link_create(program.get(), cgroup.get(), BPF_CGROUP_INET4_CONNECT, nullptr));
  ASSERT_TRUE(link);
  {
    auto datapath = start(plan(1, 0));
    EXPECT_EQ(ask(kVip, 80), 'a');
    const auto status = datapath.status();
    EXPECT_TRUE(status.hooks[0].attached);
    ASSERT_EQ(status.hooks[0].foreign.size(), 1U);
    EXPECT_EQ(status.hooks[0].foreign[0].name, "somebody");
    EXPECT_NE(status.hooks[0].problem.find("shared with somebody"), std::string::npos);
    EXPECT_TRUE(status.hooks[1].problem.empty());
  }
  ASSERT_TRUE(uninstall(sandbox.bpffs_dir()));
  uint32_t count = 0, id = 0;
  bpf_prog_query(cgroup.get(), BPF_CGROUP_INET4_CONNECT, 0, nullptr, &id, &(count = 1));
  EXPECT_EQ(count, 1U) << "still attached";
}

TEST_F(LifecycleTest, AnExclusiveForeignProgramIsNamedInTheError) {
  const auto program = foreign_program();
  const FileDescriptor cgroup(open(sandbox.cgroup().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(bpf_prog_attach(program.get(), cgroup.get(), BPF_CGROUP_INET4_CONNECT, 0), 0);
  auto datapath = Datapath::open(sandbox.options());
  ASSERT_TRUE(datapath);
  ASSERT_TRUE(datapath->apply(plan(1, 0)));
  const auto attached = datapath->attach();
  ASSERT_FALSE(attached);
  EXPECT_EQ(attached.error().code, EPERM);
  EXPECT_NE(attached.error().message.find("somebody (id "), std::string::npos) << attached.error().message;
  EXPECT_NE(attached.error().message.find("is attached exclusively; it is not ours to detach"), std::string::npos);
  ASSERT_EQ(bpf_prog_detach2(program.get(), cgroup.get(), BPF_CGROUP_INET4_CONNECT), 0);
  EXPECT_TRUE(datapath->attach());
}

TEST_F(LifecycleTest, TwoServicesOnOneAddressFirstHolds) {
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

TEST_F(LifecycleTest, BadOptionsAreToldBeforeAnythingHappens) {
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

TEST_F(LifecycleTest, TheFolderIsClosedToOthers) {
  auto datapath = start(plan(1, 0));
  struct stat info {};
  ASSERT_EQ(stat(sandbox.bpffs_dir().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
  ASSERT_EQ(stat(pin_path("maps/frontends").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

}  // namespace
}  // namespace weir::datapath::test
