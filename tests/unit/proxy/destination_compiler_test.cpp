#include "proxy/destination_compiler.h"

#include <gtest/gtest.h>

namespace weir::proxy {
namespace {

using std::chrono::seconds;

TEST(DestinationCompiler, WithoutAPolicyThereAreNoLimits) {
  const PoolLimits limits = pool_limits(nullptr);
  EXPECT_EQ(limits.max_connections, PoolLimits::kNone);
  EXPECT_EQ(limits.max_pending, PoolLimits::kNone);
  EXPECT_EQ(limits.max_requests, PoolLimits::kNone);
  EXPECT_EQ(limits.max_retries, PoolLimits::kNone);
  EXPECT_FALSE(outlier_rules(nullptr).enabled);
}

TEST(DestinationCompiler, LimitsAreTakenOver) {
  config::ConnectionPool written;
  written.max_connections = 1;
  written.http1_max_pending_requests = 2;
  written.http2_max_requests = 3;
  written.max_retries = 4;
  written.max_requests_per_connection = 5;
  written.connect_timeout = seconds(6);
  written.http_idle_timeout = seconds(7);
  written.tcp_idle_timeout = seconds(8);
  written.max_connection_duration = seconds(9);
  const PoolLimits limits = pool_limits(&written);
  EXPECT_EQ(limits.max_connections, 1U);
  EXPECT_EQ(limits.max_pending, 2U);
  EXPECT_EQ(limits.max_requests, 3U);
  EXPECT_EQ(limits.max_retries, 4U);
  EXPECT_EQ(limits.max_requests_a_connection, 5U);
  EXPECT_EQ(limits.connect_timeout, seconds(6));
  EXPECT_EQ(limits.idle_timeout, seconds(7));
  EXPECT_EQ(limits.tunnel_idle_timeout, seconds(8));
  EXPECT_EQ(limits.max_connection_age, seconds(9));
  EXPECT_FALSE(limits.keepalive);
  written.tcp_keepalive.emplace();
  written.tcp_keepalive->time = seconds(7200);
  written.tcp_keepalive->interval = std::chrono::hours(100);
  const auto keepalive = pool_limits(&written).keepalive;
  ASSERT_TRUE(keepalive);
  EXPECT_EQ(keepalive->time_s, 7200);
  EXPECT_EQ(keepalive->interval_s, 32767) << "as far as the kernel goes";
  EXPECT_EQ(keepalive->probes, 0) << "the kernel's own";
}

TEST(DestinationCompiler, ZeroIsNoLimitAndNoTimeout) {
  config::ConnectionPool written;
  written.max_connections = written.http1_max_pending_requests = written.http2_max_requests = written.max_retries = 0;
  written.http_idle_timeout = seconds(0);
  const PoolLimits limits = pool_limits(&written);
  EXPECT_EQ(limits.max_connections, PoolLimits::kNone);
  EXPECT_EQ(limits.max_retries, PoolLimits::kNone);
  EXPECT_GT(limits.idle_timeout, std::chrono::hours(1000));
}

TEST(DestinationCompiler, OutlierDetectionsDefaultsAreIstios) {
  config::OutlierDetection written;
  OutlierRules rules = outlier_rules(&written);
  EXPECT_TRUE(rules.enabled);
  EXPECT_EQ(rules.consecutive_5xx, 5U);
  EXPECT_EQ(rules.consecutive_gateway, 0U);
  EXPECT_EQ(rules.consecutive_local, 0U);
  EXPECT_EQ(rules.interval, seconds(10));
  EXPECT_EQ(rules.base_ejection, seconds(30));
  EXPECT_EQ(rules.max_ejection_percent, 10U);
  EXPECT_EQ(rules.min_health_percent, 0U);
  written.split_external_local_origin_errors = true;
  EXPECT_EQ(outlier_rules(&written).consecutive_local, 5U);
  written.consecutive_5xx_errors = 0;
  EXPECT_EQ(outlier_rules(&written).consecutive_5xx, 0U) << "off";
}

TEST(DestinationCompiler, OnlyHealthyEndpointsHaveAShare) {
  routing::Endpoint well{*IpAddress::parse("10.0.0.1"), 80, 3, true, nullptr};
  routing::Endpoint ill{*IpAddress::parse("10.0.0.2"), 80, 1, false, nullptr};
  routing::ResolvedDestination resolved;
  resolved.endpoints = {&well, &ill};
  const Share share = share_of(resolved, 7);
  EXPECT_EQ(share.weight, 7U);
  ASSERT_EQ(share.endpoints.size(), 1U);
  EXPECT_EQ(share.endpoints[0].weight, 3U);
}

TEST(DestinationCompiler, WhatDoesNotExistHasNoState) {
  SharedState shared("node", 1);
  routing::ResolvedDestination resolved;
  resolved.host = "nobody.test";
  resolved.port = 80;
  resolved.subset = "v1";
  const Destination destination = compile_destination(resolved, {}, {}, shared);
  EXPECT_FALSE(destination.exists);
  EXPECT_EQ(destination.name, "nobody.test:80/v1");
  EXPECT_EQ(destination.state, nullptr);
}

}  // namespace
}  // namespace weir::proxy
