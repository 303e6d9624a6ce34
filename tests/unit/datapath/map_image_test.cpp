#include "datapath/map_image.h"

#include <gtest/gtest.h>

#include "datapath/maps_view.h"
#include "support.h"

namespace weir::datapath {
namespace {

std::shared_ptr<routing::ServicePlan> sample() {
  return service_of("reviews", "10.96.0.1",
                    {destination_of("v1", 90, {endpoint_at("10.0.0.1"), endpoint_at("10.0.0.2")}),
                     destination_of("v2", 10, {endpoint_at("10.0.0.3")})});
}

std::string error_of(const routing::ServicePlan& plan) {
  const auto image = make_service_image(plan);
  return image ? "no error" : image.error().message;
}

TEST(MapImage, Text) {
  auto plan = sample();
  plan->splits[0].fallback = true;
  plan->splits[0].destinations[0].endpoints[1].weight = 3;
  EXPECT_EQ(to_text(*make_service_image(*plan)),
            "service reviews\n"
            "  frontend 10.96.0.1:80/tcp -> reviews\n"
            "  split reviews (fallback)\n"
            "    ..3865470565 v1 10.0.0.1:80(..1073741823) 10.0.0.2:80(..4294967295)\n"
            "    ..4294967295 v2 10.0.0.3:80\n");
}

TEST(MapImage, EqualEndpointsNeedNoSearch) {
  auto plan = sample();
  EXPECT_FALSE(make_service_image(*plan)->splits[0].destinations[0].weighted);
  for (auto& endpoint : plan->splits[0].destinations[0].endpoints) endpoint.weight = 9;
  EXPECT_FALSE(make_service_image(*plan)->splits[0].destinations[0].weighted);
  plan->splits[0].destinations[0].endpoints[0].weight = 1;
  EXPECT_TRUE(make_service_image(*plan)->splits[0].destinations[0].weighted);
}

TEST(MapImage, SourcesAreAnnouncedOnTheEntryForEverybody) {
  auto plan = sample();
  plan->frontends.push_back(plan->frontends[0]);
  plan->frontends[1].source = 4;
  const auto image = *make_service_image(*plan);
  ASSERT_EQ(image.frontends.size(), 2U);
  EXPECT_EQ(image.frontends[0].flags, static_cast<uint32_t>(abi::FRONTEND_HAS_SOURCES));
  EXPECT_EQ(image.frontends[1].flags, 0U);
  EXPECT_EQ(to_text(image.frontends[1].key), "10.96.0.1:80/tcp from source 4");
}

TEST(MapImage, OutsideTrafficIsNoClientOfThisNode) {
  // Its entry is looked up by the packet programs alone: the entry for everybody need not know of it.
  auto plan = sample();
  plan->frontends.push_back(plan->frontends[0]);
  plan->frontends[1].source = routing::kOutside;
  const auto image = *make_service_image(*plan);
  ASSERT_EQ(image.frontends.size(), 2U);
  EXPECT_EQ(image.frontends[0].flags, 0U);
  EXPECT_EQ(image.frontends[1].key.source, routing::kOutside);
  EXPECT_EQ(to_text(image.frontends[1].key), "10.96.0.1:80/tcp from outside");
  plan->frontends.erase(plan->frontends.begin());
  EXPECT_EQ(make_service_image(*plan)->frontends.size(), 1U) << "no marker for clients of the node";
}

TEST(MapImage, RulesForOneClientOnlyLeaveOthersAlone) {
  auto plan = sample();
  plan->frontends[0].source = 4;
  const auto image = *make_service_image(*plan);
  ASSERT_EQ(image.frontends.size(), 2U);
  EXPECT_EQ(image.frontends[1].split, 0U);
  EXPECT_EQ(image.frontends[1].key.source, 0U);
  EXPECT_EQ(image.frontends[1].flags, static_cast<uint32_t>(abi::FRONTEND_HAS_SOURCES));
}

TEST(MapImage, ProxiedFrontends) {
  auto plan = sample();
  plan->frontends[0].proxied = true;
  EXPECT_EQ(error_of(*plan), "service reviews:80: frontend 10.96.0.1:80 has no port of the proxy");
  routing::Plan all;
  all.services = {plan};
  ProxyPorts ports(61000, 10);
  ASSERT_TRUE(ports.reserve(all, 1));
  auto image = *make_service_image(*plan, &ports);
  EXPECT_EQ(image.frontends[0].proxy_port, 61000);
  EXPECT_NE(image.frontends[0].split, 0U);
  EXPECT_NE(to_text(image).find("-> proxy port 61000, without it reviews\n"), std::string::npos) << to_text(image);
  plan->refuse_without_proxy = true;
  image = *make_service_image(*plan, &ports);
  EXPECT_EQ(image.frontends[0].flags, abi::FRONTEND_REFUSE_WITHOUT_PROXY);
  EXPECT_NE(to_text(image).find("without it refused\n"), std::string::npos) << to_text(image);
  plan->frontends[0].split = routing::kNoSplit;
  EXPECT_EQ(make_service_image(*plan, &ports)->frontends[0].split, 0U);
  plan->frontends[0].proxied = false;
  EXPECT_EQ(error_of(*plan), "service reviews:80: frontend 10.96.0.1:80 has no split");
}

TEST(MapImage, IdentitiesDiffer) {
  EXPECT_NE(destination_key("a", 80, "v1"), destination_key("a", 80, "v2"));
  EXPECT_NE(destination_key("a", 80, "v1"), destination_key("a", 81, "v1"));
  EXPECT_NE(destination_key("a", 80, "v1"), destination_key("b", 80, "v1"));
  EXPECT_NE(destination_key("a", 8, "0"), destination_key("a", 80, ""));
  EXPECT_NE(split_key("a"), split_key("b"));
  EXPECT_NE(split_key(""), 0U);
}

TEST(MapImage, PlansThatBreakTheContract) {
  const auto with = [](auto change) {
    auto plan = sample();
    change(*plan);
    return error_of(*plan);
  };
  EXPECT_EQ(with([](auto&) {}), "no error");
  EXPECT_EQ(with([](auto& p) { p.splits[0].destinations.clear(); }),
            "service reviews:80: split reviews has no destination");
  EXPECT_EQ(with([](auto& p) { p.splits[0].destinations[1].weight = 0; }),
            "service reviews:80: split reviews: destination svc.default.svc.cluster.local has weight 0");
  EXPECT_EQ(with([](auto& p) { p.splits[0].destinations.resize(21, p.splits[0].destinations[0]); }),
            "service reviews:80: split reviews has 21 destinations, the kernel takes 20");
  EXPECT_EQ(with([](auto& p) { p.splits[0].destinations[0].endpoints[0].port = 0; }),
            "service reviews:80: split reviews: endpoint 10.0.0.1:0 with weight 1 cannot serve");
  EXPECT_EQ(with([](auto& p) { p.splits[0].destinations[0].endpoints[0].weight = 0; }),
            "service reviews:80: split reviews: endpoint 10.0.0.1:80 with weight 0 cannot serve");
  EXPECT_EQ(with([](auto& p) { p.splits[0].destinations[0].endpoints[0].address = IpAddress(); }),
            "service reviews:80: split reviews: endpoint [::]:80 with weight 1 cannot serve");
  EXPECT_EQ(with([](auto& p) { p.splits[0].destinations[0].endpoints[0] = endpoint_at("fd00::1"); }),
            "service reviews:80: frontend 10.96.0.1:80 and endpoint [fd00::1]:80 are of different address families");
  EXPECT_EQ(with([](auto& p) { p.frontends[0].split = 1; }), "service reviews:80: frontend 10.96.0.1:80 has no split");
}

TEST(MapImage, LimitsThatJustFit) {
  auto plan = sample();
  plan->splits[0].destinations.resize(20, plan->splits[0].destinations[0]);
  EXPECT_EQ(make_service_image(*plan)->splits[0].destinations.size(), 20U);
  plan->splits[0].destinations.resize(1);
  plan->splits[0].destinations[0].endpoints.clear();
  EXPECT_TRUE(make_service_image(*plan)) << "no endpoint is no error: connections are refused";
}

TEST(MapImage, KeysOfFrontends) {
  routing::PlanFrontend frontend;
  frontend.address = *IpAddress::parse("fd00::5");
  frontend.port = 443;
  frontend.protocol = 17;
  EXPECT_EQ(to_text(frontend_key_of(frontend)), "[fd00::5]:443/udp");
  frontend.protocol = 132;
  EXPECT_EQ(to_text(frontend_key_of(frontend)), "[fd00::5]:443/132");
}

}  // namespace
}  // namespace weir::datapath
