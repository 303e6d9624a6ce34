#include "proxy/stats_json.h"

#include <gtest/gtest.h>

namespace weir::proxy {
namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

TEST(StatsJson, NothingCountedIsStillADocument) {
  StatsRegistry registry(2);
  EXPECT_EQ(stats_json(registry, {}), R"({"routes":[],"endpoints":[],"loops":[]})");
}

TEST(StatsJson, SumsOverLoops) {
  StatsRegistry registry(2);
  const auto traffic = registry.traffic("web:80/a\"b", "web:80/v1");
  for (size_t loop = 0; loop < 2; ++loop) {
    TrafficStats& stats = traffic->of_loop(loop);
    stats.requests.add(loop + 1);
    stats.status_classes[2].add();
    stats.flags[kTimeoutNumber].add();
    stats.durations.add(std::chrono::microseconds(100));
  }
  registry.endpoint("web:80/v1", "10.0.0.1:80")->of_loop(1).ejections.add();
  LoopStats loop;
  loop.connections.add(7);
  const LoopStats* loops[] = {&loop};
  const std::string text = stats_json(registry, loops);
  for (
      const char* part :
      {R"("route":"web:80/a\"b","destination":"web:80/v1","requests":3,)", R"("codes":{"2xx":2})",
       R"("flags":{"UT":2})", R"("duration_us":{"sum":200,"p50":111,"p95":111,"p99":111,"buckets":[[111,2]]})",
       R"({"destination":"web:80/v1","address":"10.0.0.1:80","requests":0,"connections":0,"connect_failures":0,"resets":0,"ejections":1,"codes":{}})",
       R"("loops":[{"connections":7,"connections_open":0,)", R"("dropped_log_lines":0}]})"})
    EXPECT_TRUE(contains(text, part)) << part << "\n" << text;
}

TEST(StatsJson, Percentiles) {
  BucketCounts counts{};
  EXPECT_EQ(percentile(counts, 0.5).count(), 0);
  counts[10] = 90;
  counts[20] = 9;
  counts[30] = 1;
  EXPECT_EQ(percentile(counts, 0.5), Histogram::upper(10));
  EXPECT_EQ(percentile(counts, 0.90), Histogram::upper(10));
  EXPECT_EQ(percentile(counts, 0.95), Histogram::upper(20));
  EXPECT_EQ(percentile(counts, 0.99), Histogram::upper(20));
  EXPECT_EQ(percentile(counts, 1.0), Histogram::upper(30));
  EXPECT_EQ(percentile(counts, 0), Histogram::upper(10));
}

TEST(StatsJson, WhatCannotStandInAStringIsEscaped) {
  StatsRegistry registry(1);
  registry.traffic(std::string("a\\b\n\x01", 5), "");
  EXPECT_TRUE(contains(stats_json(registry, {}), R"("route":"a\\b\u000a\u0001")"));
}

}  // namespace
}  // namespace weir::proxy
