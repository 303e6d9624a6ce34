#include "proxy_process/configuration_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "samples.h"

namespace weir::proxy_process {
namespace {

using test::sample_configuration;
using ::testing::HasSubstr;

constexpr const char* kMore =
    "apiVersion: v1\nkind: Service\nmetadata: {name: more}\nspec: {clusterIP: 10.96.0.9, ports: [{port: 80}]}\n";

class ConfigurationKeeperTest : public ::testing::Test {
 protected:
  std::shared_ptr<const proxy::Snapshot> take(const Configuration& configuration) {
    auto taken = keeper_.take(configuration);
    EXPECT_TRUE(taken) << taken.error().message;
    return taken ? *taken : nullptr;
  }
  ConfigurationKeeper keeper_{test::shared_state()};
};

TEST_F(ConfigurationKeeperTest, MakesATableAndKnowsWhatWasDialled) {
  const auto snapshot = take(sample_configuration(7));
  EXPECT_EQ(keeper_.generation(), 7U);
  EXPECT_EQ(snapshot->table->all_rules().size(), 1U);
  ASSERT_TRUE(snapshot->frontends.contains(61'000));
}

TEST_F(ConfigurationKeeperTest, AChangeTouchesWhatItNames) {
  take(sample_configuration(1));
  Configuration change = sample_configuration(2);
  change.full = false;
  change.files = {test::file("more.yaml", kMore)};
  EXPECT_EQ(take(change)->table->all_services().size(), 3U);
  change.generation = 3;
  change.files = {{"app.yaml", std::nullopt}};
  const auto snapshot = take(change);
  EXPECT_EQ(snapshot->table->all_services().size(), 1U);
  EXPECT_EQ(snapshot->table->all_rules().size(), 0U);
}

TEST_F(ConfigurationKeeperTest, AFullOneForgetsWhatItDoesNotName) {
  take(sample_configuration(1));
  Configuration other = sample_configuration(2);
  other.files = {test::file("more.yaml", kMore)};
  EXPECT_EQ(take(other)->table->all_services().size(), 1U);
}

TEST_F(ConfigurationKeeperTest, AChangeOfNothingIsRefused) {
  Configuration change = sample_configuration();
  change.full = false;
  const auto taken = keeper_.take(change);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ENODATA);
  EXPECT_EQ(keeper_.generation(), 0U);
}

TEST_F(ConfigurationKeeperTest, WhatThisBuildCannotReadIsRefusedAndTheNextMustBeFull) {
  take(sample_configuration(1));
  Configuration bad = sample_configuration(2);
  bad.files = {{"bad.yaml",
                "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: x}\n"
                "spec: {hosts: 7}\n"}};
  const auto taken = keeper_.take(bad);
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, HasSubstr("bad.yaml"));
  EXPECT_EQ(keeper_.generation(), 1U);
  Configuration change = sample_configuration(3);
  change.full = false;
  EXPECT_EQ(keeper_.take(change).error().code, ENODATA);
  take(sample_configuration(3));
  EXPECT_EQ(keeper_.generation(), 3U);
}

TEST_F(ConfigurationKeeperTest, OtherOptionsNeedTheWholeConfiguration) {
  take(sample_configuration(1));
  Configuration change = sample_configuration(2);
  change.all_services = true;
  change.full = false;
  EXPECT_EQ(keeper_.take(change).error().code, ENODATA);
  change.full = true;
  take(change);
}

TEST_F(ConfigurationKeeperTest, WhatIsNotTheObjectsOfTheFileIsRefusedAndTheNextOneMustBeFull) {
  const std::string good = *test::file("app.yaml", test::sample_yaml()).objects;
  const auto refused = [&](std::string objects) {
    Configuration bad = sample_configuration(2);
    bad.files = {{"app.yaml", std::move(objects)}};
    const auto taken = keeper_.take(bad);
    return taken ? std::string("taken") : taken.error().message;
  };
  EXPECT_THAT(refused(""), HasSubstr("this build cannot use the objects of app.yaml: has 0 bytes"));
  EXPECT_THAT(refused(good.substr(0, good.size() - 1)), HasSubstr("app.yaml: holds"));
  std::string changed = good;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  EXPECT_THAT(refused(changed), HasSubstr("wrong checksum"));
  changed = good;
  changed[8] = static_cast<char>(changed[8] ^ 1);
  EXPECT_THAT(refused(changed), HasSubstr("written by a build whose objects have other fields"));
  EXPECT_THAT(refused(*test::file("other.yaml", kMore).objects), HasSubstr("app.yaml are of another file"));
  Configuration change = sample_configuration(3);
  change.full = false;
  EXPECT_EQ(keeper_.take(change).error().code, ENODATA);
  take(sample_configuration(4));
}

TEST_F(ConfigurationKeeperTest, PlacesComeThroughToTheRules) {
  const auto snapshot = take(sample_configuration(1));
  ASSERT_EQ(snapshot->table->all_rules().size(), 1U);
  const auto text = routing::to_text(*snapshot->table);
  EXPECT_THAT(text, HasSubstr("app.yaml:"));
}

}  // namespace
}  // namespace weir::proxy_process
