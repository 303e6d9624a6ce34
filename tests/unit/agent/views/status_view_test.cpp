#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/views/views.h"
#include "routing/build/table_builder.h"
#include "samples.h"

namespace weir::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class StatusTest : public ::testing::Test {
 protected:
  void SetUp() override {
    state_.table = routing::build_table(sample_store());
    state_.generation = 12;
    state_.attached = true;
    kernel_.status.emplace();
    kernel_.status->hooks = {{"connect4", true, true, 1, 2, {}, ""},
                             {"sock_release", false, false, 0, 0, {}, "too old"}};
    kernel_.maps.emplace();
    kernel_.maps->generation = 12;
    kernel_.maps->usage = {{"frontends", "hash", 10, 100, 24, 16, 5}, {"verdicts", "percpu_array", 1, 1, 4, 32, 6}};
  }
  AgentFacts facts_;
  State state_;
  KernelFacts kernel_;
};

TEST_F(StatusTest, HealthyAndReady) {
  EXPECT_THAT(problems(state_, kernel_), IsEmpty());
  const auto json = status_view(facts_, state_, kernel_);
  EXPECT_TRUE(json["healthy"].get<bool>());
  EXPECT_TRUE(json["ready"].get<bool>());
  EXPECT_EQ(json["generation"], 12);
  EXPECT_EQ(json["config"]["state"], "ok");
  EXPECT_EQ(json["services"]["kernel"], 1);
}

TEST_F(StatusTest, NothingYet) {
  state_.table.reset();
  const auto json = status_view(facts_, state_, kernel_);
  EXPECT_FALSE(json["ready"].get<bool>());
  EXPECT_EQ(json["config"]["state"], "none");
  EXPECT_TRUE(json["last_apply"].is_null());
  EXPECT_THAT(problems(state_, kernel_), ElementsAre(HasSubstr("no configuration")));
}

TEST_F(StatusTest, RefusedFolderSaysSinceWhenAndWhy) {
  config::Diagnostic error;
  error.file = "a.yaml";
  error.at = {3, 4};
  error.message = "bad";
  state_.trouble =
      Trouble{Trouble::Kind::kConfig, WallClock::time_point(std::chrono::seconds(0)), "a.yaml:3:4 bad", {error}};
  const auto json = status_view(facts_, state_, kernel_);
  EXPECT_FALSE(json["healthy"].get<bool>());
  EXPECT_EQ(json["config"]["state"], "config");
  EXPECT_EQ(json["config"]["since"], "1970-01-01T00:00:00.000Z");
  EXPECT_THAT(json["config"]["errors"][0].get<std::string>(), HasSubstr("a.yaml:3:4: Error"));
  EXPECT_EQ(json["config"]["details"][0]["line"], 3);
  EXPECT_EQ(json["config"]["error_count"], 1);
}

TEST_F(StatusTest, FolderAndKernelTroubleHaveTheirSummaryAsError) {
  state_.trouble = Trouble{Trouble::Kind::kKernel, {}, "map frontends is full", {}};
  EXPECT_THAT(problems(state_, kernel_), ElementsAre(HasSubstr("the kernel refuses the configuration since")));
  EXPECT_EQ(status_view(facts_, state_, kernel_)["config"]["errors"], Json::array({"map frontends is full"}));
  state_.trouble->kind = Trouble::Kind::kFolder;
  EXPECT_EQ(status_view(facts_, state_, kernel_)["config"]["state"], "folder");
}

TEST_F(StatusTest, ManyErrorsAreCutAndCounted) {
  config::Diagnostics errors(100);
  state_.trouble = Trouble{Trouble::Kind::kConfig, {}, "x", errors};
  const auto json = status_view(facts_, state_, kernel_);
  EXPECT_EQ(json["config"]["errors"].size(), 20U);
  EXPECT_EQ(json["config"]["error_count"], 100);
}

TEST_F(StatusTest, DetachedHook) {
  kernel_.status->hooks[0].attached = false;
  EXPECT_THAT(problems(state_, kernel_), ElementsAre("hook connect4: not attached"));
}

TEST_F(StatusTest, FullMapButNotAMapOfOneEntry) {
  kernel_.maps->usage[0].used = 95;
  EXPECT_THAT(problems(state_, kernel_), ElementsAre("map frontends is nearly full: 95 of 100"));
}

TEST_F(StatusTest, UnreadableKernel) {
  kernel_ = {};
  kernel_.error = "maps cannot be read: no right";
  const auto json = status_view(facts_, state_, kernel_);
  EXPECT_FALSE(json["healthy"].get<bool>());
  EXPECT_EQ(json["datapath"]["error"], "maps cannot be read: no right");
  EXPECT_EQ(json["datapath"]["hooks"], Json::array());
}

TEST_F(StatusTest, ForeignProgramsAreNamed) {
  kernel_.status->hooks[0].foreign = {{77, "theirs"}};
  EXPECT_EQ(status_view(facts_, state_, kernel_)["datapath"]["hooks"][0]["foreign"][0]["name"], "theirs");
}

TEST_F(StatusTest, ConditionsAreListed) {
  state_.table = routing::build_table(sample_store(split_rule(1, 1).replace(split_rule(1, 1).rfind("v2"), 2, "v9")));
  const auto json = status_view(facts_, state_, kernel_);
  ASSERT_FALSE(json["conditions"].empty());
  EXPECT_THAT(json["conditions"].dump(), HasSubstr("v9"));
}

}  // namespace
}  // namespace weir::agent
