#include "agent/proxy/uninstall.h"

#include <gtest/gtest.h>

#include <fstream>

#include "sample.h"

namespace weir::agent {
namespace {

using namespace std::chrono_literals;
using ProxyUninstallTest = test::RunningProxy;

TEST_F(ProxyUninstallTest, EndsWhatRunsAndItsSocket) {
  start();
  EXPECT_EQ(end_proxies(launch_.run_dir, "", 5s), 1U);
  EXPECT_TRUE(link_->ended());
  EXPECT_TRUE(proxy_sockets(launch_.run_dir).empty());
  EXPECT_EQ(end_proxies(launch_.run_dir, "", 5s), 0U) << "again is no error";
}

TEST_F(ProxyUninstallTest, OneThatDoesNotAnswerIsEndedToo) {
  start();
  ::kill(launched_.pid, SIGSTOP);
  EXPECT_EQ(end_proxies(launch_.run_dir, "", 200ms), 1U);
  EXPECT_TRUE(link_->ended());
}

TEST(ProxyUninstall, OfNothingIsNothing) {
  const weir::test::TempDir dir;
  EXPECT_EQ(end_proxies(dir.file("nowhere"), "", 1s), 0U);
  EXPECT_EQ(end_proxies(dir.path().string(), dir.file("no-cgroup"), 1s), 0U);
}

}  // namespace
}  // namespace weir::agent
