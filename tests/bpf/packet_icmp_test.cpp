// ICMP errors: translated outside and inside, whoever they are about and whoever sends them. An error that the receiver
// cannot match to a connection of its own is a black hole (cilium #33844, #47755).

#include <netinet/in.h>

#include "packet_fixture.h"

namespace weir::datapath::test {
namespace {

constexpr const char* kRouter4 = "198.51.100.1";
constexpr const char* kRouter6 = "2001:db8:c::1";

class PacketIcmpTest : public PacketTest {
 protected:
  void SetUp() override {
    PacketTest::SetUp();
    if (IsSkipped()) return;
    apply(near_and_far());
    for (const char* client : {kClient4, kClient6})
      for (const uint16_t port : {80, 81}) {
        const bool v4 = client == kClient4;
        const auto out = run(Program::kIn, Packet().ip(client, v4 ? kVip4 : kVip6).tcp(40000, port).syn().build());
        if (port == 81) (v4 ? shown4 : shown6) = get16(out.frame, l4_of(out.frame));
      }
    run(Program::kIn, Packet().ip(kClient4, kVip4).udp(5000, 53).build());
  }
  std::string error(Program program, const std::string& from, const std::string& to, const Frame& about, size_t bytes,
                    uint8_t type = 3, uint8_t code = 4) {
    return text_of(program, Packet().ip(from, to).icmp(type, code, 1400).about(about, bytes).build());
  }
  uint16_t shown4 = 0, shown6 = 0;
};

TEST_F(PacketIcmpTest, FromTheClientsSideAboutAReply) {
  const Frame reply = Packet().ip(kVip4, kClient4).tcp(80, 40000).ack().payload(100).build();
  for (const size_t bytes : {28, 40, 41, 60, 140})
    EXPECT_EQ(error(Program::kIn, kRouter4, kVip4, reply, bytes),
              "pass: 198.51.100.1 > 10.0.0.5 icmp 3/4 ttl 64 about {10.0.0.5:8080 > 198.51.100.7:40000 tcp" +
                  std::string(bytes >= 40 ? " A" : "") + "}")
        << bytes;
}

TEST_F(PacketIcmpTest, FromTheClientsSideAboutAReplyOfAnotherNode) {
  const Frame reply = Packet().ip(kVip4, kClient4).tcp(81, 40000).ack().payload(100).build();
  for (const Program program : {Program::kXdp, Program::kIn})
    EXPECT_EQ(error(program, kRouter4, kVip4, reply, 28),
              std::string(program == Program::kXdp ? "tx" : "redirect") +
                  ": 192.0.2.1 > 192.0.2.9 icmp 3/4 ttl 63 about {192.0.2.9:8080 > 192.0.2.1:" +
                  std::to_string(shown4) + " tcp}");
}

TEST_F(PacketIcmpTest, FromAnotherNodesSideAboutWhatWeSent) {
  const Frame sent = Packet().ip(kNode4, "192.0.2.9").tcp(shown4, 8080).ack().build();
  for (const Program program : {Program::kXdp, Program::kIn})
    EXPECT_EQ(error(program, "192.0.2.254", kNode4, sent, 28),
              std::string(program == Program::kXdp ? "tx" : "redirect") +
                  ": 203.0.113.10 > 198.51.100.7 icmp 3/4 ttl 63 about {198.51.100.7:40000 > 203.0.113.10:81 tcp}");
}

TEST_F(PacketIcmpTest, FromTheEndpointOrTheNodeAboutWhatTheClientSent) {
  const Frame seen = Packet().ip(kClient4, "10.0.0.5").tcp(40000, 8080).ack().payload(50).build();
  for (const char* sender : {"10.0.0.5", kNode4})
    EXPECT_EQ(error(Program::kOut, sender, kClient4, seen, 28),
              "pass: 203.0.113.10 > 198.51.100.7 icmp 3/4 ttl 64 about {198.51.100.7:40000 > 203.0.113.10:80 tcp}");
  const Frame datagram = Packet().ip(kClient4, "10.0.0.6").udp(5000, 5353).payload(9).build();
  EXPECT_EQ(error(Program::kOut, "10.0.0.6", kClient4, datagram, 37, 3, 3),
            "pass: 203.0.113.10 > 198.51.100.7 icmp 3/3 ttl 64 about {198.51.100.7:5000 > 203.0.113.10:53 udp}");
  const Frame unchecked = Packet().ip(kClient4, "10.0.0.6").udp(5000, 5353).no_checksum().payload(9).build();
  EXPECT_EQ(error(Program::kOut, "10.0.0.6", kClient4, unchecked, 37, 3, 3),
            "pass: 203.0.113.10 > 198.51.100.7 icmp 3/3 ttl 64 about {198.51.100.7:5000 > 203.0.113.10:53 udp "
            "unchecked}");
}

TEST_F(PacketIcmpTest, V6) {
  const Frame reply = Packet().ip(kVip6, kClient6).tcp(80, 40000).ack().payload(100).build();
  for (const size_t bytes : {48, 60, 61, 160})
    EXPECT_EQ(error(Program::kIn, kRouter6, kVip6, reply, bytes, 2, 0),
              "pass: 2001:db8:c::1 > 2001:db8:a::5 icmp 2/0 ttl 64 about {[2001:db8:a::5]:8080 > "
              "[2001:db8:c::7]:40000 tcp" +
                  std::string(bytes >= 60 ? " A" : "") + "}")
        << bytes;
  const Frame far = Packet().ip(kVip6, kClient6).tcp(81, 40000).ack().payload(100).build();
  EXPECT_EQ(error(Program::kXdp, kRouter6, kVip6, far, 160, 2, 0),
            "tx: 2001:db8::1 > 2001:db8::9 icmp 2/0 ttl 63 about {[2001:db8::9]:8080 > [2001:db8::1]:" +
                std::to_string(shown6) + " tcp A}");
  const Frame sent = Packet().ip(kNode6, "2001:db8::9").tcp(shown6, 8080).ack().build();
  EXPECT_EQ(error(Program::kXdp, "2001:db8::9", kNode6, sent, 60, 1, 4),
            "tx: 2001:db8:5::10 > 2001:db8:c::7 icmp 1/4 ttl 63 about {[2001:db8:c::7]:40000 > [2001:db8:5::10]:81 "
            "tcp A}");
  const Frame seen = Packet().ip(kClient6, "2001:db8:a::5").tcp(40000, 8080).ack().payload(50).build();
  EXPECT_EQ(error(Program::kOut, "2001:db8:a::5", kClient6, seen, 110, 1, 4),
            "pass: 2001:db8:5::10 > 2001:db8:c::7 icmp 1/4 ttl 64 about {[2001:db8:c::7]:40000 > "
            "[2001:db8:5::10]:80 tcp A}");
}

TEST_F(PacketIcmpTest, AnErrorBeginsAndEndsNothing) {
  const size_t before = entries(NorthMap::kFlows);
  const Frame other = Packet().ip(kVip4, kClient4).tcp(80, 40001).ack().build();
  EXPECT_EQ(run(Program::kIn, Packet().ip(kRouter4, kVip4).icmp(3, 3).about(other, 28).build()).counted,
            "no_flow_icmp");
  EXPECT_EQ(entries(NorthMap::kFlows), before);
  const auto flows_before = flows();
  const Frame reply = Packet().ip(kVip4, kClient4).tcp(80, 40000).rst().build();
  run(Program::kIn, Packet().ip(kRouter4, kVip4).icmp(3, 3).about(reply, 40).build());
  for (const auto& [key, flow] : flows_before)
    for (const auto& [key_now, flow_now] : flows())
      if (std::memcmp(&key, &key_now, sizeof(key)) == 0) {
        EXPECT_EQ(flow.client_state, flow_now.client_state);
      }
}

TEST_F(PacketIcmpTest, AWrongQuoteStaysWrong) {
  Frame reply = Packet().ip(kVip4, kClient4).udp(53, 5000).wrong_checksum().payload(20).build();
  const auto outcome = run(Program::kIn, Packet().ip(kRouter4, kVip4).icmp(3, 3).about(reply, 48).build());
  EXPECT_EQ(wrong_checksum(outcome.frame), "quoted: wrong UDP checksum");
}

}  // namespace
}  // namespace weir::datapath::test
