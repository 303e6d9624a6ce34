// The same C, compiled twice: what the verifier and the JIT make of bpf/pick.h picks what the C++ build picks, on more
// than a hundred thousand generated cases, sound and garbled.

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <random>

#include "datapath/libbpf_log.h"
#include "datapath/map_image.h"
#include "pick.skel.h"
#include "pick/forks.h"
#include "pick/pick.h"
#include "pick/thresholds.h"

namespace weir::datapath::test {
namespace {

constexpr uint32_t kId = 5;
constexpr size_t kPoints = 1024;
constexpr size_t kEndpoints = 4096;

struct PointCase {
  uint64_t cursor;
  uint64_t picked;
};

struct Destroy {
  void operator()(pick_bpf* skeleton) const { pick_bpf__destroy(skeleton); }
};

class PickDifferentialTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    const LibbpfLog log;
    skeleton.reset(pick_bpf__open_and_load());
    ASSERT_TRUE(skeleton) << log.text();
    random.seed(20240607);
  }

  uint32_t below(uint32_t bound) { return static_cast<uint32_t>(random() % bound); }

  /// A split as map_diff writes them.
  void make_sound() {
    split = {};
    endpoints.assign(kEndpoints, {});
    split.destination_count = 1 + below(below(4) == 0 ? abi::MAX_DESTINATIONS : 4);
    std::vector<uint64_t> weights;
    for (uint32_t i = 0; i < split.destination_count; ++i) weights.push_back(1 + random() % (1ULL << below(40)));
    const auto forks = pick::make_forks(weights);
    std::copy(forks.begin(), forks.end(), split.forks);
    split.start = random();
    split.phase = random();
    uint32_t first = 1;
    for (uint32_t i = 0; i < split.destination_count; ++i) {
      auto& destination = split.destinations[i];
      destination.first = first;
      destination.count = below(10) == 0 ? 0 : 1 + below(below(3) == 0 ? 100 : 4);
      const bool weighted = below(2) == 0;
      destination.flags = weighted ? abi::DESTINATION_WEIGHTED : 0;
      std::vector<uint64_t> shares(destination.count);
      for (auto& share : shares) share = 1 + below(1000);
      const auto inner = shares.empty() ? std::vector<uint32_t>() : pick::thresholds(shares);
      for (uint32_t k = 0; k < destination.count; ++k)
        endpoints[first + k] = {.address = {}, .port = 1, .flags = 0, .counter = 0, .last = inner[k], .split = kId};
      first += destination.count;
    }
  }

  /// What somebody may have written with bpftool.
  void make_garbled() {
    make_sound();
    for (int i = 0; i < 4; ++i) {
      auto& destination = split.destinations[below(abi::MAX_DESTINATIONS)];
      switch (below(8)) {
        case 6:
          split.forks[below(abi::MAX_FORKS)].share = static_cast<uint32_t>(random());
          break;
        case 7:
          split.forks[below(abi::MAX_FORKS)].common = static_cast<uint8_t>(random());
          break;
        case 0:
          split.forks[below(abi::MAX_FORKS)].rare = static_cast<uint8_t>(random());
          break;
        case 1:
          destination.first = static_cast<uint32_t>(random());
          break;
        case 2:
          destination.count = static_cast<uint32_t>(random());
          break;
        case 3:
          destination.flags = static_cast<uint32_t>(random());
          break;
        case 4:
          split.destination_count = static_cast<uint32_t>(random());
          break;
        default:
          endpoints[below(kEndpoints)].last = static_cast<uint32_t>(random());
          break;
      }
    }
  }

  void run_in_kernel(std::vector<PointCase>* cases) {
    const uint32_t zero = 0;
    ASSERT_EQ(bpf_map_update_elem(bpf_map__fd(skeleton->maps.case_split), &zero, &split, BPF_ANY), 0);
    std::vector<uint32_t> keys(kEndpoints);
    for (uint32_t i = 0; i < kEndpoints; ++i) keys[i] = i;
    uint32_t count = kEndpoints;
    ASSERT_EQ(bpf_map_update_batch(bpf_map__fd(skeleton->maps.case_endpoints), keys.data(), endpoints.data(), &count,
                                   nullptr),
              0);
    count = kPoints;
    ASSERT_EQ(
        bpf_map_update_batch(bpf_map__fd(skeleton->maps.case_points), keys.data(), cases->data(), &count, nullptr), 0);
    skeleton->bss->next_case = 0;
    std::vector<char> packet(64);
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet.data(),
                .data_size_in = static_cast<uint32_t>(packet.size()), .repeat = kPoints);
    ASSERT_EQ(bpf_prog_test_run_opts(bpf_program__fd(skeleton->progs.weir_pick_test), &options), 0);
    ASSERT_EQ(skeleton->bss->next_case, kPoints);
    for (uint32_t i = 0; i < kPoints; ++i)
      ASSERT_EQ(bpf_map_lookup_elem(bpf_map__fd(skeleton->maps.case_points), &i, &(*cases)[i]), 0);
  }

  /// Runs one split over many cursors on both sides.
  void compare() {
    std::vector<PointCase> cases(kPoints);
    const uint64_t begin = split.start + (below(2) == 0 ? 0 : random());
    for (size_t i = 0; i < kPoints; ++i)  // a sequence, with others strewn in
      cases[i] = {i % 8 == 0 ? random() : begin + i, 0};
    auto results = cases;
    run_in_kernel(&results);
    for (size_t i = 0; i < kPoints; ++i) {
      const pick::PickResult expected = pick::pick(split, kId, endpoints, cases[i].cursor);
      const uint64_t picked = results[i].picked;
      const bool reachable = picked < kEndpoints && endpoints[picked].split == kId && endpoints[picked].port != 0;
      if (expected.outcome == pick::PickOutcome::kEndpoint)
        ASSERT_EQ(picked, expected.endpoint) << "cursor " << cases[i].cursor;
      else
        ASSERT_FALSE(reachable) << "cursor " << cases[i].cursor << " picked " << picked;
    }
  }

  std::unique_ptr<pick_bpf, Destroy> skeleton;
  std::mt19937_64 random;
  abi::split split{};
  std::vector<abi::endpoint> endpoints;
};

TEST_F(PickDifferentialTest, SoundSplits) {
  for (int i = 0; i < 200; ++i) {
    make_sound();
    compare();
    if (HasFatalFailure()) FAIL() << "split " << i;
  }
}

TEST_F(PickDifferentialTest, GarbledSplits) {
  for (int i = 0; i < 200; ++i) {
    make_garbled();
    compare();
    if (HasFatalFailure()) FAIL() << "split " << i;
  }
}

}  // namespace
}  // namespace weir::datapath::test
