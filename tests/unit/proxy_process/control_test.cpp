#include "proxy_process/control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "net/socket.h"
#include "proxy_process/stats_report.h"
#include "samples.h"

namespace weir::proxy_process {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

FileDescriptor beat_memory() {
  FileDescriptor fd(::memfd_create("beat", MFD_CLOEXEC));
  EXPECT_EQ(::ftruncate(fd.get(), 4096), 0);
  return fd;
}

FileDescriptor listener() {
  auto fd = net::listen_tcp({*IpAddress::parse("127.0.0.1"), 0});
  EXPECT_TRUE(fd);
  return std::move(*fd);
}

class ControlTest : public ::testing::Test {
 protected:
  Answer ask(const char* type, Json body = Json::object(), std::vector<FileDescriptor> fds = {},
             std::string blob = {}) {
    return control_.handle({{type, ++id_, std::move(body)}, std::move(fds), std::move(blob)});
  }
  static Json settings(size_t workers = 1) {
    Settings settings;
    settings.workers = workers;
    settings.loop = net::LoopKind::kEpoll;
    settings.node = "n";
    return to_json(settings);
  }
  Answer start(size_t workers = 1, size_t sockets = 1) {
    std::vector<FileDescriptor> fds;
    fds.push_back(beat_memory());
    for (size_t i = 0; i < sockets; ++i) fds.push_back(listener());
    return ask("start", settings(workers), std::move(fds));
  }
  Hello hello() { return *hello_from_json(ask("hello").message.body); }
  static std::string message(const Answer& answer) {
    EXPECT_EQ(answer.message.type, "failed");
    return answer.message.body.value("message", "");
  }

  uint64_t id_ = 0;
  Control control_{[] { return Result<void>(); }};
};

TEST_F(ControlTest, SaysWhoItIs) {
  EXPECT_EQ(ask("hello").message.id, 1U);
  EXPECT_EQ(hello().workers, 0U);
  EXPECT_EQ(hello().generation, 0U);
  EXPECT_FALSE(hello().build.empty());
}

TEST_F(ControlTest, StartsWithItsConfigurationAndGivesTheSocketsBack) {
  EXPECT_EQ(start(2, 3).message.type, "started");
  EXPECT_EQ(hello().workers, 0U) << "nobody is accepted without a configuration";
  const auto ready = ask("configure", {}, {}, to_blob(test::sample_configuration(5)));
  ASSERT_EQ(ready.message.type, "ready") << ready.message.body.dump();
  EXPECT_EQ(ready.message.body["generation"], 5);
  EXPECT_EQ(hello().workers, 2U);
  EXPECT_EQ(hello().generation, 5U);
  EXPECT_EQ(hello().loop, "epoll");
  EXPECT_EQ(ask("listeners").fds.size(), 3U);
  const auto stats = ask("stats");
  const auto report = report_from_json(Json::parse(stats.blob));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->generation, 5U);
}

TEST_F(ControlTest, WhatCannotBeDoneIsRefusedWithAReason) {
  EXPECT_THAT(message(ask("dance")), HasSubstr("unknown"));
  EXPECT_THAT(message(ask("configure", {}, {}, to_blob(test::sample_configuration()))), HasSubstr("not started"));
  EXPECT_THAT(message(ask("start", settings())), HasSubstr("too few descriptors"));
  EXPECT_THAT(message(ask("start", {{"workers", 0}})), HasSubstr("settings"));
  EXPECT_THAT(message(ask("drain")), HasSubstr("ms"));
  EXPECT_THAT(message(ask("drain", {{"ms", -1}})), HasSubstr("ms"));
  EXPECT_THAT(message(ask("access_log")), HasSubstr("no log"));
  EXPECT_EQ(hello().workers, 0U);
}

TEST_F(ControlTest, DescriptorsOfTheWrongKindAreRefused) {
  std::vector<FileDescriptor> fds;
  fds.push_back(beat_memory());
  fds.push_back(beat_memory());
  EXPECT_THAT(message(ask("start", settings(), std::move(fds))), HasSubstr("listener"));
  fds.clear();
  fds.emplace_back(::dup(STDERR_FILENO));
  fds.push_back(listener());
  EXPECT_THAT(message(ask("start", settings(), std::move(fds))), HasSubstr("map the beat"));
  EXPECT_EQ(start().message.type, "started") << "it can still be done right";
}

TEST_F(ControlTest, IsStartedOnce) {
  start();
  EXPECT_THAT(message(start()), HasSubstr("already"));
}

TEST_F(ControlTest, ABadConfigurationLeavesTheLastGoodOne) {
  start();
  ask("configure", {}, {}, to_blob(test::sample_configuration(5)));
  EXPECT_THAT(message(ask("configure", {}, {}, "{}")), HasSubstr("configuration"));
  EXPECT_THAT(message(ask("configure")), HasSubstr("its head has no end"));
  EXPECT_THAT(message(ask("configure", {}, {}, std::string("x\0", 2))), HasSubstr("not JSON"));
  EXPECT_EQ(hello().generation, 5U);
}

TEST_F(ControlTest, DrainsAndIsFinishedThen) {
  start();
  ask("configure", {}, {}, to_blob(test::sample_configuration()));
  EXPECT_FALSE(control_.finished());
  EXPECT_EQ(ask("drain", {{"ms", 10'000}}).message.type, "draining");
  EXPECT_TRUE(hello().draining);
  const auto deadline = Control::Clock::now() + 5s;
  while (!control_.finished() && Control::Clock::now() < deadline) std::this_thread::sleep_for(2ms);
  EXPECT_TRUE(control_.finished());
}

TEST_F(ControlTest, StopsAtOnce) {
  EXPECT_EQ(ask("stop").message.type, "stopping");
  EXPECT_TRUE(control_.finished());
}

}  // namespace
}  // namespace weir::proxy_process
