#include "cli/rates.h"

#include <gtest/gtest.h>

namespace weir::cli {
namespace {

Json row(const char* subset, uint64_t total, uint64_t success, Json durations = Json::array()) {
  return {{"service", "reviews"}, {"namespace", "default"}, {"port", 9080},          {"path", "proxy"},
          {"rule", "r"},          {"host", "reviews"},      {"subset", subset},      {"unit", "requests"},
          {"total", total},       {"success", success},     {"durations", durations}};
}

Json bucket(uint64_t upto_us, uint64_t count) {
  return {{"upto_us", upto_us}, {"count", count}};
}

TEST(Percentile, IsTheUpperEndOfItsBucket) {
  const Json durations = {bucket(1000, 50), bucket(2000, 45), bucket(9000, 5)};
  EXPECT_DOUBLE_EQ(*percentile_ms(durations, 0.5), 1.0);
  EXPECT_DOUBLE_EQ(*percentile_ms(durations, 0.51), 2.0);
  EXPECT_DOUBLE_EQ(*percentile_ms(durations, 0.95), 2.0);
  EXPECT_DOUBLE_EQ(*percentile_ms(durations, 0.99), 9.0);
  EXPECT_DOUBLE_EQ(*percentile_ms(durations, 1), 9.0);
  EXPECT_FALSE(percentile_ms(Json::array(), 0.5));
}

TEST(Rates, AreOfWhatCameInBetween) {
  const Json before = {row("v1", 100, 100, Json::array({bucket(1000, 100)})), row("v2", 10, 10)};
  const Json now = {row("v1", 190, 181, {bucket(1000, 100), bucket(4000, 90)}), row("v2", 20, 20)};
  const Json rates = add_rates(before, now, 2);
  EXPECT_DOUBLE_EQ(rates[0]["rate"], 45);
  EXPECT_DOUBLE_EQ(rates[0]["success_rate"], 0.9);
  EXPECT_DOUBLE_EQ(rates[0]["p50_ms"], 4.0) << "the old ones do not count";
  EXPECT_DOUBLE_EQ(rates[0]["share"], 0.9);
  EXPECT_DOUBLE_EQ(rates[1]["share"], 0.1);
  EXPECT_TRUE(rates[1]["p50_ms"].is_null());
}

TEST(Rates, WithoutTrafficAreNothing) {
  const Json rates = add_rates(Json::array({row("v1", 5, 5)}), Json::array({row("v1", 5, 5)}), 1);
  EXPECT_DOUBLE_EQ(rates[0]["rate"], 0);
  EXPECT_TRUE(rates[0]["success_rate"].is_null());
  EXPECT_TRUE(rates[0]["share"].is_null());
}

TEST(Rates, CountersThatBeganAnewAreNotNegative) {
  const Json before = Json::array({row("v1", 1000, 1000, Json::array({bucket(1000, 1000)}))});
  const Json now = Json::array({row("v1", 10, 9, Json::array({bucket(2000, 10)}))});
  const Json rates = add_rates(before, now, 1);
  EXPECT_DOUBLE_EQ(rates[0]["rate"], 10) << "the proxy was restarted";
  EXPECT_DOUBLE_EQ(rates[0]["success_rate"], 0.9);
  EXPECT_DOUBLE_EQ(rates[0]["p50_ms"], 2.0);
}

TEST(Rates, ANewVersionCountsFromNothing) {
  const Json rates = add_rates(Json::array(), Json::array({row("v1", 10, 10)}), 1);
  EXPECT_DOUBLE_EQ(rates[0]["rate"], 10);
}

TEST(Rates, ConnectionsHaveNoSuccess) {
  Json connections = row("v1", 10, 0);
  connections["unit"] = "connections";
  connections["success"] = nullptr;
  const Json rates = add_rates(Json::array(), Json::array({connections}), 1);
  EXPECT_FALSE(rates[0].contains("success_rate"));
}

}  // namespace
}  // namespace weir::cli
