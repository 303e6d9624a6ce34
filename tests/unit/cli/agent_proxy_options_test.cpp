#include "cli/agent_proxy_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace weir::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

Result<agent::Options> read(const std::function<void(ProxyOptionTexts&)>& change = [](auto&) {}) {
  ProxyOptionTexts texts;
  change(texts);
  agent::Options options;
  options.run_dir = "/run/x";
  if (auto good = read_proxy_options(texts, options); !good) return std::move(good).error();
  return options;
}

TEST(AgentProxyOptions, HaveDefaults) {
  const auto options = read();
  ASSERT_TRUE(options);
  EXPECT_EQ(options->proxy_port_first, 61'000);
  EXPECT_EQ(options->proxy_port_count, 1000);
  EXPECT_GE(options->proxy.workers, 1U);
  EXPECT_LE(options->proxy.workers, 8U);
  EXPECT_EQ(options->access_log, "");
  EXPECT_EQ(options->proxy.proxy.access_log, proxy::AccessLogFormat::kOff);
  EXPECT_EQ(options->proxy.proxy.timeouts.head, proxy::Timeouts{}.head);
}

TEST(AgentProxyOptions, AreTaken) {
  const auto options = read([](auto& texts) {
    texts.node_addresses = {"10.0.0.1"};
    texts.ports = "50000-50009";
    texts.threads = 3;
    texts.loop = "epoll";
    texts.access_log = "file";
    texts.access_log_format = "json";
    texts.head_timeout = "5s";
    texts.drain_timeout = "1m";
    texts.max_connections_per_client = 7;
  });
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->node_addresses.v4, IpAddress::parse("10.0.0.1"));
  EXPECT_EQ(options->proxy_port_first, 50'000);
  EXPECT_EQ(options->proxy_port_count, 10);
  EXPECT_EQ(options->proxy.workers, 3U);
  EXPECT_EQ(options->proxy.loop, net::LoopKind::kEpoll);
  EXPECT_EQ(options->access_log, "/run/x/access.log");
  EXPECT_EQ(options->proxy.proxy.access_log, proxy::AccessLogFormat::kJson);
  EXPECT_EQ(options->proxy.proxy.timeouts.head, 5s);
  EXPECT_EQ(options->proxy.proxy.timeouts.drain, 1min);
  EXPECT_EQ(options->proxy.proxy.max_connections_per_client, 7U);
}

TEST(AgentProxyOptions, WhatMakesNoSenseIsRefusedByName) {
  for (const char* ports : {"", "x", "61000", "61000-", "-61000", "0-10", "61000-60000", "61000-70000", "1-65535",
                            "61000-61999x", "61000 - 61999"}) {
    const auto options = read([&](auto& texts) { texts.ports = ports; });
    ASSERT_FALSE(options) << ports;
    EXPECT_THAT(options.error().message, HasSubstr("--proxy-ports"));
  }
  EXPECT_THAT(read([](auto& t) { t.node_addresses = {"localhost"}; }).error().message, HasSubstr("--node-address"));
  EXPECT_THAT(read([](auto& t) { t.head_timeout = "fast"; }).error().message, HasSubstr("--head-timeout"));
  EXPECT_THAT(read([](auto& t) { t.connect_timeout = "0"; }).error().message, HasSubstr("--connect-timeout"));
}

}  // namespace
}  // namespace weir::cli
