#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy_process/protocol.h"

namespace weir::proxy_process {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

Settings sample() {
  Settings settings;
  settings.workers = 3;
  settings.loop = net::LoopKind::kEpoll;
  settings.has_log = true;
  settings.node = "node-1";
  settings.proxy.access_log = proxy::AccessLogFormat::kJson;
  settings.proxy.timeouts.head = 1234ms;
  settings.proxy.timeouts.drain = 7s;
  settings.proxy.max_connections = 99;
  settings.proxy.minimum_rate = 1;
  settings.proxy.http.max_headers = 50;
  return settings;
}

TEST(Settings, ComeBackAsTheyWereWritten) {
  const auto read = settings_from_json(to_json(sample()));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(to_json(*read), to_json(sample()));
  EXPECT_EQ(read->loop, net::LoopKind::kEpoll);
  EXPECT_EQ(read->proxy.timeouts.head, 1234ms);
  EXPECT_EQ(read->proxy.access_log, proxy::AccessLogFormat::kJson);
}

TEST(Settings, WhatAnOlderAgentDoesNotSayIsAsByDefault) {
  const auto read = settings_from_json({{"workers", 1}, {"node", "n"}});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->proxy.timeouts.head, proxy::Timeouts{}.head);
  EXPECT_EQ(read->proxy.max_idle_per_endpoint, proxy::Options{}.max_idle_per_endpoint);
}

TEST(Settings, OutOfBoundsAreRefused) {
  for (const auto& [key, value] : std::vector<std::pair<const char*, Json>>{{"workers", 0},
                                                                            {"workers", kMaxWorkers + 1},
                                                                            {"loop", "kqueue"},
                                                                            {"access_log", "xml"},
                                                                            {"head_ms", -1},
                                                                            {"head_ms", uint64_t{1} << 60},
                                                                            {"max_headers", 1'000'000},
                                                                            {"via", std::string(100, 'x')},
                                                                            {"has_log", 1}}) {
    Json json = to_json(sample());
    json[key] = value;
    const auto read = settings_from_json(json);
    ASSERT_FALSE(read) << key;
    EXPECT_THAT(read.error().message, HasSubstr(key));
  }
}

}  // namespace
}  // namespace weir::proxy_process
