// What must hold of every packet, on very many of them: translation and its reverse are the identity, the pick is the
// C++ pick, and no frame, however broken, makes a program do what it may not.

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <netinet/in.h>

#include <random>

#include "packet_fixture.h"
#include "pick/pick.h"

namespace weir::datapath::test {
namespace {

class PacketPropertyTest : public PacketTest {
 protected:
  void SetUp() override {
    PacketTest::SetUp();
    if (IsSkipped()) return;
    random.seed(20251128);
  }
  uint32_t below(uint32_t bound) { return static_cast<uint32_t>(random() % bound); }
  std::string some_address(bool v4) {
    if (v4)  // one that a reply can be routed to
      return std::to_string(1 + below(126)) + "." + std::to_string(below(256)) + "." + std::to_string(below(256)) +
             "." + std::to_string(1 + below(254));
    std::string text = "2001";
    for (int i = 0; i < 7; ++i) {
      char part[8];
      std::snprintf(part, sizeof(part), ":%x", below(4) == 0 ? 0xffff : below(65536));
      text += part;
    }
    return text;
  }
  std::vector<uint8_t> some_payload(size_t most) {
    std::vector<uint8_t> bytes(below(static_cast<uint32_t>(most)));
    const bool plain = below(4) == 0;  // long runs of ones and zeros: where sums come to 0 and 0xffff
    for (auto& byte : bytes) byte = plain ? (below(2) == 0 ? 0xff : 0) : static_cast<uint8_t>(random());
    return bytes;
  }
  /// A client's first packet to `port` of the service.
  Packet first(bool v4, bool tcp, uint16_t port) {
    Packet packet;
    packet.ip(some_address(v4), v4 ? kVip4 : kVip6);
    const auto client_port = static_cast<uint16_t>(1 + below(65535));
    if (tcp)
      packet.tcp(client_port, port).syn().sequence(below(0xffffffff));
    else
      packet.udp(client_port, port);
    if (!tcp && below(4) == 0) packet.no_checksum();
    return packet.payload(some_payload(64)).ttl(static_cast<uint8_t>(3 + below(250)));
  }
  std::mt19937_64 random;
};

/// 0 and 0xffff are one number in these sums, and UDP writes the one as the other.
Frame with_one_zero(Frame frame) {
  const size_t l4 = l4_of(frame);
  if (frame[l3_of(frame) + (is_v4(frame) ? 9 : 6)] != IPPROTO_UDP) return frame;
  if (get16(frame, l4 + 6) == 0xffff) frame[l4 + 6] = frame[l4 + 7] = 0;
  return frame;
}

TEST_F(PacketPropertyTest, ThereAndBackIsTheIdentityOnTheNode) {
  apply({outside("t4", kVip4, 80, {{1, {local("10.0.0.5"), local("10.255.255.254", 1)}}}),
         outside("t6", kVip6, 80, {{1, {local("2001:db8:a::5"), local("ffff:ffff::1", 65535)}}}),
         outside("u4", kVip4, 53, {{1, {local("10.0.0.6")}}}, IPPROTO_UDP),
         outside("u6", kVip6, 53, {{1, {local("2001:db8:a::6")}}}, IPPROTO_UDP)});
  for (int i = 0; i < 4000; ++i) {
    const bool v4 = below(2) == 0, tcp = below(2) == 0;
    const Frame sent = first(v4, tcp, tcp ? 80 : 53).build();
    const auto seen = run(Program::kIn, sent);
    ASSERT_EQ(seen.counted, "local flow_new") << to_text(sent);
    Frame answer = swapped(seen.frame);
    if (tcp) answer[l4_of(answer) + 13] |= 16;  // the ACK of a SYN-ACK: its checksum is then wrong, and stays so
    const auto got = run(Program::kOut, answer);
    ASSERT_EQ(got.counted, "replied") << to_text(answer);
    Frame back = swapped(got.frame);
    if (tcp) back[l4_of(back) + 13] &= static_cast<uint8_t>(~16);
    ASSERT_EQ(with_one_zero(back), with_one_zero(sent)) << to_text(sent) << "\n" << to_text(back);
    if (HasFailure()) return;
  }
}

TEST_F(PacketPropertyTest, ThereAndBackIsTheIdentityThroughAnotherNode) {
  apply({outside("t4", kVip4, 80, {{1, {remote("192.0.2.9")}}}),
         outside("t6", kVip6, 80, {{1, {remote("2001:db8::9")}}}),
         outside("u4", kVip4, 53, {{1, {remote("192.0.2.9")}}}, IPPROTO_UDP),
         outside("u6", kVip6, 53, {{1, {remote("2001:db8::9")}}}, IPPROTO_UDP)});
  auto config = usual_config();
  config.first_port = 1024;
  config.port_count = 60000;
  configure(config);
  for (int i = 0; i < 2000; ++i) {
    const bool v4 = below(2) == 0, tcp = below(2) == 0;
    const Program program = below(2) == 0 ? Program::kXdp : Program::kIn;
    const Frame sent = first(v4, tcp, tcp ? 80 : 53).build();
    const auto seen = run(program, sent);
    ASSERT_EQ(seen.counted, "forwarded flow_new") << to_text(sent);
    Frame answer = swapped(seen.frame);
    if (tcp) answer[l4_of(answer) + 13] |= 16;
    const auto got = run(program, answer);
    ASSERT_EQ(got.counted, "replied") << to_text(answer);
    Frame back = swapped(got.frame);
    if (tcp) back[l4_of(back) + 13] &= static_cast<uint8_t>(~16);
    // Two hops were taken and the link layer is the routes': all else is as it was.
    const size_t ttl = l3_of(back) + (v4 ? 8 : 7);
    ASSERT_EQ(back[ttl] + 2, sent[ttl]);
    back[ttl] = sent[ttl];
    std::copy_n(sent.begin(), 12, back.begin());
    if (v4) std::copy_n(sent.begin() + 24, 2, back.begin() + 24);  // the header's checksum was checked at each step
    ASSERT_EQ(with_one_zero(back), with_one_zero(sent)) << to_text(sent) << "\n" << to_text(back);
    if (HasFailure()) return;
  }
}

/// XDP has a way of its own for packets in the middle of a connection; tc has not.
TEST_F(PacketPropertyTest, TheShortWayComesToWhatTheLongOneDoes) {
  apply({outside("far", kVip4, 81, {{1, {remote("192.0.2.9")}}})});
  const auto client = [] { return Packet().ip(kClient4, kVip4).tcp(40000, 81); };
  run(Program::kXdp, client().syn().build());
  const uint16_t port = ntohs(flows().at(0).second.source_port);
  run(Program::kXdp, Packet().ip("192.0.2.9", kNode4).tcp(8080, port).syn().ack(1001).sequence(5000).build());
  run(Program::kXdp, client().ack(5001).build());
  const auto established = flows().at(0);
  const auto outcome_of = [&](Program program, const Frame& frame) {
    replace_flow(established.first, established.second);
    run(program, client().ack(5001).build());  // now it is looked at: what follows within eight ticks need not be
    const Outcome outcome = run(program, frame);
    return verdict_text(program,
                        outcome.verdict == XDP_TX && program == Program::kXdp ? XDP_REDIRECT : outcome.verdict) +
           " " + outcome.counted + " " + std::string(outcome.frame.begin(), outcome.frame.end());
  };
  size_t carried = 0;
  for (int i = 0; i < 3000; ++i) {
    Packet packet = client().ack(below(0xffffffff)).sequence(below(0xffffffff)).payload(some_payload(200));
    if (below(8) == 0) packet.wrong_checksum();
    Frame frame = packet.ttl(static_cast<uint8_t>(below(256))).build();
    if (below(2) == 0) frame[14 + below(40)] = static_cast<uint8_t>(random());
    if (below(8) == 0) frame.resize(frame.size() + 1 + below(6));  // padding
    if (!runs(Program::kIn, frame)) continue;
    const std::string one = outcome_of(Program::kXdp, frame), other = outcome_of(Program::kIn, frame);
    ASSERT_EQ(one, other) << to_text(frame);
    carried += one.find("forwarded") != std::string::npos ? 1 : 0;
    if (HasFailure()) return;
  }
  EXPECT_GT(carried, 1500U);
}

TEST_F(PacketPropertyTest, PicksAsTheConnectHookAndTheLibraryDo) {
  std::vector<Part> parts;
  for (uint8_t part = 0; part < 5; ++part) {
    std::vector<routing::PlanEndpoint> endpoints;
    for (uint8_t i = 0; i <= part; ++i) {
      endpoints.push_back(local("10." + std::to_string(part) + ".0." + std::to_string(i + 1)));
      endpoints.back().weight = part % 2 == 0 ? 1 : 1U + i;
    }
    parts.push_back({1 + below(100), endpoints});
  }
  apply({outside("split", kVip4, 80, parts)});
  const auto all = *maps->splits().read_all();
  ASSERT_EQ(all.size(), 1U);
  const auto& [id, split] = all[0];
  const auto endpoints = maps->memory().endpoints;
  for (uint16_t i = 0; i < 3000; ++i) {
    const uint64_t number = maps->memory().cursors[id];
    const auto expected = pick::pick(split, id, endpoints, number);
    ASSERT_EQ(expected.outcome, pick::PickOutcome::kEndpoint);
    const auto outcome =
        run(Program::kIn, Packet().ip(kClient4, kVip4).tcp(static_cast<uint16_t>(i + 1), 80).syn().build());
    ASSERT_EQ(outcome.counted, "local flow_new");
    ASSERT_EQ(std::memcmp(outcome.frame.data() + 30, endpoints[expected.endpoint].address + 12, 4), 0) << number;
    ASSERT_EQ(maps->memory().cursors[id], number + 1);
  }
  const auto view = split_of(*datapath, "split");
  for (const auto& destination : view->destinations)
    EXPECT_NEAR(static_cast<double>(destination.counts.picked), destination.share * 3000, 2.5) << destination.label;
}

/// The frames that broken ones are made of.
std::vector<Frame> seeds() {
  const Frame syn = Packet().ip(kClient4, kVip4).tcp(40000, 80).syn().payload(20).build();
  const Frame syn6 = Packet().ip(kClient6, kVip6).tcp(40000, 80).syn().payload(20).build();
  return {syn,
          syn6,
          Packet().tag(3).tag(4).ip(kClient4, kVip4).tcp(40000, 81).syn().build(),
          Packet().ip(kClient4, kVip4).udp(40000, 53).payload(30).build(),
          Packet().ip(kClient6, kVip6).udp(40000, 53).payload(30).build(),
          Packet().ip(kClient4, kVip4).icmp(3, 4).about(swapped(syn), 60).build(),
          Packet().ip(kClient6, kVip6).icmp(2, 0).about(swapped(syn6), 80).build(),
          Packet().ip("10.0.0.5", kClient4).tcp(8080, 40000).syn().ack().build(),
          Packet().ip("192.0.2.9", kNode4).tcp(8080, kFirstPort).ack().build(),
          Packet().ip(kClient4, kVip4).options(3).tcp(40000, 80).syn().build(),
          Packet().ip(kClient6, kVip6).extension(0).tcp(40000, 80).syn().build()};
}

class PacketGarbageTest : public PacketPropertyTest {
 protected:
  void SetUp() override {
    PacketPropertyTest::SetUp();
    if (IsSkipped()) return;
    apply({outside("t4", kVip4, 80, {{1, {local("10.0.0.5")}}}), outside("f4", kVip4, 81, {{1, {remote("192.0.2.9")}}}),
           outside("t6", kVip6, 80, {{1, {remote("2001:db8::9")}}}),
           outside("u4", kVip4, 53, {{1, {local("10.0.0.6")}}}, IPPROTO_UDP),
           outside("u6", kVip6, 53, {{1, {local("2001:db8:a::6")}}}, IPPROTO_UDP)});
  }
  Frame broken(const std::vector<Frame>& from) {
    Frame frame = from[below(static_cast<uint32_t>(from.size()))];
    const uint32_t changes = below(6);
    for (uint32_t i = 0; i < changes; ++i) {
      const size_t at = 12 + below(static_cast<uint32_t>(frame.size() - 12));
      frame[at] = below(2) == 0 ? static_cast<uint8_t>(random()) : frame[at] ^ static_cast<uint8_t>(1U << below(8));
    }
    if (below(4) == 0) frame.resize(54 + below(static_cast<uint32_t>(frame.size() - 53)));
    return frame;
  }
};

// With everything checked that run() checks: one verdict counted, no right checksum made wrong, nothing changed that is
// not carried.
TEST_F(PacketGarbageTest, BrokenFramesAreCarriedRightlyOrNotAtAll) {
  const auto from = seeds();
  for (int i = 0; i < 20000 && !HasFailure(); ++i) {
    const auto program = static_cast<Program>(below(3));
    const Frame frame = broken(from);
    const auto outcome = run(program, frame);
    const std::string verdict = verdict_text(program, outcome.verdict);
    ASSERT_TRUE(verdict == "pass" || verdict == "drop" || verdict == "redirect" ||
                (verdict == "tx" && program == Program::kXdp))
        << verdict;
  }
}

// A million more, with the verdict alone; many in one system call where the kernel takes it.
TEST_F(PacketGarbageTest, AMillionFrames) {
  const auto from = seeds();
  std::vector<uint8_t> out(2048);
  xdp_md xdp{};
  __sk_buff buffer{};
  xdp.ingress_ifindex = buffer.ifindex = device;
  const char* quick = std::getenv("WEIR_QUICK");
  const int frames = quick != nullptr ? 50000 : 1000000;
  for (int i = 0; i < frames; ++i) {
    const auto program = static_cast<Program>(i % 3);
    const Frame frame = broken(from);
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(), .data_out = out.data(),
                .data_size_in = static_cast<uint32_t>(frame.size()),
                .data_size_out = static_cast<uint32_t>(out.size()));
    xdp.data_end = static_cast<uint32_t>(frame.size());
    options.ctx_in = program == Program::kXdp ? static_cast<void*>(&xdp) : &buffer;
    options.ctx_size_in = program == Program::kXdp ? sizeof(xdp) : sizeof(buffer);
    ASSERT_EQ(bpf_prog_test_run_opts(program_fd(program), &options), 0) << to_text(frame);
    const std::string verdict = verdict_text(program, static_cast<int>(options.retval));
    ASSERT_TRUE(verdict == "pass" || verdict == "drop" || verdict == "redirect" || verdict == "tx") << verdict;
    ASSERT_EQ(options.data_size_out, frame.size());
  }
}

// Somebody wrote into the maps. The programs must neither leave their bounds nor send a packet to an address that no
// endpoint of the split has.
TEST_F(PacketGarbageTest, GarbledMaps) {
  auto splits = *maps->splits().read_all();
  for (int i = 0; i < 2000 && !HasFailure(); ++i) {
    auto [id, split] = splits[below(static_cast<uint32_t>(splits.size()))];
    auto* bytes = reinterpret_cast<uint8_t*>(&split);
    for (int k = 0; k < 4; ++k) bytes[below(sizeof(split))] = static_cast<uint8_t>(random());
    ASSERT_EQ(bpf_map_update_elem(maps->fd(MapId::kSplits), &id, &split, BPF_ANY), 0);
    const auto port = static_cast<uint16_t>(1 + below(65535));
    const auto outcome = run(Program::kIn, Packet().ip(kClient4, kVip4).tcp(port, 80).syn().build());
    if (outcome.counted.find("local") != std::string::npos) {
      ASSERT_EQ(to_text(outcome.frame),
                "198.51.100.7:" + std::to_string(port) + " > 10.0.0.5:8080 tcp S ttl 64 data 0");
    }
  }
}

TEST_F(PacketPropertyTest, TheVerifiersWorkIsBounded) {
  const std::pair<const char*, int> programs[] = {
      {"weir_xdp", north.xdp.get()}, {"weir_tc_in", north.tc_in.get()}, {"weir_tc_out", north.tc_out.get()}};
  for (const auto& [name, fd] : programs) {
    bpf_prog_info info{};
    __u32 length = sizeof(info);
    ASSERT_EQ(bpf_obj_get_info_by_fd(fd, &info, &length), 0);
    RecordProperty(std::string(name) + "_processed", static_cast<int>(info.verified_insns));
    std::printf("%s: %u instructions processed by the verifier\n", name, info.verified_insns);
    EXPECT_GT(info.verified_insns, 1000U);
    EXPECT_LT(info.verified_insns, 150000U) << name << ": a tenth of the verifier's limit is another kernel's margin";
  }
}

}  // namespace
}  // namespace weir::datapath::test
