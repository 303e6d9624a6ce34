#include "agent/node/address_watch.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>

#include <cstdlib>
#include <thread>

namespace weir::agent {
namespace {

bool command(const char* line) {
  return std::system(line) == 0;
}

bool readable(int fd) {
  pollfd wanted{fd, POLLIN, 0};
  return poll(&wanted, 1, 5000) == 1;
}

/// In a network namespace of its own, which ends with the thread.
TEST(AddressWatch, TellsOfAddressesThatComeAndGo) {
  bool entered = false;
  std::thread([&] {
    if (unshare(CLONE_NEWNET) != 0) return;
    entered = true;
    auto watch = AddressWatch::create();
    ASSERT_TRUE(watch) << watch.error().message;
    EXPECT_FALSE(watch->take());
    ASSERT_TRUE(command("ip link set lo up"));
    EXPECT_TRUE(readable(watch->fd()));
    EXPECT_TRUE(watch->take());
    EXPECT_FALSE(watch->take());
    ASSERT_TRUE(command("ip addr add 10.9.9.9/32 dev lo"));
    EXPECT_TRUE(readable(watch->fd()));
    EXPECT_TRUE(watch->take());
    ASSERT_TRUE(command("ip addr del 10.9.9.9/32 dev lo"));
    EXPECT_TRUE(readable(watch->fd()));
    EXPECT_TRUE(watch->take());
  }).join();
  if (!entered) GTEST_SKIP() << "needs root";
}

}  // namespace
}  // namespace weir::agent
