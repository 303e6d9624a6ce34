#include "agent/views/stat_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/views/views.h"
#include "routing/build/table_builder.h"
#include "samples.h"
#include "tests/unit/proxy_process/samples.h"

namespace weir::agent {
namespace {

std::shared_ptr<const routing::Table> proxied_table() {
  config::Store store;
  store.set(config::read_yaml(proxy_process::test::sample_yaml(), "app.yaml"));
  return routing::build_table(store);
}

proxy_process::TrafficReport traffic(const std::string& route, const std::string& destination, uint64_t requests,
                                     uint64_t failed = 0) {
  proxy_process::TrafficReport report;
  report.route = route;
  report.destination = destination;
  report.requests = requests;
  report.status_classes[2] = requests - failed;
  report.status_classes[5] = failed;
  report.durations[1000] = requests;
  return report;
}

TEST(DestinationName, IsTakenApart) {
  const auto name = DestinationName::parse("reviews.default.svc.cluster.local:9080/v2");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->host, "reviews.default.svc.cluster.local");
  EXPECT_EQ(name->port, 9080);
  EXPECT_EQ(name->subset, "v2");
  EXPECT_EQ(DestinationName::parse("a:1")->subset, "");
  EXPECT_EQ(DestinationName::parse("fd00::1:80")->host, "fd00::1");
  for (const char* bad : {"", "a", ":1", "a:", "a:b", "a:70000", "passthrough"})
    EXPECT_FALSE(DestinationName::parse(bad)) << bad;
}

TEST(StatView, WithoutAnythingIsEmpty) {
  EXPECT_TRUE(stat_view(nullptr, nullptr, nullptr).empty());
}

TEST(StatView, ShowsConnectionsOfTheKernelsSplits) {
  const auto table = routing::build_table(sample_store());
  const auto list = stat_view(table.get(), nullptr, nullptr);
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0]["unit"], "connections");
  EXPECT_EQ(list[0]["subset"], "v1");
  EXPECT_EQ(list[0]["weight"], 90);
  EXPECT_DOUBLE_EQ(list[0]["intended"], 0.9);
  EXPECT_EQ(list[0]["total"], 0);
  EXPECT_TRUE(list[0]["success"].is_null()) << "the kernel sees no answers";
}

TEST(StatView, ShowsRequestsOfTheProxyByRuleAndVersion) {
  const auto table = proxied_table();
  proxy_process::Report report;
  report.traffic = {traffic("ext.example:80/second", "ext.example:80/v2", 10, 1),
                    traffic("ext.example:80/first", "ext.example:80/v1", 90), traffic("ext.example:80/first", "", 2, 2),
                    traffic("other.example:80/x", "y:80", 5)};
  const auto list = stat_view(table.get(), nullptr, &report);
  ASSERT_EQ(list.size(), 3U) << list.dump(1);
  EXPECT_EQ(list[0]["rule"], "second");
  EXPECT_EQ(list[0]["subset"], "v2");
  EXPECT_EQ(list[0]["total"], 10);
  EXPECT_EQ(list[0]["success"], 9);
  EXPECT_EQ(list[0]["unit"], "requests");
  EXPECT_EQ(list[0]["durations"].size(), 1U);
  EXPECT_EQ(list[1]["rule"], "first");
  EXPECT_EQ(list[1]["host"], "") << "answered by the proxy itself";
  EXPECT_TRUE(list[1]["weight"].is_null());
  EXPECT_EQ(list[2]["subset"], "v1");
  EXPECT_EQ(list[2]["total"], 90);
}

TEST(StatView, AVersionWithoutRequestsIsShown) {
  const auto list = stat_view(proxied_table().get(), nullptr, nullptr);
  ASSERT_EQ(list.size(), 2U);
  for (const auto& row : list) EXPECT_EQ(row["total"], 0);
}

TEST(StatView, AReportThatLiesAboutCountsDoesNoHarm) {
  proxy_process::Report report;
  report.traffic = {traffic("ext.example:80/first", "ext.example:80/v1", 1)};
  report.traffic[0].status_classes[5] = 100;
  const auto list = stat_view(proxied_table().get(), nullptr, &report);
  EXPECT_EQ(list[1]["success"], 0);
}

}  // namespace
}  // namespace weir::agent
