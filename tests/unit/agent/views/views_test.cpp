#include "agent/views/views.h"

#include <gtest/gtest.h>

#include "routing/build/table_builder.h"
#include "samples.h"

namespace weir::agent {
namespace {

class ViewsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto& split = table_->plan->services.at(0)->splits.at(0);
    datapath::SplitView view;
    view.id = 1;
    view.key = datapath::split_key(split.name);
    uint64_t picked = 90;
    for (const auto& destination : split.destinations) {
      datapath::DestinationView part;
      part.key = datapath::destination_key(destination.host, destination.port, destination.subset);
      part.counts = {picked, picked, picked - 1};
      for (const auto& endpoint : destination.endpoints)
        part.endpoints.push_back({endpoint.address, endpoint.port, 1, part.counts});
      view.destinations.push_back(part);
      view.counts += part.counts;
      picked = 10;
    }
    maps_.splits = {view};
  }
  std::shared_ptr<const routing::Table> table_ = routing::build_table(sample_store());
  datapath::MapsView maps_;
  Observed observed_;
};

TEST_F(ViewsTest, Services) {
  const auto list = services_view(table_.get(), &maps_);
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]["service"], kReviews);
  EXPECT_EQ(list[0]["path"], "kernel");
  EXPECT_EQ(list[0]["addresses"], Json::array({"10.96.0.3"}));
  EXPECT_EQ(list[0]["picked"], 100);
  EXPECT_EQ(list[0]["open"], 2);
  EXPECT_EQ(list[0]["frontends"][0]["port"], 9080);
}

TEST_F(ViewsTest, ServiceWithoutARuleIsLeftAlone) {
  config::Store store;
  store.set(config::read_yaml(kServices, "services.yaml"));
  const auto list = services_view(routing::build_table(store).get(), nullptr);
  EXPECT_EQ(list[0]["path"], "none");
  EXPECT_EQ(list[0]["picked"], 0);
}

TEST_F(ViewsTest, Splits) {
  const auto list = splits_view(table_.get(), &maps_, observed_);
  ASSERT_EQ(list.size(), 1U);
  EXPECT_TRUE(list[0]["in_kernel"].get<bool>());
  EXPECT_EQ(list[0]["rule"]["file"], "rule.yaml");
  const auto& destinations = list[0]["destinations"];
  EXPECT_EQ(destinations[0]["subset"], "v1");
  EXPECT_DOUBLE_EQ(destinations[0]["intended"].get<double>(), 0.9);
  EXPECT_DOUBLE_EQ(destinations[0]["observed"].get<double>(), 0.9);
  EXPECT_EQ(destinations[1]["picked"], 10);
}

TEST_F(ViewsTest, SplitsWithoutCountsHaveNoObservedShare) {
  const auto list = splits_view(table_.get(), nullptr, observed_);
  EXPECT_FALSE(list[0]["in_kernel"].get<bool>());
  EXPECT_TRUE(list[0]["destinations"][0]["observed"].is_null());
}

TEST_F(ViewsTest, Routes) {
  const auto list = routes_view(table_.get());
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]["name"], "reviews");
  EXPECT_EQ(list[0]["match"], "any");
  EXPECT_EQ(list[0]["destinations"][1]["subset"], "v2");
  EXPECT_EQ(list[0]["destinations"][1]["weight"], 10);
  EXPECT_EQ(list[0]["line"], 7);
}

TEST_F(ViewsTest, Endpoints) {
  const auto list = endpoints_view(table_.get(), &maps_);
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0]["address"], "10.1.0.1");
  EXPECT_EQ(list[0]["subsets"], Json::array({"v1"}));
  EXPECT_EQ(list[0]["workload"], "reviews-1");
  EXPECT_EQ(list[0]["picked"], 90);
  EXPECT_TRUE(list[0]["healthy"].get<bool>());
}

TEST_F(ViewsTest, GatewaysAreOpenWhereTheMapsSaySo) {
  routing::Table table = *table_;
  auto plan = std::make_shared<routing::Plan>(*table.plan);
  plan->gateway_ports = {{80, 8080, 0, true, {"default/gw"}}, {31400, 31400, 0, false, {"default/tcp"}}};
  table.plan = plan;
  maps_.proxy.ports = {{.port = 80, .address = {}, .frontend_port = 8080, .unused_since_ns = 0, .gateway = true}};
  const auto list = gateways_view(&table, &maps_);
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0]["open"], true);
  EXPECT_EQ(list[0]["listener"], 8080);
  EXPECT_EQ(list[0]["gateways"], Json::array({"default/gw"}));
  EXPECT_EQ(list[1]["protocol"], "opaque");
  EXPECT_EQ(list[1]["open"], false);
  EXPECT_EQ(gateways_view(&table, nullptr)[0]["open"], false);
}

TEST_F(ViewsTest, NoTableYetIsEmpty) {
  EXPECT_EQ(services_view(nullptr, &maps_), Json::array());
  EXPECT_EQ(routes_view(nullptr), Json::array());
  EXPECT_EQ(splits_view(nullptr, &maps_, observed_), Json::array());
  EXPECT_EQ(endpoints_view(nullptr, &maps_), Json::array());
}

TEST(TimeText, Rfc3339) {
  EXPECT_EQ(to_text(WallClock::time_point(std::chrono::milliseconds(1704067200123))), "2024-01-01T00:00:00.123Z");
}

TEST(OriginJson, NowhereIsNull) {
  EXPECT_TRUE(origin_json({}).is_null());
}

}  // namespace
}  // namespace weir::agent
