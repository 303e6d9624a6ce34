// Exactness of real connections, and what holds while splits are being replaced.

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>

#include "fixture.h"
#include "pick/pick.h"

namespace weir::datapath::test {
namespace {

constexpr const char* kVip = "127.9.0.1";

class SplitTest : public LiveTest {
 protected:
  std::vector<Part> parts(const std::vector<uint64_t>& weights) {
    while (endpoints_.size() < weights.size())
      endpoints_.push_back(servers.start(static_cast<char>('a' + endpoints_.size())));
    std::vector<Part> result;
    for (size_t i = 0; i < weights.size(); ++i) result.push_back({weights[i], {endpoints_[i]}});
    return result;
  }
  std::vector<routing::PlanEndpoint> endpoints_;
};

void expect_shares(const std::map<char, int>& counts, const std::vector<uint64_t>& weights, int total) {
  uint64_t sum = 0;
  for (const uint64_t weight : weights) sum += weight;
  for (size_t i = 0; i < weights.size(); ++i) {
    const auto found = counts.find(static_cast<char>('a' + i));
    const int got = found == counts.end() ? 0 : found->second;
    if (weights[i] == 0)
      EXPECT_EQ(got, 0) << "weight 0 is never";
    else
      EXPECT_NEAR(got, static_cast<double>(total) * static_cast<double>(weights[i]) / static_cast<double>(sum), 2);
  }
}

TEST_F(SplitTest, RealConnectionsAreNeverMoreThanTwoOff) {
  for (const auto& weights : std::vector<std::vector<uint64_t>>{{90, 10}, {99, 1}, {75, 25}, {33, 33, 34}, {1, 0}}) {
    auto datapath = start(make_plan({make_service("a", kVip, 80, parts(weights))}));
    for (const int total : {10, 100, 1000}) expect_shares(ask_often(kVip, 80, total), weights, total);
  }
}

TEST_F(SplitTest, ThreadsShareOneSequence) {
  const std::vector<uint64_t> weights{90, 10};
  auto datapath = start(make_plan({make_service("a", kVip, 80, parts(weights))}));
  std::vector<std::thread> threads;
  std::atomic<int> first = 0, second = 0;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      auto counts = ask_often(kVip, 80, 250);
      first += counts['a'];
      second += counts['b'];
    });
  for (auto& thread : threads) thread.join();
  EXPECT_NEAR(first, 1800, 2);
  EXPECT_NEAR(second, 200, 2);
}

TEST_F(SplitTest, EndpointsOfADestinationShareEvenly) {
  auto service = make_service(
      "a", kVip, 80, {{90, {servers.start('a'), servers.start('b'), servers.start('c')}}, {10, {servers.start('d')}}});
  auto datapath = start(make_plan({service}));
  const auto counts = ask_often(kVip, 80, 1000);
  for (const char name : {'a', 'b', 'c'}) EXPECT_NEAR(counts.at(name), 300, 2);
  EXPECT_NEAR(counts.at('d'), 100, 2);
}

TEST_F(SplitTest, AChangeOfWeightsKeepsTheCursor) {
  auto datapath = start(make_plan({make_service("a", kVip, 80, parts({90, 10}))}));
  ask_often(kVip, 80, 7);
  EXPECT_EQ(split_of(datapath, "a")->cursor, 7U);
  auto report = datapath.apply(make_plan({make_service("a", kVip, 80, parts({50, 50}))}, 2));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->operations, 1U) << "one element replaced";
  EXPECT_EQ(split_of(datapath, "a")->cursor, 7U);
  EXPECT_EQ(split_of(datapath, "a")->start, 7U);
  EXPECT_EQ(split_of(datapath, "a")->generation, 2U);
  expect_shares(ask_often(kVip, 80, 100), {50, 50}, 100);
  EXPECT_EQ(split_of(datapath, "a")->counts.picked, 107U) << "counters go on";
}

TEST_F(SplitTest, StepsOfARampAreExactFromTheFirstConnectionOn) {
  auto datapath = start(make_plan({make_service("a", kVip, 80, parts({100, 0}))}));
  for (uint64_t canary = 1; canary <= 99; canary += 7) {
    ASSERT_TRUE(datapath.apply(make_plan({make_service("a", kVip, 80, parts({100 - canary, canary}))}, canary + 1)));
    for (int n = 1, got = 0; n <= 60; ++n) {
      got += ask(kVip, 80) == 'b' ? 1 : 0;
      ASSERT_LE(std::abs(got - n * static_cast<double>(canary) / 100), 1.001) << canary << " % after " << n;
    }
  }
}

TEST_F(SplitTest, TheSameOrderAsUserSpacePicks) {
  auto datapath = start(make_plan({make_service("a", kVip, 80, parts({33, 33, 34}))}));
  const FileDescriptor splits(bpf_obj_get((sandbox.bpffs_dir() + "/maps/splits").c_str()));
  const FileDescriptor endpoints(bpf_obj_get((sandbox.bpffs_dir() + "/maps/endpoints").c_str()));
  const uint32_t id = split_of(datapath, "a")->id;
  abi::split split{};
  ASSERT_EQ(bpf_map_lookup_elem(splits.get(), &id, &split), 0);
  std::vector<abi::endpoint> all(8);
  for (uint32_t i = 0; i < all.size(); ++i) ASSERT_EQ(bpf_map_lookup_elem(endpoints.get(), &i, &all[i]), 0);
  for (int i = 0; i < 100; ++i) {
    const auto expected = pick::pick(split, id, all, split_of(datapath, "a")->cursor);
    ASSERT_EQ(expected.outcome, pick::PickOutcome::kEndpoint);
    const char answered = ask(kVip, 80);
    ASSERT_GE(answered, 'a');
    EXPECT_EQ(ntohs(all[expected.endpoint].port), endpoints_[static_cast<size_t>(answered - 'a')].port);
  }
}

TEST_F(SplitTest, NodesAndSplitsHaveAnOrderOfTheirOwn) {
  Options other = sandbox.options();
  uint64_t first = 0, second = 0;
  {
    auto datapath =
        start(make_plan({make_service("a", kVip, 80, parts({1})), make_service("b", "127.9.0.2", 80, parts({1}))}));
    first = split_of(datapath, "a")->phase;
    second = split_of(datapath, "b")->phase;
  }
  ASSERT_TRUE(uninstall(sandbox.bpffs_dir()));
  other.node = "another-node";
  auto datapath = start(make_plan({make_service("a", kVip, 80, parts({1}))}), other);
  EXPECT_NE(first, second);
  EXPECT_NE(first, split_of(datapath, "a")->phase);
}

/// Connects to `address` for as long as `go` holds; counts answers by letter.
struct Hammer {
  Hammer(const char* address, const std::atomic<bool>& go)
      : thread([this, address, &go] {
          while (go) ++counts[ask(address, 80)];
        }) {}
  std::map<char, int> counts;
  std::thread thread;
};

// The kernel reuses a replaced element at once, also under the eyes of a program that is reading it: no connection may
// ever reach an endpoint of another service, nor one of weight 0.
TEST_F(SplitTest, ReplacedTenThousandTimesUnderLoadNeverAWrongEndpoint) {
  const auto a = servers.start('a'), b = servers.start('b'), c = servers.start('c'), d = servers.start('d');
  const auto never = servers.start('!');
  const auto first = [&](uint64_t weight) {
    return make_service("first", kVip, 80, {{weight, {a}}, {100, {b}}, {0, {never}}});
  };
  const auto second = [&](uint64_t weight) {
    return make_service("second", "127.9.0.2", 80, {{100, {c}}, {weight, {d, d}}});
  };
  auto datapath = start(make_plan({first(1), second(1)}));
  std::atomic<bool> go = true;
  Hammer one(kVip, go), two("127.9.0.2", go);
  for (uint64_t i = 0; i < 10000; ++i) {
    // Every change moves both splits, every eighth their endpoints as well.
    auto left = first(i % 90 + 1), right = second(i % 70 + 1);
    if (i % 8 == 0) left->splits[0].destinations[0].endpoints.push_back(b);
    ASSERT_TRUE(datapath.apply(make_plan({left, right}, i + 2)));
  }
  go = false;
  one.thread.join();
  two.thread.join();
  for (const auto& [name, count] : one.counts) EXPECT_TRUE(name == 'a' || name == 'b') << name << " " << count;
  for (const auto& [name, count] : two.counts) EXPECT_TRUE(name == 'c' || name == 'd') << name << " " << count;
  EXPECT_EQ(verdict(datapath, "bad_value"), 0U);
  EXPECT_EQ(verdict(datapath, "split_missing"), 0U);
  EXPECT_EQ(verdict(datapath, "no_endpoint"), 0U);
}

TEST_F(SplitTest, ServicesThatComeAndGoUnderLoadNeverSendAClientElsewhere) {
  const auto a = servers.start('a'), b = servers.start('b');
  const auto stays = make_service("stays", kVip, 80, {{1, {a}}});
  auto datapath = start(make_plan({stays}));
  std::atomic<bool> go = true;
  Hammer one(kVip, go);
  for (uint64_t i = 0; i < 3000; ++i) {
    const std::string vip = "127.9.1." + std::to_string(i % 200 + 1);
    auto plan = make_plan({make_service("comes" + std::to_string(i % 50), vip, 80, {{1, {b, b, b}}})}, i + 2);
    plan.services.push_back(stays);
    ASSERT_TRUE(datapath.apply(plan));
  }
  go = false;
  one.thread.join();
  ASSERT_EQ(one.counts.size(), 1U);
  EXPECT_GT(one.counts['a'], 0);
}

TEST_F(SplitTest, SourcesComeFirst) {
  uint64_t cookie = 0;
  socklen_t length = sizeof(cookie);
  const FileDescriptor probe(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (getsockopt(probe.get(), SOL_SOCKET, 71 /* SO_NETNS_COOKIE */, &cookie, &length) != 0)
    GTEST_SKIP() << "no netns cookies";
  auto service = make_service("a", kVip, 80, {{1, {servers.start('a')}}});
  auto special = make_service("s", kVip, 80, {{1, {servers.start('s')}}});
  service->splits.push_back(special->splits[0]);
  auto frontend = service->frontends[0];
  frontend.source = 7;
  frontend.split = 1;
  service->frontends.push_back(frontend);
  auto datapath = start(make_plan({service}));
  EXPECT_EQ(ask(kVip, 80), 'a');
  ASSERT_TRUE(datapath.set_sources(std::vector<SourceEntry>{{cookie, 7}}));
  EXPECT_EQ(ask(kVip, 80), 's');
  ASSERT_TRUE(datapath.set_sources(std::vector<SourceEntry>{{cookie, 8}}));
  EXPECT_EQ(ask(kVip, 80), 'a') << "no rule for this source";
  EXPECT_EQ(datapath.read()->sources.size(), 1U);
  ASSERT_TRUE(datapath.set_sources({}));
  EXPECT_EQ(ask(kVip, 80), 'a');
  // Rules for one client alone leave everybody else alone.
  service->frontends.erase(service->frontends.begin());
  ASSERT_TRUE(datapath.apply(make_plan({std::make_shared<routing::ServicePlan>(*service)}, 2)));
  EXPECT_EQ(connect_to(kVip, 80).error, ECONNREFUSED);
  ASSERT_TRUE(datapath.set_sources(std::vector<SourceEntry>{{cookie, 7}}));
  EXPECT_EQ(ask(kVip, 80), 's');
}

TEST_F(SplitTest, MoreSourcesThanRoomIsAnError) {
  auto datapath = start(make_plan({}));
  std::vector<SourceEntry> many;
  for (uint64_t i = 1; i <= 65; ++i) many.push_back({i, 1});
  const auto set = datapath.set_sources(many);
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().message, "sources: the map is full: 65 entries needed, it has 64");
  EXPECT_TRUE(datapath.read()->sources.empty());
}

}  // namespace
}  // namespace weir::datapath::test
