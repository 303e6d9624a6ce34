#include "proxy_process/stats_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/flags.h"

namespace weir::proxy_process {
namespace {

using ::testing::HasSubstr;

class StatsReport : public ::testing::Test {
 protected:
  StatsReport() {
    traffic_ = registry_.traffic("app:80/first", "app:80/v1");
    endpoint_ = registry_.endpoint("app:80/v1", "10.0.0.1:8080");
    for (size_t loop = 0; loop < 2; ++loop) {
      auto& stats = traffic_->of_loop(loop);
      stats.requests.add(10);
      stats.status_classes[2].add(9);
      stats.status_classes[5].add(1);
      for (int i = 0; i < 9; ++i) stats.statuses.add(200);
      stats.statuses.add(503);
      stats.flags[proxy::kConnectFailureNumber].add(1);
      stats.durations.add(std::chrono::milliseconds(5));
      endpoint_->of_loop(loop).connections.add(3);
      loops_[loop].requests.add(10);
    }
  }
  Json report() {
    return make_report({.generation = 7, .uptime_ms = 99, .lost_log_lines = 1, .loops = {&loops_[0], &loops_[1]}},
                       registry_);
  }

  proxy::StatsRegistry registry_{2};
  proxy::SharedTrafficStats traffic_;
  proxy::SharedEndpointStats endpoint_;
  std::array<proxy::LoopStats, 2> loops_;
};

TEST_F(StatsReport, SumsTheLoopsAndComesBackAsItWasWritten) {
  const auto read = report_from_json(report());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->generation, 7U);
  EXPECT_EQ(read->totals.at("requests"), 20U);
  ASSERT_EQ(read->traffic.size(), 1U);
  const auto& traffic = read->traffic[0];
  EXPECT_EQ(traffic.route, "app:80/first");
  EXPECT_EQ(traffic.destination, "app:80/v1");
  EXPECT_EQ(traffic.requests, 20U);
  EXPECT_EQ(traffic.status_classes[2], 18U);
  EXPECT_EQ(traffic.statuses, (std::map<uint16_t, uint64_t>{{200, 18}, {503, 2}}));
  EXPECT_EQ(traffic.flags, (std::map<std::string, uint64_t>{{"UF", 2}}));
  EXPECT_EQ(traffic.duration_sum_us, 10'000U);
  ASSERT_EQ(traffic.durations.size(), 1U);
  EXPECT_GE(traffic.durations.begin()->first, 5000U);
  EXPECT_LE(traffic.durations.begin()->first, 6000U);
  ASSERT_EQ(read->endpoints.size(), 1U);
  EXPECT_EQ(read->endpoints[0].connections, 6U);
}

TEST_F(StatsReport, FromAProxyThatLiesIsRefused) {
  const auto fault = [this](const auto& change) {
    Json json = report();
    change(json);
    const auto read = report_from_json(json);
    return read ? "" : read.error().message;
  };
  EXPECT_THAT(fault([](Json& j) { j.erase("generation"); }), HasSubstr("generation"));
  EXPECT_THAT(fault([](Json& j) { j["totals"] = 7; }), HasSubstr("totals"));
  EXPECT_THAT(fault([](Json& j) { j["totals"]["requests"] = "many"; }), HasSubstr("requests"));
  EXPECT_THAT(fault([](Json& j) { j["traffic"] = Json::object(); }), HasSubstr("traffic"));
  EXPECT_THAT(fault([](Json& j) { j["traffic"][0] = 7; }), HasSubstr("not an object"));
  EXPECT_THAT(fault([](Json& j) { j["traffic"][0]["route"] = std::string(10'000, 'x'); }), HasSubstr("longer"));
  EXPECT_THAT(fault([](Json& j) { j["traffic"][0]["requests"] = -1; }), HasSubstr("requests"));
  EXPECT_THAT(fault([](Json& j) { j["traffic"][0]["statuses"] = {{"2x0", 1}}; }), HasSubstr("statuses"));
  EXPECT_THAT(fault([](Json& j) { j["traffic"][0]["statuses"] = {{"200", "1"}}; }), HasSubstr("statuses"));
  EXPECT_THAT(fault([](Json& j) { j["traffic"][0]["flags"]["UF"] = "x"; }), HasSubstr("flags"));
  EXPECT_THAT(fault([](Json& j) { j["traffic"][0]["status_classes"] = {1, 2, 3, 4, 5, 6, 7}; }), HasSubstr("too many"));
  EXPECT_THAT(fault([](Json& j) {
                j["traffic"][0]["durations"] = {{{"upto_us", "x"}, {"count", 1}}};
              }),
              HasSubstr("durations"));
  EXPECT_THAT(fault([](Json& j) { j["endpoints"][0].erase("address"); }), HasSubstr("address"));
}

TEST_F(StatsReport, FlagsThatAreUnknownBecomeNoLabels) {
  Json json = report();
  json["traffic"][0]["flags"]["{evil=\"1\"}"] = 1;
  const auto read = report_from_json(json);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->traffic[0].flags.size(), 1U);
}

}  // namespace
}  // namespace weir::proxy_process
