#include "packet_fixture.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>

#include <cstdlib>
#include <cstring>

#include "datapath/bpf_map.h"
#include "datapath/libbpf_log.h"

namespace weir::datapath::test {
namespace {

constexpr uint64_t kSecond = 1000000000;

void copy(__be32* to, const IpAddress& from) {
  std::memcpy(to, from.bytes().data(), 16);
}

/// One of these is counted for each packet that a program sees.
bool is_final(const std::string& name, const std::string& help) {
  return help.starts_with("to the stack") || (help.starts_with("carried") && name != "errors_translated") ||
         help.starts_with("dropped");
}

}  // namespace

std::string verdict_text(Program program, int verdict) {
  if (program == Program::kXdp) {
    switch (verdict) {
      case XDP_DROP:
        return "drop";
      case XDP_PASS:
        return "pass";
      case XDP_TX:
        return "tx";
      case XDP_REDIRECT:
        return "redirect";
      default:
        return "XDP " + std::to_string(verdict);
    }
  }
  switch (verdict) {
    case TC_ACT_UNSPEC:
      return "pass";
    case TC_ACT_SHOT:
      return "drop";
    case TC_ACT_REDIRECT:
      return "redirect";
    default:
      return "tc " + std::to_string(verdict);
  }
}

void PacketTest::shell(const std::string& command) {
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

void PacketTest::SetUp() {
  if (!sandbox.missing().empty()) GTEST_SKIP() << sandbox.missing();
  if (std::system("ip -V >/dev/null 2>&1") != 0) GTEST_SKIP() << "needs the command ip";
  ASSERT_EQ(unshare(CLONE_NEWNET), 0);
  shell(
      "ip link set lo up && ip link add out0 address 02:00:00:00:00:02 type veth peer name far0 &&"
      "ip link set out0 up && ip link set far0 up && sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 &&"
      "ip addr add 192.0.2.1/24 dev out0 && ip addr add 2001:db8::1/64 dev out0 nodad &&"
      "ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev out0 && ip neigh add 192.0.2.254 lladdr 02:00:00:00:00:fe "
      "dev "
      "out0 && ip neigh add 2001:db8::9 lladdr 02:00:00:00:00:09 dev out0 &&"
      "ip neigh add 2001:db8::fe lladdr 02:00:00:00:00:fe dev out0 && ip route add default via 192.0.2.254 &&"
      "ip route add default via 2001:db8::fe");
  device = if_nametoindex("out0");
  auto opened = Datapath::open(sandbox.options());
  ASSERT_TRUE(opened) << opened.error().message;
  datapath = std::make_unique<Datapath>(*std::move(opened));
  auto pinned = MapSet::open(sandbox.bpffs_dir() + "/maps", nullptr, true);
  ASSERT_TRUE(pinned && pinned->maps);
  maps = std::make_unique<MapSet>(*std::move(pinned->maps));
  load({.flows = 4096, .embryos = 256});
}

void PacketTest::load(const NorthSizes& sizes) {
  auto loaded = load_north_object(kernel_features(probe_features()), sizes, *maps, nullptr);
  ASSERT_TRUE(loaded) << loaded.error().message;
  north = *std::move(loaded);
  const uint32_t flags = abi::DEVICE_TAKES_FRAMES;
  ASSERT_EQ(bpf_map_update_elem(map_fd(NorthMap::kDevices), &device, &flags, BPF_ANY), 0);
  configure(usual_config());
}

abi::north_config PacketTest::usual_config() {
  abi::north_config config{};
  copy(config.node_v4, *IpAddress::parse(kNode4));
  copy(config.node_v6, *IpAddress::parse(kNode6));
  config.first_port = kFirstPort;
  config.port_count = kPortCount;
  config.syn_ns = 60 * kSecond;
  config.established_ns = 7440 * kSecond;
  config.closing_ns = 60 * kSecond;
  config.reset_ns = 10 * kSecond;
  config.datagram_ns = 30 * kSecond;
  config.answered_ns = 120 * kSecond;
  return config;
}

void PacketTest::configure(const abi::north_config& config) {
  const uint32_t zero = 0;
  ASSERT_EQ(bpf_map_update_elem(map_fd(NorthMap::kConfig), &zero, &config, BPF_ANY), 0);
}

std::shared_ptr<routing::ServicePlan> PacketTest::outside(const std::string& name, const std::string& address,
                                                          uint16_t port, const std::vector<Part>& parts,
                                                          uint8_t protocol) {
  auto service = make_service(name, address, port, parts);
  for (auto& frontend : service->frontends) {
    frontend.source = routing::kOutside;
    frontend.protocol = protocol;
  }
  return service;
}

routing::PlanEndpoint PacketTest::local(const std::string& address, uint16_t port) {
  return {.address = *IpAddress::parse(address), .port = port, .weight = 1, .local = true};
}

routing::PlanEndpoint PacketTest::remote(const std::string& address, uint16_t port) {
  return {.address = *IpAddress::parse(address), .port = port, .weight = 1, .local = false};
}

std::vector<std::shared_ptr<routing::ServicePlan>> PacketTest::near_and_far() {
  return {outside("near", kVip4, 80, {{1, {local("10.0.0.5")}}}),
          outside("far", kVip4, 81, {{1, {remote("192.0.2.9")}}}),
          outside("near6", kVip6, 80, {{1, {local("2001:db8:a::5")}}}),
          outside("far6", kVip6, 81, {{1, {remote("2001:db8::9")}}}),
          outside("dns", kVip4, 53, {{1, {local("10.0.0.6", 5353)}}}, IPPROTO_UDP)};
}

/// As NorthDatapath::expect().
void PacketTest::expect(const routing::PlanFrontend& frontend) {
  auto sieve = Sieve::open(map_fd(NorthMap::kSieve));
  ASSERT_TRUE(sieve) << sieve.error().message;
  sieve->mark(frontend.address, frontend.port, frontend.protocol);
}

void PacketTest::apply(std::vector<std::shared_ptr<routing::ServicePlan>> services) {
  for (const auto& service : services)
    for (const auto& frontend : service->frontends) expect(frontend);
  auto applied = datapath->apply(make_plan(std::move(services), ++generation));
  ASSERT_TRUE(applied) << applied.error().message;
}

int PacketTest::program_fd(Program program) const {
  switch (program) {
    case Program::kXdp:
      return north.xdp.get();
    case Program::kIn:
      return north.tc_in.get();
    case Program::kOut:
      return north.tc_out.get();
  }
  return -1;
}

std::map<std::string, uint64_t> PacketTest::counts() const {
  const uint32_t zero = 0;
  std::vector<abi::packet_counts> per_cpu(static_cast<size_t>(libbpf_num_possible_cpus()));
  std::map<std::string, uint64_t> total;
  EXPECT_EQ(bpf_map_lookup_elem(map_fd(NorthMap::kCounts), &zero, per_cpu.data()), 0);
  for (const auto& one : per_cpu) {
#define ADD_COUNT(name, help) total[#name] += one.name;
    WEIR_PACKET_COUNTS(ADD_COUNT)
#undef ADD_COUNT
  }
  return total;
}

Outcome PacketTest::run(Program program, const Frame& frame, uint32_t repeat) {
  Outcome outcome;
  outcome.frame.resize(frame.size() + 512);
  xdp_md xdp{};
  xdp.data_end = static_cast<uint32_t>(frame.size());
  xdp.ingress_ifindex = device;
  __sk_buff buffer{};
  buffer.ifindex = device;
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(), .data_out = outcome.frame.data(),
              .data_size_in = static_cast<uint32_t>(frame.size()),
              .data_size_out = static_cast<uint32_t>(outcome.frame.size()), .repeat = static_cast<int>(repeat));
  if (program == Program::kXdp) {
    options.ctx_in = &xdp;
    options.ctx_size_in = sizeof(xdp);
  } else {
    options.ctx_in = &buffer;
    options.ctx_size_in = sizeof(buffer);
  }
  auto before = counts();
  const int error = bpf_prog_test_run_opts(program_fd(program), &options);
  EXPECT_EQ(error, 0) << to_text(frame);
  if (error != 0) return outcome;
  outcome.frame.resize(options.data_size_out);
  outcome.verdict = static_cast<int>(options.retval);
  outcome.nanoseconds = options.duration;
  if (repeat != 1) return outcome;
  const auto after = counts();
  uint64_t verdicts = 0;
#define ADD_MOVED(name, help)                                                           \
  if (after.at(#name) != before.at(#name)) {                                            \
    if (std::string_view(#name) != "seen") outcome.counted += std::string(" ") + #name; \
    if (is_final(#name, help)) verdicts += after.at(#name) - before.at(#name);          \
  }
  WEIR_PACKET_COUNTS(ADD_MOVED)
#undef ADD_MOVED
  if (!outcome.counted.empty()) outcome.counted.erase(0, 1);
  EXPECT_EQ(after.at("seen") - before.at("seen"), 1U);
  EXPECT_EQ(verdicts, 1U) << outcome.counted << " for " << to_text(frame);
  EXPECT_EQ(outcome.frame.size(), frame.size());
  const bool carried = outcome.counted.find("local") != std::string::npos ||
                       outcome.counted.find("forwarded") != std::string::npos ||
                       outcome.counted.find("replied") != std::string::npos;
  if (!carried) {
    EXPECT_EQ(outcome.frame, frame) << "changed, but not carried: " << outcome.counted;
  }
  if (wrong_checksum(frame).empty()) {
    EXPECT_EQ(wrong_checksum(outcome.frame), "") << to_text(frame) << "\nbecame " << to_text(outcome.frame);
  }
  return outcome;
}

bool PacketTest::runs(Program program, const Frame& frame) {
  const uint16_t type = get16(frame, 12);
  return program == Program::kXdp || frame.size() >= size_t{14} + (type == 0x0800 ? 20 : type == 0x86dd ? 40 : 0);
}

std::string PacketTest::text_of(Program program, const Frame& frame) {
  const Outcome outcome = run(program, frame);
  const std::string verdict = verdict_text(program, outcome.verdict);
  return verdict == "drop" ? verdict : verdict + ": " + to_text(outcome.frame);
}

size_t PacketTest::entries(NorthMap map) const {
  std::vector<char> keys, values;
  const bool thin = map == NorthMap::kReverse || map == NorthMap::kEmbryoReverse;
  const auto count = read_elements(map_fd(map), "flows", sizeof(abi::flow_key),
                                   thin ? sizeof(abi::flow_key) : sizeof(abi::flow), &keys, &values);
  EXPECT_TRUE(count) << count.error().message;
  return count ? *count : 0;
}

std::vector<std::pair<abi::flow_key, abi::flow>> PacketTest::flows() const {
  const auto all = HashMap<abi::flow_key, abi::flow>(map_fd(NorthMap::kFlows), "flows").read_all();
  EXPECT_TRUE(all);
  return all ? *all : std::vector<std::pair<abi::flow_key, abi::flow>>();
}

void PacketTest::replace_flow(const abi::flow_key& key, const abi::flow& flow) {
  abi::flow looked_at = flow;  // by the next packet, whatever it is
  looked_at.to_endpoint.tick = looked_at.to_client.tick = 0;
  ASSERT_EQ(bpf_map_update_elem(map_fd(NorthMap::kFlows), &key, &looked_at, BPF_EXIST), 0);
}

}  // namespace weir::datapath::test
