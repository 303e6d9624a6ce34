#include "agent/views/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "routing/build/table_builder.h"
#include "samples.h"

namespace weir::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kHost = "reviews.default.svc.cluster.local";

State state() {
  State state;
  state.table = routing::build_table(sample_store());
  state.generation = 9;
  return state;
}

proxy_process::Report report() {
  proxy_process::Report report;
  proxy_process::TrafficReport traffic;
  traffic.route = std::string(kHost) + ":9080/rule";
  traffic.destination = std::string(kHost) + ":9080/v2";
  traffic.requests = 10;
  traffic.statuses = {{200, 8}, {503, 2}};
  traffic.status_classes = {1, 0, 8, 0, 0, 2};
  traffic.durations = {{800, 4}, {1190, 3}, {4'000'000'000, 3}};
  traffic.duration_sum_us = 12'345;
  report.traffic = {traffic, traffic};
  report.traffic[1].route = std::string(kHost) + ":9080/other";
  return report;
}

TEST(Metrics, AreUnderIstiosNamesWithIstiosLabels) {
  const auto counted = report();
  const std::string text = metrics_text(state(), nullptr, &counted);
  EXPECT_THAT(text, HasSubstr("# TYPE istio_requests_total counter\n"));
  EXPECT_THAT(text, HasSubstr("reporter=\"source\""));
  EXPECT_THAT(text, HasSubstr("destination_service=\"reviews.default.svc.cluster.local\""));
  EXPECT_THAT(text, HasSubstr("destination_service_name=\"reviews\""));
  EXPECT_THAT(text, HasSubstr("destination_service_namespace=\"default\""));
  EXPECT_THAT(text, HasSubstr("destination_workload=\"reviews-v2\""));
  EXPECT_THAT(text, HasSubstr("destination_workload_namespace=\"default\""));
  EXPECT_THAT(text, HasSubstr("destination_version=\"v2\""));
  EXPECT_THAT(text, HasSubstr("response_code=\"200\"} 16\n")) << "both rules: they lead to one destination";
  EXPECT_THAT(text, HasSubstr("response_code=\"503\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("response_code=\"0\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("weir_config_generation 9\n"));
}

TEST(Metrics, HistogramsGrowAndEndWithAll) {
  const auto counted = report();
  const std::string text = metrics_text(state(), nullptr, &counted);
  EXPECT_THAT(text, HasSubstr("le=\"0.5\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("le=\"1\"} 8\n"));
  EXPECT_THAT(text, HasSubstr("le=\"5\"} 14\n"));
  EXPECT_THAT(text, HasSubstr("le=\"3.6e+06\"} 14\n"));
  EXPECT_THAT(text, HasSubstr("le=\"+Inf\"} 20\n"));
  EXPECT_THAT(text, HasSubstr("istio_request_duration_milliseconds_sum{"));
  EXPECT_THAT(text, HasSubstr("} 24.69\n"));
}

TEST(Metrics, EveryLineIsWellFormed) {
  const auto counted = report();
  std::istringstream lines(metrics_text(state(), nullptr, &counted));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# ")) continue;
    EXPECT_EQ(std::count(line.begin(), line.end(), '"') % 2, 0) << line;
    const auto space = line.rfind(' ');
    ASSERT_NE(space, std::string::npos) << line;
    EXPECT_NO_THROW((void)std::stod(line.substr(space + 1))) << line;
  }
}

TEST(Metrics, SeriesAreBounded) {
  proxy_process::Report counted;
  for (int i = 0; i < 1000; ++i) {
    auto traffic = report().traffic[0];
    traffic.destination = "svc" + std::to_string(i) + ".example:80";
    counted.traffic.push_back(traffic);
  }
  const std::string text = metrics_text(state(), nullptr, &counted);
  EXPECT_LE(static_cast<size_t>(std::count(text.begin(), text.end(), '\n')), kMaxSeries + 40);
  EXPECT_THAT(text, Not(HasSubstr("weir_metrics_dropped_series 0\n")));
}

TEST(WorkloadLabels, OfWhatIsNotThereAreUnknown) {
  const auto table = routing::build_table(sample_store());
  EXPECT_EQ(workload_labels(*table, "nowhere", 80, "").workload, "unknown");
  EXPECT_EQ(workload_labels(*table, kHost, 9080, "v9").version, "unknown");
  EXPECT_EQ(workload_labels(*table, kHost, 9080, "").version, "unknown") << "its endpoints do not agree";
  EXPECT_EQ(workload_labels(*table, kHost, 9080, "").app, "reviews");
  EXPECT_EQ(workload_labels(*table, kHost, 9080, "v1").canonical_revision, "v1");
}

}  // namespace
}  // namespace weir::agent
