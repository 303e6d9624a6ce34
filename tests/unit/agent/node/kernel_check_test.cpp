#include "agent/node/kernel_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "routing/build/table_builder.h"
#include "samples.h"

namespace weir::agent {
namespace {

using ::testing::HasSubstr;

class KernelCheckTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // What the kernel has to say when all is well.
    const auto& plan = *table_->plan->services.at(0);
    const auto& split = plan.splits.at(0);
    datapath::SplitView view;
    view.id = 3;
    view.key = datapath::split_key(split.name);
    view.name = split.name;
    const auto shares = routing::shares(split);
    for (size_t i = 0; i < split.destinations.size(); ++i) {
      const auto& destination = split.destinations[i];
      datapath::DestinationView part;
      part.key = datapath::destination_key(destination.host, destination.port, destination.subset);
      part.label = destination.subset;
      part.share = shares[i];
      for (const auto& endpoint : destination.endpoints)
        part.endpoints.push_back({endpoint.address, endpoint.port, shares[i], {}});
      view.destinations.push_back(part);
    }
    maps_.splits = {view};
    for (const auto& frontend : plan.frontends)
      maps_.frontends.push_back({frontend.address, frontend.port, frontend.protocol, frontend.source, 3});
  }
  KernelCheck check() { return check_kernel(*table_, kReviews, 9080, maps_); }
  void expect_difference(const std::string& text) {
    const auto found = check();
    ASSERT_FALSE(found.differences.empty());
    EXPECT_THAT(found.differences.front(), HasSubstr(text));
  }

  std::shared_ptr<const routing::Table> table_ = routing::build_table(sample_store());
  datapath::MapsView maps_;
};

TEST_F(KernelCheckTest, Agrees) {
  const auto found = check();
  EXPECT_TRUE(found.differences.empty()) << found.differences.front();
  ASSERT_EQ(found.entries.size(), 2U);
  EXPECT_EQ(found.entries[0], "frontends 10.96.0.3:9080/tcp -> split 3");
  EXPECT_THAT(found.entries[1], HasSubstr("v1 90.0000% v2 10.0000%"));
}

TEST_F(KernelCheckTest, MissingFrontend) {
  maps_.frontends.clear();
  expect_difference("frontends has no entry for 10.96.0.3:9080");
}

TEST_F(KernelCheckTest, FrontendThatLeadsElsewhere) {
  maps_.frontends[0].split = 9;
  expect_difference("leads to another split");
}

TEST_F(KernelCheckTest, SplitOfAnotherName) {
  maps_.splits[0].key = 1;
  expect_difference("leads to another split");
}

TEST_F(KernelCheckTest, OtherShare) {
  maps_.splits[0].destinations[0].share = 0.8;
  expect_difference("v1 has 80.0000% in the kernel, 90.0000% are meant");
}

TEST_F(KernelCheckTest, MissingDestination) {
  maps_.splits[0].destinations.pop_back();
  expect_difference("v2 is missing");
}

TEST_F(KernelCheckTest, MissingAndForeignEndpoint) {
  maps_.splits[0].destinations[0].endpoints[0].port = 1;
  const auto found = check();
  ASSERT_EQ(found.differences.size(), 2U);
  EXPECT_THAT(found.differences[0], HasSubstr("endpoint 10.1.0.1:9080 is missing"));
  EXPECT_THAT(found.differences[1], HasSubstr("has endpoint 10.1.0.1:1 too"));
}

TEST_F(KernelCheckTest, ServiceWithoutARuleMustNotBeThere) {
  config::Store store;
  store.set(config::read_yaml(kServices, "services.yaml"));
  table_ = routing::build_table(store);
  expect_difference("although no rule asks for it");
  maps_.frontends.clear();
  EXPECT_TRUE(check().differences.empty());
}

TEST_F(KernelCheckTest, UnknownServiceIsNoDifference) {
  EXPECT_TRUE(check_kernel(*table_, "nobody", 80, maps_).differences.empty());
}

}  // namespace
}  // namespace weir::agent
