// Ten thousand services: what the first write and one change do. Prints the times; the benchmark holds them against its
// limits.

#include <algorithm>
#include <chrono>
#include <ctime>

#include "fixture.h"

namespace weir::datapath::test {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// CPU time of this thread: what a loaded machine leaves as it is.
double cpu_milliseconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

std::shared_ptr<routing::ServicePlan> numbered_service(int number, uint64_t weight) {
  std::vector<Part> parts(2);
  for (int i = 0; i < 10; ++i) {
    const std::string address =
        "10." + std::to_string(number / 250) + "." + std::to_string(number % 250) + "." + std::to_string(i + 1);
    parts[i % 2].endpoints.push_back({*IpAddress::parse(address), 8080, 1});
  }
  parts[0].weight = weight;
  parts[1].weight = 100 - weight;
  const std::string vip = "10.100." + std::to_string(number / 250) + "." + std::to_string(number % 250 + 1);
  return make_service("default/service-" + std::to_string(number) + ":80", vip, 80, parts);
}

TEST_F(LiveTest, TenThousandServices) {
  Options options = sandbox.options();
  options.sizes = {};
  auto datapath = Datapath::open(options);
  ASSERT_TRUE(datapath) << datapath.error().message;
  std::vector<std::shared_ptr<routing::ServicePlan>> services;
  for (int i = 0; i < 10000; ++i) services.push_back(numbered_service(i, 90));
  auto plan = make_plan(services);
  auto begin = Clock::now();
  double cpu = cpu_milliseconds();
  auto applied = datapath->apply(plan);
  const double first_write = milliseconds_since(begin), first_cpu = cpu_milliseconds() - cpu;
  ASSERT_TRUE(applied) << applied.error().message;
  EXPECT_EQ(applied->endpoints, 100000U);
  std::vector<double> changes;
  for (int i = 0; i < 200; ++i) {
    plan.generation++;
    plan.services[(i * 37) % 10000] = numbered_service((i * 37) % 10000, 1 + i % 80);
    begin = Clock::now();
    const auto changed = datapath->apply(plan);
    changes.push_back(milliseconds_since(begin));
    ASSERT_TRUE(changed);
    ASSERT_EQ(changed->operations, 1U);
  }
  std::sort(changes.begin(), changes.end());
  begin = Clock::now();
  EXPECT_TRUE(datapath->reconcile()->drift.empty());
  const double reconcile = milliseconds_since(begin);
  begin = Clock::now();
  ASSERT_TRUE(datapath->read());
  const double read = milliseconds_since(begin);
  datapath = Error{"closed"};
  datapath = Datapath::open(options);
  ASSERT_TRUE(datapath);
  begin = Clock::now();
  applied = datapath->apply(plan);
  const double adopt = milliseconds_since(begin);
  ASSERT_TRUE(applied);
  EXPECT_EQ(applied->operations, 0U);
  std::printf(
      "first write %.1f ms (%.1f of CPU); a weight change p50 %.3f p99 %.3f ms; reconcile %.1f ms; read %.1f ms; adopt "
      "%.1f ms\n",
      first_write, first_cpu, changes[100], changes[197], reconcile, read, adopt);
}

}  // namespace
}  // namespace weir::datapath::test
