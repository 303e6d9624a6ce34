// What a packet costs: ns by BPF_PROG_TEST_RUN over the floor of a program that only puts the frame back, all in one
// run, and what a million flows cost in memory and time. Prints one line each: name, ns over the floor, limit.
//   packet_bench [--quick]    quick: a moment, limits not held. Exit 1: over a limit. 77: cannot run here.

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "bpf/packet/abi.h"
#include "datapath/sieve.h"
#include "packet_bench.skel.h"
#include "packet_builder.h"
#include "pick/pick.h"

namespace weir::datapath::test {
namespace {

constexpr const char* kVip = "203.0.113.10";
constexpr const char* kEndpoint = "192.0.2.9";
constexpr uint32_t kFirstClient = 0x0b000000;  // 11.0.0.0
constexpr uint32_t kManyFlows = 1000000, kFewFlows = 1000;

struct Destroy {
  void operator()(packet_bench_bpf* skeleton) const { packet_bench_bpf__destroy(skeleton); }
};

void put(int map, const void* key, const void* value) {
  if (bpf_map_update_elem(map, key, value, BPF_ANY) != 0) {
    std::perror("write a map");
    std::exit(1);
  }
}

class Bench {
 public:
  /// With tables for this many flows, in a network namespace of its own.
  bool open(uint32_t flows);
  /// Nanoseconds of one run of `program` on `frame`. `again`: for the clients of the run before.
  double run(const bpf_program* program, const Frame& frame, int repeat, bool again = false);
  /// Over the floor: the least of several rounds of each, in turns, for others use the CPUs too.
  double cost(const Frame& frame, int repeat, int rounds);
  /// New connections of the next `count` clients, up to and with the end of their handshakes; ns for each SYN.
  double connect(const Frame& syn, uint32_t count) {
    const double ns = cost(syn, static_cast<int>(count), 1);
    run(skeleton_->progs.bench_establish, syn, static_cast<int>(count), true);
    return ns;
  }
  /// The same, of ever the same clients, whose connections before are over.
  double connect_again(const Frame& syn, uint32_t count, int rounds);
  void clients(uint64_t count, uint64_t stride, uint32_t first = kFirstClient) {
    skeleton_->data->bench_clients = count;
    skeleton_->data->bench_stride = stride;
    skeleton_->bss->bench_first = first;
    skeleton_->bss->bench_turn = 0;
  }
  [[nodiscard]] double megabytes() const;
  [[nodiscard]] uint64_t count_of(size_t offset) const;

 private:
  void fill();
  std::unique_ptr<packet_bench_bpf, Destroy> skeleton_;
  uint32_t device_ = 0;
};

void Bench::fill() {
  const uint32_t zero = 0, id = 1, first = 1;
  abi::north_config config{};
  const auto node = IpAddress::parse("192.0.2.1");
  std::memcpy(config.node_v4, node->bytes().data(), 16);
  config.first_port = 1024;
  config.port_count = 64000;
  config.syn_ns = config.established_ns = config.closing_ns = config.reset_ns = config.datagram_ns =
      config.answered_ns = 3600ULL * 1000000000;
  put(bpf_map__fd(skeleton_->maps.north_config), &zero, &config);
  const uint32_t flags = abi::DEVICE_TAKES_FRAMES;
  put(bpf_map__fd(skeleton_->maps.north_devices), &device_, &flags);
  abi::frontend_key key{};
  std::memcpy(key.address, IpAddress::parse(kVip)->bytes().data(), 16);
  key.port = __builtin_bswap16(80);
  key.protocol = 6;
  key.source = abi::SOURCE_OUTSIDE;
  abi::frontend frontend{};
  frontend.check = pick::frontend_check(key);
  frontend.split = id;
  put(bpf_map__fd(skeleton_->maps.frontends), &key, &frontend);
  auto sieve = Sieve::open(bpf_map__fd(skeleton_->maps.north_sieve));
  if (!sieve) std::exit(1);
  sieve->mark(*IpAddress::parse(kVip), 80, 6);
  abi::split split{};
  split.stamp = 1;
  split.destination_count = 1;
  // As many endpoints as it takes for reserved ports to be found at the first look.
  split.destinations[0].last = 0xffffffff;
  split.destinations[0].first = first;
  split.destinations[0].count = 1000;
  put(bpf_map__fd(skeleton_->maps.splits), &id, &split);
  for (uint32_t i = 0; i < 1000; ++i) {
    abi::endpoint endpoint{};
    std::memcpy(endpoint.address, IpAddress::parse(kEndpoint)->bytes().data(), 16);
    endpoint.port = __builtin_bswap16(static_cast<uint16_t>(8000 + i));
    endpoint.split = id;
    const uint32_t index = first + i;
    put(bpf_map__fd(skeleton_->maps.endpoints), &index, &endpoint);
  }
}

bool Bench::open(uint32_t flows) {
  if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0) return false;
  if (std::system("ip link add out0 address 02:00:00:00:00:02 type veth peer name far0 && ip link set out0 up && "
                  "ip link set far0 up && ip addr add 192.0.2.1/24 dev out0 && sysctl -qw net.ipv4.ip_forward=1 && "
                  "ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev out0") != 0)
    return false;
  device_ = if_nametoindex("out0");
  skeleton_.reset(packet_bench_bpf__open());
  if (!skeleton_) return false;
  bpf_map__set_max_entries(skeleton_->maps.flows, flows);
  bpf_map__set_max_entries(skeleton_->maps.reverse, flows);
  if (packet_bench_bpf__load(skeleton_.get()) != 0) return false;
  fill();
  return true;
}

double Bench::run(const bpf_program* program, const Frame& frame, int repeat, bool again) {
  const uint32_t zero = 0;
  put(bpf_map__fd(skeleton_->maps.bench_frame), &zero, frame.data());
  if (again && skeleton_->data->bench_clients > 1) skeleton_->bss->bench_turn -= static_cast<uint64_t>(repeat);
  xdp_md ctx{};
  ctx.data_end = static_cast<uint32_t>(frame.size());
  ctx.ingress_ifindex = device_;
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(), .data_size_in = ctx.data_end, .ctx_in = &ctx,
              .ctx_size_in = sizeof(ctx), .repeat = repeat);
  if (bpf_prog_test_run_opts(bpf_program__fd(program), &options) != 0) {
    std::perror("run");
    std::exit(1);
  }
  return options.duration;
}

double Bench::cost(const Frame& frame, int repeat, int rounds) {
  double floor = 1e9, whole = 1e9;
  for (int i = 0; i < rounds; ++i) {
    floor = std::min(floor, run(skeleton_->progs.bench_floor, frame, repeat));
    whole = std::min(whole, run(skeleton_->progs.bench_program, frame, repeat, true));
  }
  return whole - floor;
}

double Bench::connect_again(const Frame& syn, uint32_t count, int rounds) {
  double least = 1e9;
  for (int i = 0; i < rounds; ++i) {
    least = std::min(least, cost(syn, static_cast<int>(count), 1));
    run(skeleton_->progs.bench_forget, syn, static_cast<int>(count), true);
  }
  return least;
}

/// Of both tables, as the kernel accounts them.
double Bench::megabytes() const {
  double bytes = 0;
  for (const bpf_map* map : {skeleton_->maps.flows, skeleton_->maps.reverse}) {
    std::ifstream info("/proc/self/fdinfo/" + std::to_string(bpf_map__fd(map)));
    for (std::string word; info >> word;)
      if (word == "memlock:" && info >> word) bytes += std::stod(word);
  }
  return bytes / 1e6;
}

uint64_t Bench::count_of(size_t offset) const {
  const uint32_t zero = 0;
  std::vector<abi::packet_counts> per_cpu(static_cast<size_t>(libbpf_num_possible_cpus()));
  bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.packet_counts), &zero, per_cpu.data());
  uint64_t total = 0;
  for (const auto& one : per_cpu) {
    uint64_t value = 0;
    std::memcpy(&value, reinterpret_cast<const char*>(&one) + offset, sizeof(value));
    total += value;
  }
  return total;
}

bool report(const char* name, double ns, double limit, bool held) {
  const bool over = held && limit > 0 && ns > limit;
  if (limit > 0)
    std::printf("%-28s %7.0f ns  (limit %.0f)%s\n", name, ns, limit, over ? "  OVER" : "");
  else
    std::printf("%-28s %7.0f ns\n", name, ns);
  return !over;
}

Frame frame_of(uint16_t port, bool syn) {
  Packet packet = Packet().ip("11.0.0.1", kVip).tcp(40000, port).payload(20);
  return (syn ? packet.syn() : packet.ack()).build();
}

/// In tables of the usual size. True: no limit is exceeded.
bool measure_few(Bench& bench, bool quick) {
  const int repeat = quick ? 10000 : 200000, rounds = quick ? 1 : 25;
  bench.clients(1, 1);
  bool good = report("no match", bench.cost(frame_of(81, false), repeat, rounds), 45, !quick);
  bench.clients(kFewFlows, 1);
  const double begin = bench.connect_again(frame_of(80, true), kFewFlows, 4 * rounds);
  good &= report("new flow (SYN)", begin, 600, !quick);
  bench.connect(frame_of(80, true), kFewFlows);
  bench.clients(1, 1, kFirstClient + 1);
  good &= report("existing flow", bench.cost(frame_of(80, false), repeat, rounds), 60, !quick);
  bench.clients(kFewFlows, 617);
  report("existing flow of 1,000", bench.cost(frame_of(80, false), repeat, rounds), 0, false);
  return good;
}

/// A million flows, in no order that a cache could guess. True: all were made and carried.
bool measure_many(Bench& bench, bool quick) {
  const uint32_t many = quick ? 20000 : kManyFlows;
  bench.clients(many, 1);
  report("new flow, never used memory", bench.connect(frame_of(80, true), many), 0, false);
  bench.clients(many, 617363);
  const double hit = bench.cost(frame_of(80, false), static_cast<int>(many), 3);
  report(quick ? "existing flow of 20,000" : "existing flow of 1,000,000", hit, 0, false);
  std::printf("tables of %u flows: %.0f MB\n", kManyFlows * 5 / 4, bench.megabytes());
  const uint64_t made = bench.count_of(offsetof(abi::packet_counts, flow_new));
  const uint64_t sent = bench.count_of(offsetof(abi::packet_counts, forwarded));
  std::printf("flows made: %llu, packets carried: %llu\n", static_cast<unsigned long long>(made),
              static_cast<unsigned long long>(sent));
  if (made >= many && sent >= made) return true;
  std::printf("that is less than was asked for: the figures mean nothing\n");
  return false;
}

int run(bool quick) {
  Bench few, many;
  if (!few.open(abi::DEFAULT_FLOWS)) {
    std::fprintf(stderr, "needs root, the command ip and a kernel that takes the programs\n");
    return 77;
  }
  const bool good = measure_few(few, quick);
  return many.open(kManyFlows * 5 / 4) && measure_many(many, quick) && good ? 0 : 1;
}

}  // namespace
}  // namespace weir::datapath::test

int main(int count, char** arguments) {
  return weir::datapath::test::run(count > 1 && std::strcmp(arguments[1], "--quick") == 0);
}
