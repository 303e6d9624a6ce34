#include "agent/node/background.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <future>
#include <optional>
#include <thread>
#include <vector>

namespace weir::agent {
namespace {

TEST(Background, RunsOneAfterTheOtherElsewhere) {
  Background background;
  std::vector<int> order;
  std::promise<std::thread::id> where;
  for (const int number : {1, 2, 3}) background.run([&order, number] { order.push_back(number); });
  background.run([&where] { where.set_value(std::this_thread::get_id()); });
  EXPECT_NE(where.get_future().get(), std::this_thread::get_id());
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(Background, AJobMayAskForAnother) {
  Background background;
  std::promise<void> done;
  background.run([&] { background.run([&done] { done.set_value(); }); });
  done.get_future().get();
}

TEST(Background, StandsBackBehindTheLoop) {
  Background background;
  std::promise<int> nice;
  background.run([&nice] { nice.set_value(::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()))); });
  const int own = ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()));
  const int theirs = nice.get_future().get();
  EXPECT_EQ(theirs, 10);
  EXPECT_GE(theirs, own);
}

TEST(Background, TheEndWaitsForTheJobUnderWay) {
  std::optional<Background> background(std::in_place);
  std::promise<void> begun, go_on;
  bool first = false;
  background->run([&] {
    begun.set_value();
    go_on.get_future().get();
    first = true;
  });
  begun.get_future().get();
  std::thread ender([&] { background.reset(); });
  go_on.set_value();
  ender.join();
  EXPECT_TRUE(first);
}

TEST(Background, NeverUsedNeverStarts) {
  const Background background;
}

}  // namespace
}  // namespace weir::agent
