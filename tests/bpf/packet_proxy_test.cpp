// Connections from outside whose rules need the request: to the proxy of the node, with the proof that it asks for.

#include <bpf/bpf.h>

#include "packet_fixture.h"
#include "proxy_fixture.h"

namespace weir::datapath::test {
namespace {

class PacketProxyTest : public PacketTest {
 protected:
  void SetUp() override {
    PacketTest::SetUp();
    if (IsSkipped()) return;
    ASSERT_TRUE(
        datapath->set_proxy({.v4 = *IpAddress::parse(kNode4), .v6 = *IpAddress::parse(kNode6), .enabled = true}));
    beat = std::make_unique<Beat>(*datapath);
    beat->set_age(0);
    serve(true);
  }
  /// With or without a split to fall back to.
  void serve(bool with_split) {
    auto service = make_service("web", "10.96.0.1", 80, {{1, {local("10.0.0.5")}}});
    service->frontends[0].proxied = true;
    routing::PlanFrontend outside = service->frontends[0];
    outside.address = *IpAddress::parse(kVip4);
    outside.port = 8000;
    outside.source = routing::kOutside;
    outside.like = 0;
    service->frontends.push_back(outside);
    if (!with_split) {
      service->splits.clear();
      for (auto& frontend : service->frontends) frontend.split = routing::kNoSplit;
    }
    expect(outside);
    const auto plan = make_plan({service}, ++generation);
    const auto ports = datapath->reserve_proxy_ports(plan);
    ASSERT_TRUE(ports);
    ASSERT_EQ(ports->size(), 2U) << "one for who is outside, at any address, one for the mesh";
    for (const auto& port : *ports)
      if (port.outside) proxy_port = port.port;
    const auto applied = datapath->apply(plan);
    ASSERT_TRUE(applied) << applied.error().message;
  }
  static Packet from_client(uint16_t port) { return Packet().ip(kClient4, kVip4).tcp(port, 8000); }
  bool has_proof(const std::string& client, uint16_t port) {
    abi::redirect_key key{};
    std::memcpy(key.client_address, IpAddress::parse(client)->bytes().data(), 16);
    key.client_port = htons(port);
    key.proxy_port = htons(proxy_port);
    abi::redirect found{};
    return bpf_map_lookup_elem(maps->fd(MapId::kRedirects), &key, &found) == 0;
  }

  std::unique_ptr<Beat> beat;
  uint16_t proxy_port = 0;
};

TEST_F(PacketProxyTest, ToTheProxyAndBack) {
  const std::string there = "192.0.2.1:" + std::to_string(proxy_port);
  const auto in = run(Program::kIn, from_client(40000).syn().build());
  EXPECT_EQ(in.counted, "local flow_new proxied");
  EXPECT_EQ(to_text(in.frame), "198.51.100.7:40000 > " + there + " tcp S ttl 64 data 0");
  EXPECT_TRUE(has_proof(kClient4, 40000)) << "else sk_lookup would reset it";
  EXPECT_FALSE(has_proof(kClient4, 40001));
  EXPECT_EQ(text_of(Program::kOut, Packet().ip(kNode4, kClient4).tcp(proxy_port, 40000).syn().ack(1001).build()),
            "pass: 203.0.113.10:8000 > 198.51.100.7:40000 tcp SA ttl 64 data 0");
  beat->set_age(10'000'000'000);
  EXPECT_EQ(run(Program::kIn, from_client(40000).ack(1001).payload(5).build()).counted, "local")
      << "a connection stays where it is";
}

TEST_F(PacketProxyTest, XdpLeavesItToTc) {
  EXPECT_EQ(run(Program::kXdp, from_client(40000).syn().build()).counted, "left_to_tc flow_new proxied");
  EXPECT_EQ(run(Program::kIn, from_client(40000).syn().build()).counted, "local");
}

TEST_F(PacketProxyTest, WithoutTheProxyByTheDefaultRoute) {
  beat->set_age(10'000'000'000);
  const auto in = run(Program::kIn, from_client(40000).syn().build());
  EXPECT_EQ(in.counted, "local flow_new proxy_down");
  EXPECT_EQ(to_text(in.frame), "198.51.100.7:40000 > 10.0.0.5:8080 tcp S ttl 64 data 0");
  EXPECT_FALSE(has_proof(kClient4, 40000));
  beat->set(0);
  EXPECT_EQ(run(Program::kIn, from_client(40001).syn().build()).counted, "local flow_new proxy_down");
}

TEST_F(PacketProxyTest, WithoutAnAddressOfTheNodeByTheDefaultRoute) {
  auto config = usual_config();
  std::memset(config.node_v4, 0, sizeof(config.node_v4));
  configure(config);
  EXPECT_EQ(run(Program::kIn, from_client(40000).syn().build()).counted, "local flow_new proxy_down");
}

TEST_F(PacketProxyTest, RefusedWhereThereIsNothingToFallBackTo) {
  serve(false);
  EXPECT_EQ(run(Program::kIn, from_client(40000).syn().build()).counted, "local flow_new proxied");
  beat->set_age(10'000'000'000);
  EXPECT_EQ(run(Program::kIn, from_client(40001).syn().build()).counted, "proxy_refused");
  EXPECT_EQ(verdict_text(Program::kIn, run(Program::kIn, from_client(40001).syn().build()).verdict), "drop");
}

TEST_F(PacketProxyTest, OnlyASynBeginsOne) {
  EXPECT_EQ(run(Program::kIn, from_client(40000).ack().build()).counted, "no_flow");
  EXPECT_FALSE(has_proof(kClient4, 40000));
}

TEST_F(PacketProxyTest, TwoServicesFromOnePort) {
  auto one = make_service("one", "10.96.0.2", 80, {{1, {local("10.0.0.5")}}});
  one->frontends[0].proxied = true;
  for (const uint16_t port : {uint16_t{8001}, uint16_t{8002}}) {
    routing::PlanFrontend outside = one->frontends[0];
    outside.address = *IpAddress::parse(kVip4);
    outside.port = port;
    outside.source = routing::kOutside;
    expect(outside);
    one->frontends.push_back(outside);
  }
  const auto plan = make_plan({one}, ++generation);
  const auto ports = datapath->reserve_proxy_ports(plan);
  ASSERT_TRUE(ports);
  for (const auto& port : *ports)
    if (port.address == *IpAddress::parse("10.96.0.2") && port.outside) proxy_port = port.port;
  ASSERT_TRUE(datapath->apply(plan));
  EXPECT_EQ(run(Program::kIn, Packet().ip(kClient4, kVip4).tcp(40000, 8001).syn().build()).counted,
            "local flow_new proxied");
  const auto second = run(Program::kIn, Packet().ip(kClient4, kVip4).tcp(40000, 8002).syn().sequence(5).build());
  EXPECT_EQ(second.counted, "local flow_new proxied port_shifted");
  EXPECT_TRUE(has_proof(kClient4, get16(second.frame, l4_of(second.frame)))) << "under the port that the proxy sees";
}

}  // namespace
}  // namespace weir::datapath::test
