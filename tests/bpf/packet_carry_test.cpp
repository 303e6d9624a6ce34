// What becomes of a packet: as it comes in, what the program says, what goes out.

#include <netinet/in.h>

#include "packet_fixture.h"

namespace weir::datapath::test {
namespace {

class PacketCarryTest : public PacketTest {
 protected:
  void SetUp() override {
    PacketTest::SetUp();
    if (IsSkipped()) return;
    auto services = near_and_far();
    services.push_back(outside("dns6", kVip6, 53, {{1, {remote("2001:db8::9", 5353)}}}, IPPROTO_UDP));
    services.push_back(outside("fardns", kVip4, 54, {{1, {remote("192.0.2.9", 5353)}}}, IPPROTO_UDP));
    services.push_back(outside("empty", kVip4, 90, {{1, {}}}));
    services.push_back(outside("unknown", kVip4, 91, {{1, {remote("192.0.2.77")}}}));
    apply(std::move(services));
  }
  static Packet from_client(uint16_t port = 40000, uint16_t to = 80) {
    return Packet().ip(kClient4, kVip4).tcp(port, to);
  }
  static Packet from_client6(uint16_t port = 40000, uint16_t to = 80) {
    return Packet().ip(kClient6, kVip6).tcp(port, to);
  }
};

TEST_F(PacketCarryTest, ToAnEndpointOnTheNodeAndBack) {
  auto in = run(Program::kIn, from_client().syn().build());
  EXPECT_EQ(in.counted, "local flow_new");
  EXPECT_EQ(verdict_text(Program::kIn, in.verdict) + ": " + to_text(in.frame),
            "pass: 198.51.100.7:40000 > 10.0.0.5:8080 tcp S ttl 64 data 0");
  EXPECT_EQ(text_of(Program::kOut, Packet().ip("10.0.0.5", kClient4).tcp(8080, 40000).syn().ack(1001).build()),
            "pass: 203.0.113.10:80 > 198.51.100.7:40000 tcp SA ttl 64 data 0");
  EXPECT_EQ(text_of(Program::kIn, from_client().ack(1001).payload(33).build()),
            "pass: 198.51.100.7:40000 > 10.0.0.5:8080 tcp A ttl 64 data 33");
  EXPECT_EQ(run(Program::kIn, from_client().ack(1001).build()).counted, "local");
  EXPECT_EQ(entries(NorthMap::kFlows), 1U);
  EXPECT_EQ(entries(NorthMap::kReverse), 1U);
}

TEST_F(PacketCarryTest, ToAnEndpointOnTheNodeAndBackV6) {
  EXPECT_EQ(text_of(Program::kIn, from_client6().syn().build()),
            "pass: [2001:db8:c::7]:40000 > [2001:db8:a::5]:8080 tcp S ttl 64 data 0");
  EXPECT_EQ(text_of(Program::kOut, Packet().ip("2001:db8:a::5", kClient6).tcp(8080, 40000).syn().ack(1).build()),
            "pass: [2001:db8:5::10]:80 > [2001:db8:c::7]:40000 tcp SA ttl 64 data 0");
}

TEST_F(PacketCarryTest, XdpLeavesEndpointsOfTheNodeToTc) {
  const Frame frame = from_client().syn().build();
  const auto first = run(Program::kXdp, frame);
  EXPECT_EQ(verdict_text(Program::kXdp, first.verdict) + " " + first.counted, "pass left_to_tc flow_new");
  EXPECT_EQ(run(Program::kIn, frame).counted, "local") << "picked once, not twice";
}

TEST_F(PacketCarryTest, ToAnotherNodeAndBack) {
  for (const Program program : {Program::kXdp, Program::kIn}) {
    const uint16_t port = program == Program::kXdp ? 41000 : 42000;
    const std::string sent = program == Program::kXdp ? "tx" : "redirect";
    const auto out = run(program, from_client(port, 81).syn().ttl(9).build());
    EXPECT_EQ(out.counted, "forwarded flow_new");
    EXPECT_EQ(verdict_text(program, out.verdict), sent);
    EXPECT_TRUE(std::equal(kEndpointMac.begin(), kEndpointMac.end(), out.frame.begin()));
    EXPECT_TRUE(std::equal(kNodeMac.begin(), kNodeMac.end(), out.frame.begin() + 6));
    const uint16_t shown = get16(out.frame, l4_of(out.frame));
    EXPECT_GE(shown, kFirstPort);
    EXPECT_LT(shown, kFirstPort + kPortCount * 3 / 4) << "the last quarter is for floods";
    EXPECT_EQ(to_text(out.frame), "192.0.2.1:" + std::to_string(shown) + " > 192.0.2.9:8080 tcp S ttl 8 data 0");
    const auto back = run(
        program, Packet().link(kEndpointMac, kNodeMac).ip("192.0.2.9", kNode4).tcp(8080, shown).syn().ack(1).build());
    EXPECT_EQ(verdict_text(program, back.verdict) + " " + back.counted, sent + " replied");
    EXPECT_TRUE(std::equal(kGatewayMac.begin(), kGatewayMac.end(), back.frame.begin()));
    EXPECT_EQ(to_text(back.frame), "203.0.113.10:81 > 198.51.100.7:" + std::to_string(port) + " tcp SA ttl 63 data 0");
  }
}

TEST_F(PacketCarryTest, ToAnotherNodeAndBackV6) {
  const auto out = run(Program::kXdp, from_client6(40000, 81).syn().build());
  EXPECT_EQ(verdict_text(Program::kXdp, out.verdict), "tx");
  const uint16_t shown = get16(out.frame, l4_of(out.frame));
  EXPECT_EQ(to_text(out.frame), "[2001:db8::1]:" + std::to_string(shown) + " > [2001:db8::9]:8080 tcp S ttl 63 data 0");
  EXPECT_EQ(text_of(Program::kXdp, Packet().ip("2001:db8::9", kNode6).tcp(8080, shown).syn().ack(1).build()),
            "tx: [2001:db8:5::10]:81 > [2001:db8:c::7]:40000 tcp SA ttl 63 data 0");
}

TEST_F(PacketCarryTest, Udp) {
  EXPECT_EQ(text_of(Program::kIn, Packet().ip(kClient4, kVip4).udp(5000, 53).payload(31).build()),
            "pass: 198.51.100.7:5000 > 10.0.0.6:5353 udp ttl 64 data 31");
  EXPECT_EQ(text_of(Program::kOut, Packet().ip("10.0.0.6", kClient4).udp(5353, 5000).payload(8).build()),
            "pass: 203.0.113.10:53 > 198.51.100.7:5000 udp ttl 64 data 8");
  EXPECT_EQ(text_of(Program::kIn, Packet().ip(kClient4, kVip4).udp(5001, 53).no_checksum().payload(31).build()),
            "pass: 198.51.100.7:5001 > 10.0.0.6:5353 udp unchecked ttl 64 data 31");
  EXPECT_EQ(run(Program::kXdp, Packet().ip(kClient6, kVip6).udp(5000, 53).payload(5).build()).counted,
            "forwarded flow_new");
}

TEST_F(PacketCarryTest, ToTheStackAsItIs) {
  const Frame syn = from_client().syn().build();
  const struct {
    const char* what;
    Frame frame;
    const char* counted;
  } cases[] = {
      {"ARP", Packet().ip(kClient4, kVip4).ethertype(0x0806).payload(28).build(), "not_ip"},
      {"three tags", from_client().tag(1).tag(2).tag(3).syn().build(), "many_tags"},
      {"a tag and nothing else", Packet().ip(kClient4, kVip4).ethertype(0x8100).payload(1).build(), "truncated"},
      {"no IP header", Packet().ip(kClient4, kVip4).ethertype(0x0800).payload(19).build(), "truncated"},
      {"IPv6 in an IPv4 frame", Packet().ip(kClient4, kVip4).ethertype(0x0800).payload(40, 0x60).build(), "truncated"},
      {"longer than the frame", from_client().syn().total_length(1).build(), "truncated"},
      {"IP length shorter than its headers", from_client().syn().total_length(-1).build(), "truncated"},
      {"IPv6 longer than the frame", from_client6().syn().total_length(1).build(), "truncated"},
      {"data offset 4", from_client().syn().data_offset(4).build(), "truncated"},
      {"first fragment", from_client().syn().fragment(0, true).build(), "fragment"},
      {"later fragment", from_client().syn().fragment(3, false).build(), "fragment"},
      {"IPv6 fragment", from_client6().syn().fragment(0, true).build(), "fragment"},
      {"IP options", from_client().syn().options(1).build(), "ip_options"},
      {"hop-by-hop options", from_client6().syn().extension(0).build(), "extension_header"},
      {"routing header", from_client6().syn().extension(43).build(), "extension_header"},
      {"destination options", from_client6().syn().extension(60).build(), "extension_header"},
      {"last hop", from_client().syn().ttl(1).build(), "ttl_expired"},
      {"no hop", from_client().syn().ttl(0).build(), "ttl_expired"},
      {"last hop, IPv6", from_client6().syn().ttl(1).build(), "ttl_expired"},
      {"SCTP", Packet().ip(kClient4, kVip4).protocol(132).payload(40).build(), "other_protocol"},
      {"echo to the service's address", Packet().ip(kClient4, kVip4).icmp(8, 0).payload(32).build(), "other_protocol"},
      {"echo, IPv6", Packet().ip(kClient6, kVip6).icmp(128, 0).payload(32).build(), "other_protocol"},
      {"neighbour solicitation", Packet().ip(kClient6, kVip6).icmp(135, 0).payload(20).build(), "other_protocol"},
      {"another port", from_client(40000, 8).syn().build(), "not_ours"},
      {"another address", Packet().ip(kClient4, "203.0.113.11").tcp(1, 80).syn().build(), "not_ours"},
      {"another protocol", Packet().ip(kClient4, kVip4).udp(1, 80).build(), "not_ours"},
      {"no SYN", from_client().ack().build(), "no_flow"},
      {"SYN and ACK", from_client().syn().ack().build(), "no_flow"},
      {"SYN and FIN", from_client().syn().fin().build(), "no_flow"},
      {"reset", from_client().rst().build(), "no_flow"},
      {"error about nothing of ours", Packet().ip(kClient4, kVip4).icmp(3, 3).about(syn, 28).build(), "no_flow_icmp"},
      {"error about too little", Packet().ip(kClient4, kVip4).icmp(3, 3).about(syn, 27).build(), "truncated"},
      {"error about a fragment",
       Packet().ip(kClient4, kVip4).icmp(11, 1).about(from_client().fragment(9, false).build(), 28).build(),
       "fragment"},
      {"error about an error",
       Packet().ip(kClient4, kVip4).icmp(3, 3).about(Packet().ip(kVip4, kClient4).icmp(3, 3).build(), 28).build(),
       "other_protocol"},
      {"error about options",
       Packet().ip(kClient4, kVip4).icmp(3, 3).about(from_client().options(2).build(), 36).build(), "ip_options"},
      {"no neighbour known in XDP", from_client(40000, 91).syn().build(), "no_neighbour flow_new"},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.what);
    const bool xdp_only = std::string_view(one.counted).starts_with("no_neighbour");
    for (const Program program : {Program::kXdp, Program::kIn}) {
      if ((xdp_only && program != Program::kXdp) || !runs(program, one.frame)) continue;
      const auto outcome = run(program, one.frame);
      EXPECT_EQ(verdict_text(program, outcome.verdict), "pass");
      EXPECT_EQ(outcome.counted, one.counted);
      EXPECT_EQ(outcome.frame, one.frame);
    }
  }
}

TEST_F(PacketCarryTest, FramesCutAtEveryByte) {
  for (const Frame& whole : {from_client().syn().payload(4).build(), from_client6().tag(7).syn().build(),
                             Packet().ip(kClient4, kVip4).udp(1, 53).build()})
    for (size_t size = 14; size < whole.size(); ++size) {
      const Frame cut(whole.begin(), whole.begin() + static_cast<long>(size));
      for (const Program program : {Program::kXdp, Program::kIn, Program::kOut}) {
        if (!runs(program, cut)) continue;
        const auto outcome = run(program, cut);
        EXPECT_EQ(verdict_text(program, outcome.verdict) + " " + outcome.counted, "pass truncated") << size;
      }
    }
}

TEST_F(PacketCarryTest, PaddingAndWrongChecksumsArePassedOn) {
  Frame padded = from_client().syn().build();
  padded.resize(60, 0xee);
  const auto outcome = run(Program::kIn, padded);
  EXPECT_EQ(outcome.counted, "local flow_new");
  EXPECT_EQ(outcome.frame[59], 0xee);
  // Not ours to mend, and not to be made right by accident either: the endpoint must see that it is wrong.
  const auto wrong = run(Program::kIn, from_client().ack().wrong_checksum().payload(9).build());
  EXPECT_EQ(wrong_checksum(wrong.frame), "wrong TCP checksum");
}

TEST_F(PacketCarryTest, RefusedWhereTheSplitHasNoEndpoint) {
  for (const Program program : {Program::kXdp, Program::kIn})
    EXPECT_EQ(verdict_text(program, run(program, from_client(40000, 90).syn().build()).verdict), "drop");
  EXPECT_EQ(counts().at("no_endpoint"), 2U);
  EXPECT_EQ(entries(NorthMap::kFlows), 0U);
}

TEST_F(PacketCarryTest, WhatLeavesTheNodeAndIsNoReplyIsLeftAlone) {
  const Frame frame = Packet().ip("10.0.0.5", kClient4).tcp(8080, 40000).ack().build();
  EXPECT_EQ(run(Program::kOut, frame).counted, "not_translated");
  EXPECT_EQ(run(Program::kOut, Packet().ip("10.0.0.5", kClient4).tcp(8080, 40000).ttl(1).build()).counted,
            "not_translated")
      << "the last hop is behind it already";
}

TEST_F(PacketCarryTest, TagsAreKept) {
  EXPECT_EQ(text_of(Program::kIn, from_client().tag(5).syn().build()),
            "pass: tag 5 198.51.100.7:40000 > 10.0.0.5:8080 tcp S ttl 64 data 0");
  EXPECT_EQ(text_of(Program::kOut,
                    Packet().tag(9, true).tag(5).ip("10.0.0.5", kClient4).tcp(8080, 40000).syn().ack().build()),
            "pass: tag 9 tag 5 203.0.113.10:80 > 198.51.100.7:40000 tcp SA ttl 64 data 0");
  // The way out is the VLAN's device: its own tc program has the packet next.
  EXPECT_EQ(run(Program::kXdp, from_client(40000, 81).tag(5).syn().build()).counted, "tagged flow_new");
}

TEST_F(PacketCarryTest, ReservedPortsOfOthersAreNotOurs) {
  EXPECT_EQ(run(Program::kXdp, Packet().ip(kClient4, kNode4).tcp(8080, kFirstPort).ack().build()).counted, "not_ours");
}

TEST_F(PacketCarryTest, WithoutANodeAddressNothingIsSentOn) {
  auto config = usual_config();
  std::memset(config.node_v4, 0, sizeof(config.node_v4));
  configure(config);
  EXPECT_EQ(run(Program::kXdp, from_client(40000, 81).syn().build()).counted, "no_node_address");
  EXPECT_EQ(run(Program::kXdp, from_client6(40000, 81).syn().build()).counted, "forwarded flow_new");
}

}  // namespace
}  // namespace weir::datapath::test
