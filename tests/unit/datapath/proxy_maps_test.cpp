// What the kernel is told of a proxy outlives the agent, is mended when somebody edits it, and never half there.

#include "datapath/proxy_maps.h"

#include <bpf/bpf.h>

#include "lifecycle.h"
#include "proxy_fixture.h"

namespace weir::datapath::test {
namespace {

class ProxyMapsTest : public ProxyTest {
 protected:
  routing::Plan plan(const std::vector<int>& numbers, uint64_t generation = 1) {
    std::vector<std::shared_ptr<routing::ServicePlan>> services;
    for (const int number : numbers)
      services.push_back(
          make_service("s" + std::to_string(number), "127.9.0." + std::to_string(number), 80, {{1, {a}}}));
    return proxied(services, generation);
  }
  [[nodiscard]] FileDescriptor pinned(const std::string& name) const {
    return FileDescriptor(bpf_obj_get((sandbox.bpffs_dir() + "/maps/" + name).c_str()));
  }
  void SetUp() override {
    ProxyTest::SetUp();
    if (!IsSkipped()) a = servers.start('a');
  }
  routing::PlanEndpoint a;
};

TEST_F(ProxyMapsTest, PortsArePersistedAndStable) {
  {
    auto datapath = start(plan({1, 2}));
    ASSERT_TRUE(datapath.apply(plan({2}, 2)));
  }
  auto datapath = *Datapath::open(sandbox.options());
  const auto ports = datapath.reserve_proxy_ports(plan({2, 3}, 3));
  ASSERT_TRUE(ports) << ports.error().message;
  EXPECT_EQ(*ports, (std::vector<ProxyPort>{{61000, *IpAddress::parse("127.9.0.1"), 80},
                                            {61001, *IpAddress::parse("127.9.0.2"), 80},
                                            {61002, *IpAddress::parse("127.9.0.3"), 80}}));
  ASSERT_TRUE(datapath.apply(plan({2, 3}, 3)));
  const auto view = *datapath.read();
  ASSERT_EQ(view.proxy.ports.size(), 3U);
  EXPECT_NE(view.proxy.ports[0].unused_since_ns, 0U);
  ASSERT_EQ(view.frontends.size(), 2U);
  EXPECT_EQ(view.frontends[0].proxy_port, 61001);
  EXPECT_EQ(view.frontends[1].proxy_port, 61002);
  EXPECT_EQ(datapath.apply(plan({2, 3}, 3))->operations, 0U);
}

TEST_F(ProxyMapsTest, ARangeThatIsTooSmallIsRefusedAndTheOldGoesOn) {
  Options options = sandbox.options();
  options.proxy_port_count = 1;
  auto datapath = start(plan({1}), options);
  EXPECT_EQ(datapath.reserve_proxy_ports(plan({1, 2}, 2)).error().code, ENOSPC);
  EXPECT_EQ(datapath.apply(plan({1, 2}, 2)).error().code, ENOSPC);
  EXPECT_EQ(ask("127.9.0.1", 80), 'a');
  options.proxy_port_count = 0;
  EXPECT_EQ(Datapath::open(options).error().code, EINVAL);
}

TEST_F(ProxyMapsTest, APreviewGivesNoPorts) {
  auto datapath = start(plan({1}));
  ASSERT_TRUE(datapath.preview(plan({1, 2}, 2)));
  EXPECT_EQ(datapath.read()->proxy.ports.size(), 1U);
}

// The proxy lives on while the agent restarts.
TEST_F(ProxyMapsTest, RedirectionOutlivesTheAgent) {
  { auto datapath = start_with_proxy(plan({1})); }
  EXPECT_EQ(connect_to("127.9.0.1", 80).error, 0);
  EXPECT_TRUE(listeners.accept().fd) << "nobody is there, and it works";
  auto datapath = start(plan({1}));
  EXPECT_EQ(connect_to("127.9.0.1", 80).error, 0);
  EXPECT_TRUE(listeners.accept().fd) << "a new agent that has not spoken to the proxy yet changes nothing";
  EXPECT_TRUE(datapath.reconcile()->drift.empty());
}

TEST_F(ProxyMapsTest, DriftIsMendedAndTold) {
  auto datapath = start_with_proxy(plan({1}));
  EXPECT_TRUE(datapath.reconcile()->drift.empty());
  const auto ports = pinned("proxy_ports"), where = pinned("proxy_place"), sockets = pinned("proxy_sockets");
  const uint32_t port = 61000, stranger = 5, far = 70000, zero = 0;
  const abi::proxy_port scribble{};
  const abi::proxy_place nowhere{};
  ASSERT_EQ(bpf_map_delete_elem(ports.get(), &port), 0);
  ASSERT_EQ(bpf_map_update_elem(ports.get(), &stranger, &scribble, BPF_ANY), 0);
  ASSERT_EQ(bpf_map_update_elem(ports.get(), &far, &scribble, BPF_ANY), 0);
  ASSERT_EQ(bpf_map_update_elem(where.get(), &zero, &nowhere, BPF_ANY), 0);
  ASSERT_EQ(bpf_map_delete_elem(sockets.get(), &zero), 0);
  EXPECT_EQ(ask("127.9.0.1", 80), 'a') << "no proxy: split";
  const auto report = datapath.reconcile();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->drift.size(), 5U);
  EXPECT_EQ(report->operations, 5U);
  EXPECT_EQ(report->drift[0], "proxy port 61000: was not there, is 61000 = 127.9.0.1:80");
  EXPECT_EQ(report->drift[4], "proxy socket 0: was not there, is the worker's");
  EXPECT_TRUE(datapath.reconcile()->drift.empty());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(connect_to("127.9.0.1", 80).error, 0);
  EXPECT_EQ(verdict(datapath, "proxy_handed"), 20U);
}

TEST_F(ProxyMapsTest, GarbageLeadsNobodyAstray) {
  auto datapath = start_with_proxy(plan({1}));
  const auto where = pinned("proxy_place");
  const uint32_t zero = 0;
  abi::proxy_place good{};
  ASSERT_EQ(bpf_map_lookup_elem(where.get(), &zero, &good), 0);
  abi::proxy_place bad = good;
  bad.v4_workers = 65535;
  ASSERT_EQ(bpf_map_update_elem(where.get(), &zero, &bad, BPF_ANY), 0);
  for (int i = 0; i < 20; ++i) {
    const int error = connect_to("127.9.0.1", 80).error;
    EXPECT_TRUE(error == 0 || error == ECONNREFUSED) << error;
  }
  bad = good;
  bad.flags = 0xffffffff;
  bad.netns = 1;
  ASSERT_EQ(bpf_map_update_elem(where.get(), &zero, &bad, BPF_ANY), 0);
  EXPECT_EQ(ask("127.9.0.1", 80), 'a');
  ASSERT_TRUE(datapath.reconcile());
  EXPECT_EQ(connect_to("127.9.0.1", 80).error, 0);
}

TEST_F(ProxyMapsTest, LostHooksOfTheProxyAreAttachedAgain) {
  auto datapath = start_with_proxy(plan({1}));
  for (const char* hook : {"sk_lookup", "sock_ops"}) {
    const FileDescriptor link(bpf_obj_get((sandbox.bpffs_dir() + "/links/" + hook).c_str()));
    ASSERT_EQ(bpf_link_detach(link.get()), 0) << hook;
    EXPECT_EQ(connect_to("127.9.0.1", 80).error, ECONNREFUSED) << hook;
    EXPECT_FALSE(fully_attached(datapath.status())) << hook;
    const auto report = datapath.reconcile();
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->hooks, (std::vector<std::string>{std::string("hook ") + hook}));
    EXPECT_EQ(connect_to("127.9.0.1", 80).error, 0) << hook;
  }
  EXPECT_TRUE(fully_attached(datapath.status()));
}

// Each step of a start with a proxy, of a change and of a replaced listener.
TEST_F(ProxyMapsTest, AStartMayDieBeforeAnyStep) {
  const auto next = [&] {
    auto datapath = start_with_proxy(plan({1, 2}, 2));
    (void)datapath.set_proxy_listeners(listeners.fds().first(1));
  };
  int step = 0;
  for (;; ++step) {
    SCOPED_TRACE(step);
    { auto datapath = start_with_proxy(plan({1})); }
    if (!dies_before(step, next)) break;
    EXPECT_EQ(connect_to("127.9.0.1", 80).error, 0);
    EXPECT_TRUE(listeners.accept().fd);
    auto datapath = start_with_proxy(plan({1, 2}, 2));
    EXPECT_EQ(connect_to("127.9.0.2", 80).error, 0);
    EXPECT_TRUE(listeners.accept().fd);
    ASSERT_TRUE(datapath.apply(plan({1}, 3)));
  }
  EXPECT_GT(step, 10);
}

}  // namespace
}  // namespace weir::datapath::test
