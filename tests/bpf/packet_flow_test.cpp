// The life of a connection in the flow table: how it begins, when it is over, and what must not be mixed up.

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <netinet/in.h>

#include <chrono>
#include <ctime>
#include <set>

#include "bpf/packet/sieve.h"
#include "packet_fixture.h"

namespace weir::datapath::test {
namespace {

constexpr uint64_t kSecond = 1000000000;

class PacketFlowTest : public PacketTest {
 protected:
  void SetUp() override {
    PacketTest::SetUp();
    if (IsSkipped()) return;
    apply({outside("one", kVip4, 80, {{1, {local("10.0.0.5")}}}), outside("two", kVip4, 82, {{1, {local("10.0.0.5")}}}),
           outside("far", kVip4, 81, {{1, {remote("192.0.2.9")}}}),
           outside("dns", kVip4, 53, {{1, {local("10.0.0.6", 5353)}}}, IPPROTO_UDP)});
  }
  static Packet from_client(uint16_t port = 40000, uint16_t to = 80) {
    return Packet().ip(kClient4, kVip4).tcp(port, to);
  }
  static Packet from_endpoint(uint16_t port = 40000) { return Packet().ip("10.0.0.5", kClient4).tcp(8080, port); }
  /// SYN, SYN-ACK, ACK.
  void establish(uint16_t port = 40000, uint16_t to = 80) {
    run(Program::kIn, from_client(port, to).syn().build());
    run(Program::kOut, from_endpoint(port).syn().ack(1001).sequence(5000).build());
    run(Program::kIn, from_client(port, to).ack(5001).sequence(1001).build());
  }
  /// As if all flows had been silent for `ns`.
  void age(uint64_t ns) {
    for (auto& [key, flow] : flows()) {
      flow.expires -= ns;
      replace_flow(key, flow);
    }
  }
  /// In seconds from now, rounded.
  [[nodiscard]] int64_t lives_on(uint16_t client_port = 40000) const {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    for (const auto& [key, flow] : flows())
      if (ntohs(key.source_port) == client_port)
        return (static_cast<int64_t>(flow.expires) - now.tv_sec * 1000000000 - now.tv_nsec + 500000000) / 1000000000;
    return -1;
  }
  std::string counted(Program program, const Packet& packet) { return run(program, packet.build()).counted; }
};

TEST_F(PacketFlowTest, LivesAsLongAsItsStateAllows) {
  counted(Program::kIn, from_client().syn());
  EXPECT_NEAR(static_cast<double>(lives_on()), 60, 1);
  counted(Program::kOut, from_endpoint().syn().ack(1001).sequence(5000));
  EXPECT_NEAR(static_cast<double>(lives_on()), 60, 1) << "the client has proved nothing yet";
  counted(Program::kIn, from_client().ack(4000));
  EXPECT_NEAR(static_cast<double>(lives_on()), 60, 1) << "that acknowledges nothing";
  counted(Program::kIn, from_client().ack(5001));
  EXPECT_NEAR(static_cast<double>(lives_on()), 7440, 1);
  counted(Program::kIn, from_client().ack(5001).fin());
  EXPECT_NEAR(static_cast<double>(lives_on()), 7440, 1) << "half closed: the endpoint may go on for long";
  counted(Program::kOut, from_endpoint().ack(1002).fin());
  EXPECT_NEAR(static_cast<double>(lives_on()), 60, 1);
}

TEST_F(PacketFlowTest, InTheMiddleOfAConnectionNothingIsLookedAtAnew) {
  run(Program::kIn, from_client(40000, 81).syn().build());
  const uint16_t port = ntohs(flows().at(0).second.source_port);
  const auto there = [&] { return text_of(Program::kIn, from_client(40000, 81).ack(5001).payload(9).build()); };
  run(Program::kIn, Packet().ip("192.0.2.9", kNode4).tcp(8080, port).syn().ack(1001).sequence(5000).build());
  const std::string carried = there();
  // A flow whose way has been forgotten: whoever looked would ask for it, and there is no route any more.
  const auto forget_way = [&] {
    auto [key, flow] = flows().at(0);
    flow.to_endpoint.until = 0;
    ASSERT_EQ(bpf_map_update_elem(map_fd(NorthMap::kFlows), &key, &flow, BPF_EXIST), 0);
  };
  shell("ip route del 192.0.2.0/24 dev out0 && ip route del default");
  forget_way();
  const auto begin = std::chrono::steady_clock::now();
  while (there() == carried)
    ASSERT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5)) << "eight ticks are 80 ms at most";
  shell("ip route add 192.0.2.0/24 dev out0 && ip neigh replace 192.0.2.9 lladdr 02:00:00:00:00:09 dev out0");
  // Between the two packets are less than eight ticks, if nobody else wants the CPU: soon so.
  bool steady = false;
  for (int i = 0; i < 100 && !steady; ++i) {
    EXPECT_EQ(there(), carried);
    const auto before = flows();
    EXPECT_EQ(there(), carried);
    const auto after = flows();
    steady = std::memcmp(&before.at(0).second, &after.at(0).second, sizeof(abi::flow)) == 0;
  }
  EXPECT_TRUE(steady);
}

TEST_F(PacketFlowTest, ASteadyFlowStillSeesItsEnd) {
  establish();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(counted(Program::kIn, from_client().ack(5001).payload(1)), "local");
  EXPECT_EQ(counted(Program::kIn, from_client().ack(5001).fin()), "local");
  EXPECT_EQ(counted(Program::kOut, from_endpoint().ack(1002).fin()), "replied");
  EXPECT_NEAR(static_cast<double>(lives_on()), 60, 1) << "a FIN is looked at however steady the flow was";
  EXPECT_EQ(counted(Program::kIn, from_client().syn().sequence(7000)), "local flow_new flow_again");
}

/// What tc egress had looked at was taken for looked at on every way: the answer went out of device 0, that is nowhere.
TEST_F(PacketFlowTest, ASteadyFlowKnowsNoWayThatNobodyAskedFor) {
  const uint16_t port = kFirstPort + 1;  // by its port, an answer that ingress carries may be an endpoint's elsewhere
  establish(port);
  counted(Program::kOut, from_endpoint(port).ack(1001).payload(1));
  const auto goes_to_the_gateway = [&] {
    const auto answer = run(Program::kIn, from_endpoint(port).ack(1001).payload(7).build());
    EXPECT_EQ(answer.counted, "replied");
    return std::equal(kGatewayMac.begin(), kGatewayMac.end(), answer.frame.begin());
  };
  EXPECT_TRUE(goes_to_the_gateway());
  // Nor one that was asked for long ago, by ingress, when only egress has looked since.
  auto [key, flow] = flows().at(0);
  flow.to_client.until = 0;
  std::memset(flow.to_client.to, 0, sizeof(flow.to_client.to));
  replace_flow(key, flow);
  counted(Program::kOut, from_endpoint(port).ack(1001).payload(1));
  EXPECT_TRUE(goes_to_the_gateway());
}

TEST_F(PacketFlowTest, OnlyWhatIsExpectedIsLookedUp) {
  auto late = outside("late", kVip4, 90, {{1, {local("10.0.0.5")}}});
  ASSERT_TRUE(datapath->apply(make_plan({late}, ++generation)));
  EXPECT_EQ(counted(Program::kIn, from_client(40000, 90).syn()), "not_ours");
  expect(late->frontends[0]);
  EXPECT_EQ(counted(Program::kIn, from_client(40000, 90).syn()), "local flow_new");
  ASSERT_TRUE(datapath->apply(make_plan({}, ++generation)));
  EXPECT_EQ(counted(Program::kIn, from_client(40000, 90).ack()), "local")
      << "a frontend that is gone: its flows are not";
}

TEST(SieveTest, SpreadsWhateverAServiceIsAt) {
  std::set<uint32_t> slots;
  size_t count = 0;
  for (uint32_t host = 1; host <= 64; ++host)
    for (uint16_t port = 1; port <= 64; ++port)
      for (const uint8_t protocol : {6, 17}) {
        const __be32 v4[4] = {0, 0, htonl(0xffff), htonl(0x0a600000 + host)};
        const __be32 v6[4] = {htonl(0x20010db8), 0, 0, htonl(host)};
        slots.insert(abi::sieve_slot(v4, htons(port), protocol));
        slots.insert(abi::sieve_slot(v6, htons(port), protocol));
        count += 2;
      }
  // Of 2^14 balls in 2^18 slots some 500 fall on another; twice that would be a bad hash.
  EXPECT_GT(slots.size(), count - 1000);
  EXPECT_LT(*slots.rbegin(), uint32_t{abi::SIEVE_SLOTS});
}

TEST_F(PacketFlowTest, AResetOfEitherSideEndsIt) {
  establish(40000);
  counted(Program::kIn, from_client(40000).rst());
  EXPECT_NEAR(static_cast<double>(lives_on(40000)), 10, 1);
  establish(40001);
  counted(Program::kOut, from_endpoint(40001).rst());
  EXPECT_NEAR(static_cast<double>(lives_on(40001)), 10, 1);
}

TEST_F(PacketFlowTest, UdpLivesLongerWhenAnswered) {
  const auto ask = Packet().ip(kClient4, kVip4).udp(40000, 53);
  EXPECT_EQ(counted(Program::kIn, ask), "local flow_new");
  EXPECT_NEAR(static_cast<double>(lives_on()), 30, 1);
  EXPECT_EQ(counted(Program::kOut, Packet().ip("10.0.0.6", kClient4).udp(5353, 40000)), "replied");
  EXPECT_NEAR(static_cast<double>(lives_on()), 120, 1);
  EXPECT_EQ(counted(Program::kIn, ask), "local");
}

TEST_F(PacketFlowTest, WhatExpiredIsNoMore) {
  establish();
  age(7441 * kSecond);
  EXPECT_EQ(counted(Program::kOut, from_endpoint().ack()), "not_translated flow_expired");
  EXPECT_EQ(entries(NorthMap::kFlows) + entries(NorthMap::kReverse), 0U);
  establish();
  age(7441 * kSecond);
  EXPECT_EQ(counted(Program::kIn, from_client().ack(5001)), "no_flow flow_expired");
  EXPECT_EQ(entries(NorthMap::kFlows) + entries(NorthMap::kReverse), 0U);
}

TEST_F(PacketFlowTest, ARepeatedSynIsTheSameConnection) {
  const Frame syn = from_client().syn().build();
  EXPECT_EQ(run(Program::kIn, syn).counted, "local flow_new");
  EXPECT_EQ(run(Program::kIn, syn).counted, "local");
  EXPECT_EQ(split_of(*datapath, "one")->cursor - split_of(*datapath, "one")->start, 1U);
}

TEST_F(PacketFlowTest, APortUsedAgainIsANewConnection) {
  establish();
  counted(Program::kIn, from_client().ack(5001).fin());
  counted(Program::kOut, from_endpoint().ack(1002).fin());
  EXPECT_EQ(counted(Program::kIn, from_client().syn().sequence(9000)), "local flow_new flow_again");
  EXPECT_EQ(entries(NorthMap::kFlows), 1U);
  EXPECT_EQ(entries(NorthMap::kReverse), 1U);
}

// The table is an LRU: one half of a connection may go before the other.
TEST_F(PacketFlowTest, EitherHalfMakesTheOtherAnew) {
  establish();
  const auto [key, flow] = flows().at(0);
  ASSERT_EQ(bpf_map_delete_elem(map_fd(NorthMap::kFlows), &key), 0);
  EXPECT_EQ(text_of(Program::kOut, from_endpoint().ack().payload(3).build()),
            "pass: 203.0.113.10:80 > 198.51.100.7:40000 tcp A ttl 64 data 3");
  EXPECT_EQ(counts().at("flow_recreated"), 1U);
  EXPECT_EQ(text_of(Program::kIn, from_client().ack(6000).build()),
            "pass: 198.51.100.7:40000 > 10.0.0.5:8080 tcp A ttl 64 data 0");
  abi::flow_key reply{};
  ASSERT_EQ(bpf_map_get_next_key(map_fd(NorthMap::kReverse), nullptr, &reply), 0);
  ASSERT_EQ(bpf_map_delete_elem(map_fd(NorthMap::kReverse), &reply), 0);
  age(2 * kSecond);  // a flow's other half is looked after once a second
  EXPECT_EQ(counted(Program::kIn, from_client().ack(6000)), "local reverse_recreated");
  EXPECT_EQ(counted(Program::kOut, from_endpoint().ack()), "replied");
}

TEST_F(PacketFlowTest, EitherHalfOfOneToAnotherNodeToo) {
  const auto out = run(Program::kXdp, from_client(40000, 81).syn().build());
  const uint16_t shown = get16(out.frame, l4_of(out.frame));
  const auto [key, flow] = flows().at(0);
  ASSERT_EQ(bpf_map_delete_elem(map_fd(NorthMap::kFlows), &key), 0);
  EXPECT_EQ(counted(Program::kXdp, Packet().ip("192.0.2.9", kNode4).tcp(8080, shown).ack()), "replied flow_recreated");
  EXPECT_EQ(to_text(run(Program::kXdp, from_client(40000, 81).ack().build()).frame),
            "192.0.2.1:" + std::to_string(shown) + " > 192.0.2.9:8080 tcp A ttl 63 data 0");
}

// cilium #17457: a client may use one port towards two services at the same time; to an endpoint of both, the two
// connections would be one.
TEST_F(PacketFlowTest, TwoServicesOnOneEndpoint) {
  establish(40000, 80);
  const auto second = run(Program::kIn, from_client(40000, 82).syn().sequence(7000).build());
  EXPECT_EQ(second.counted, "local flow_new port_shifted");
  const uint16_t shown = get16(second.frame, l4_of(second.frame));
  EXPECT_NE(shown, 40000);
  EXPECT_EQ(to_text(second.frame), "198.51.100.7:" + std::to_string(shown) + " > 10.0.0.5:8080 tcp S ttl 64 data 0");
  EXPECT_EQ(text_of(Program::kOut, from_endpoint(shown).syn().ack(7001).build()),
            "pass: 203.0.113.10:82 > 198.51.100.7:40000 tcp SA ttl 64 data 0");
  EXPECT_EQ(text_of(Program::kOut, from_endpoint(40000).ack().build()),
            "pass: 203.0.113.10:80 > 198.51.100.7:40000 tcp A ttl 64 data 0");
}

// A connection past every frontend, from a port that a translated one already shows to the endpoint.
TEST_F(PacketFlowTest, DirectMeetsTranslated) {
  establish();
  const auto direct = Packet().ip(kClient4, "10.0.0.5").tcp(40000, 8080);
  const auto out = run(Program::kIn, Packet(direct).syn().sequence(7777).build());
  EXPECT_EQ(out.counted, "local flow_new port_shifted direct_shifted");
  const uint16_t shown = get16(out.frame, l4_of(out.frame));
  EXPECT_EQ(text_of(Program::kOut, from_endpoint(shown).syn().ack(7778).build()),
            "pass: 10.0.0.5:8080 > 198.51.100.7:40000 tcp SA ttl 64 data 0");
  EXPECT_EQ(to_text(run(Program::kIn, Packet(direct).ack().build()).frame),
            "198.51.100.7:" + std::to_string(shown) + " > 10.0.0.5:8080 tcp A ttl 64 data 0");
  EXPECT_EQ(text_of(Program::kOut, from_endpoint(40000).ack().build()),
            "pass: 203.0.113.10:80 > 198.51.100.7:40000 tcp A ttl 64 data 0");
}

// The translated SYN itself comes by again where two devices lie one over the other (VLAN, bridge, bond).
TEST_F(PacketFlowTest, SeenTwiceIsTranslatedOnce) {
  const auto out = run(Program::kIn, from_client().syn().sequence(4242).build());
  const auto again = run(Program::kIn, out.frame);
  EXPECT_EQ(again.counted, "not_ours");
  EXPECT_EQ(again.frame, out.frame);
}

TEST_F(PacketFlowTest, AStaleReverseEntryTranslatesNothing) {
  establish();
  age(7441 * kSecond);
  const auto direct = Packet().ip(kClient4, "10.0.0.5").tcp(40000, 8080);
  EXPECT_EQ(counted(Program::kIn, Packet(direct).syn().sequence(1)), "not_ours");
  EXPECT_EQ(entries(NorthMap::kReverse), 0U) << "or the answer would seem to come from the service";
  EXPECT_EQ(counted(Program::kOut, from_endpoint().syn().ack(2)), "not_translated");
}

// One that names a flow which is another's by now.
TEST_F(PacketFlowTest, AReverseEntryOfAnotherConnectionIsDropped) {
  establish();
  abi::flow_key stray{}, client = flows().at(0).first;
  ASSERT_EQ(bpf_map_get_next_key(map_fd(NorthMap::kReverse), nullptr, &stray), 0);
  stray.destination_port = htons(40444);
  ASSERT_EQ(bpf_map_update_elem(map_fd(NorthMap::kReverse), &stray, &client, BPF_ANY), 0);
  EXPECT_EQ(counted(Program::kOut, from_endpoint(40444).ack()), "not_translated");
  EXPECT_EQ(entries(NorthMap::kReverse), 1U);
}

// The endpoint still has, or has in TIME_WAIT, a connection of that client and port which the node never saw. It
// answers with an ACK; passed on, the client's reset would end that connection.
TEST_F(PacketFlowTest, AnAnswerToAnotherConnectionIsHeldBack) {
  counted(Program::kIn, from_client().syn());
  EXPECT_EQ(counted(Program::kOut, from_endpoint().ack(31337)), "tuple_taken");
  const auto again = run(Program::kIn, from_client().syn().build());
  EXPECT_EQ(again.counted, "local port_shifted");
  const uint16_t shown = get16(again.frame, l4_of(again.frame));
  EXPECT_NE(shown, 40000);
  EXPECT_EQ(text_of(Program::kOut, from_endpoint(shown).syn().ack(1001).build()),
            "pass: 203.0.113.10:80 > 198.51.100.7:40000 tcp SA ttl 64 data 0");
}

TEST_F(PacketFlowTest, OnePortServesManyEndpoints) {
  auto config = usual_config();
  config.port_count = 4;  // three, and one for floods
  configure(config);
  std::set<uint16_t> shown;
  for (uint16_t port = 1; port <= 3; ++port) {
    const auto out = run(Program::kXdp, from_client(static_cast<uint16_t>(50000 + port), 81).syn().build());
    if (out.counted == "forwarded flow_new") shown.insert(get16(out.frame, l4_of(out.frame)));
  }
  EXPECT_EQ(shown.size(), 3U);
  EXPECT_EQ(counted(Program::kXdp, from_client(50004, 81).syn()), "ports_exhausted");
  for (auto& [key, flow] : flows()) {  // one of them ends
    flow.expires = 1;
    replace_flow(key, flow);
    break;
  }
  EXPECT_EQ(counted(Program::kXdp, from_client(50004, 81).syn()), "forwarded flow_new");
}

class PacketFloodTest : public PacketFlowTest {
 protected:
  void SetUp() override {
    PacketFlowTest::SetUp();
    if (IsSkipped()) return;
    establish(39999);
    config = usual_config();
    config.flow_rate = 10;  // one in a tenth of a second
    configure(config);
    counted(Program::kIn, from_client(39998).syn());
    age(0);
  }
  /// SYNs of `count` clients; retries until the limit is on in this tenth of a second.
  void flood(int count) {
    for (int i = 0; i < count; ++i)
      run(Program::kIn, Packet()
                            .ip("198.18." + std::to_string(i / 250) + "." + std::to_string(1 + i % 250), kVip4)
                            .tcp(static_cast<uint16_t>(1024 + i), 80)
                            .syn()
                            .build());
  }
  abi::north_config config{};
};

TEST_F(PacketFloodTest, EstablishedFlowsStay) {
  const uint64_t before = split_of(*datapath, "one")->cursor;
  flood(5000);
  EXPECT_GT(counts().at("flood_picked"), 4000U);
  EXPECT_LT(entries(NorthMap::kFlows), 1000U);
  EXPECT_LT(split_of(*datapath, "one")->cursor - before, 1000U) << "a flood uses up no numbers of the exact split";
  EXPECT_EQ(counted(Program::kIn, from_client(39999).ack(5001)), "local");
  EXPECT_EQ(counted(Program::kOut, from_endpoint(39999).ack()), "replied");
}

TEST_F(PacketFloodTest, OneThatCompletesItsHandshakeIsKept) {
  flood(10);
  auto syn = run(Program::kIn, from_client(45000).syn().build());
  EXPECT_EQ(syn.counted, "local flood_picked");
  EXPECT_EQ(to_text(syn.frame), "198.51.100.7:45000 > 10.0.0.5:8080 tcp S ttl 64 data 0");
  EXPECT_EQ(counted(Program::kOut, from_endpoint(45000).syn().ack(1001).sequence(70)), "replied");
  EXPECT_EQ(counted(Program::kIn, from_client(45000).ack(72)), "local") << "a guess promotes nothing";
  EXPECT_EQ(counts().at("flood_promoted"), 0U);
  EXPECT_EQ(counted(Program::kIn, from_client(45000).ack(71)), "local flood_promoted");
  EXPECT_EQ(counted(Program::kIn, from_client(45000).ack(71)), "local");
  EXPECT_EQ(counted(Program::kOut, from_endpoint(45000).ack(1001)), "replied");
}

TEST_F(PacketFloodTest, ToAnotherNodeItHasPortsOfItsOwn) {
  flood(10);
  const auto out = run(Program::kXdp, from_client(45001, 81).syn().build());
  EXPECT_EQ(out.counted, "forwarded flood_picked");
  const uint16_t shown = get16(out.frame, l4_of(out.frame));
  EXPECT_GE(shown, kFirstPort + kPortCount * 3 / 4);
  EXPECT_EQ(counted(Program::kXdp, Packet().ip("192.0.2.9", kNode4).tcp(8080, shown).syn().ack(1001).sequence(70)),
            "replied");
  EXPECT_EQ(counted(Program::kXdp, from_client(45001, 81).ack(71)), "forwarded flood_promoted");
  EXPECT_EQ(counted(Program::kXdp, Packet().ip("192.0.2.9", kNode4).tcp(8080, shown).ack(1001)), "replied");
}

}  // namespace
}  // namespace weir::datapath::test
