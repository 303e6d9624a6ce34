#include "agent/reconciler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "samples.h"
#include "tests/unit/support/temp_dir.h"

namespace weir::agent {
namespace {

using ::testing::HasSubstr;
using What = Outcome::What;

/// Remembers what it was given; refuses when told to.
class FakeKernel : public Kernel {
 public:
  Result<datapath::ApplyReport> apply(const routing::Plan& plan) override {
    ++calls;
    if (!refusal.empty()) return Error{refusal, ENOSPC};
    last = plan;
    datapath::ApplyReport report;
    report.generation = plan.generation;
    report.operations = 1;
    return report;
  }
  Result<void> set_sources(std::span<const datapath::SourceEntry> entries) override {
    sources.assign(entries.begin(), entries.end());
    ++source_calls;
    return {};
  }
  std::string refusal;
  routing::Plan last;
  std::vector<datapath::SourceEntry> sources;
  int calls = 0, source_calls = 0;
};

class ReconcilerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write("services.yaml", kServices);
    write("rule.yaml", split_rule(90, 10));
  }
  void write(const std::string& name, const std::string& text) { std::ofstream(dir_.file(name)) << text; }
  Outcome take() {
    return reconciler_.take({{}, true}, [](const std::string&) { return false; });
  }
  std::vector<double> kernel_shares() { return routing::shares(kernel_.last.services.at(0)->splits.at(0)); }

  test::TempDir dir_;
  FakeKernel kernel_;
  Reconciler reconciler_{dir_.path().string(), {}, kernel_, 5};
};

TEST_F(ReconcilerTest, FirstConfigurationGetsTheFirstNumber) {
  const auto outcome = take();
  EXPECT_EQ(outcome.what, What::kApplied);
  EXPECT_EQ(outcome.before, nullptr);
  EXPECT_EQ(reconciler_.state().generation, 5U);
  EXPECT_EQ(kernel_.last.generation, 5U);
  EXPECT_THAT(kernel_shares(), ::testing::ElementsAre(0.9, 0.1));
}

TEST_F(ReconcilerTest, ChangeIsTheNextGeneration) {
  take();
  write("rule.yaml", split_rule(50, 50));
  const auto outcome = take();
  EXPECT_EQ(outcome.what, What::kApplied);
  EXPECT_NE(outcome.before, nullptr);
  EXPECT_EQ(reconciler_.state().generation, 6U);
  EXPECT_THAT(kernel_shares(), ::testing::ElementsAre(0.5, 0.5));
}

TEST_F(ReconcilerTest, NoChangeDoesNotTouchTheKernel) {
  take();
  EXPECT_EQ(take().what, What::kUnchanged);
  EXPECT_EQ(kernel_.calls, 1);
  EXPECT_EQ(reconciler_.state().generation, 5U);
}

TEST_F(ReconcilerTest, EmptyFolderIsAConfiguration) {
  std::filesystem::remove(dir_.file("services.yaml"));
  std::filesystem::remove(dir_.file("rule.yaml"));
  EXPECT_EQ(take().what, What::kApplied);
  EXPECT_TRUE(kernel_.last.services.empty());
}

constexpr const char* kNamed = R"(apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: named, namespace: default}
spec:
  hosts: [named.example.com]
  addresses: [10.99.0.1]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: DNS
  endpoints: [{address: backend.example.com}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: named, namespace: default}
spec:
  hosts: [named.example.com]
  http: [{route: [{destination: {host: named.example.com}}]}]
)";

class ReconcilerNames : public ReconcilerTest {
 protected:
  void SetUp() override { write("named.yaml", kNamed); }
  std::string endpoints() const {
    std::string text;
    for (const auto& service : kernel_.last.services)
      for (const auto& split : service->splits)
        for (const auto& destination : split.destinations)
          for (const auto& endpoint : destination.endpoints)
            text += (text.empty() ? "" : " ") + to_string(endpoint.address, endpoint.port);
    return text;
  }
  Outcome resolve(const std::string& address) {
    return reconciler_.set_resolved_names({{"backend.example.com", {*IpAddress::parse(address)}}});
  }
};

TEST_F(ReconcilerNames, ResolvedNamesAreANewGeneration) {
  take();
  EXPECT_EQ(endpoints(), "");
  ASSERT_NE(reconciler_.state().table->endpoint_names, nullptr);
  EXPECT_EQ(*reconciler_.state().table->endpoint_names, std::vector<std::string>{"backend.example.com"});
  EXPECT_EQ(resolve("10.9.0.1").what, What::kApplied);
  EXPECT_EQ(endpoints(), "10.9.0.1:80");
  EXPECT_EQ(resolve("10.9.0.1").what, What::kUnchanged);
  EXPECT_EQ(resolve("10.9.0.2").what, What::kApplied);
  EXPECT_EQ(endpoints(), "10.9.0.2:80");
}

TEST_F(ReconcilerNames, KnownBeforeTheFolderIsRead) {
  resolve("10.9.0.1");
  take();
  EXPECT_EQ(endpoints(), "10.9.0.1:80");
}

TEST_F(ReconcilerNames, FollowedThoughTheFolderIsBroken) {
  take();
  resolve("10.9.0.1");
  write("broken.yaml", "kind: [");
  EXPECT_EQ(take().what, What::kRefused);
  EXPECT_EQ(resolve("10.9.0.2").what, What::kApplied);
  EXPECT_EQ(endpoints(), "10.9.0.2:80");
  EXPECT_TRUE(reconciler_.state().trouble) << "it still is";
}

TEST_F(ReconcilerNames, AKernelThatRefusesThemIsAskedAgain) {
  take();
  kernel_.refusal = "full";
  EXPECT_EQ(resolve("10.9.0.1").what, What::kRefused);
  kernel_.refusal.clear();
  EXPECT_EQ(reconciler_.retry().what, What::kApplied);
  EXPECT_EQ(endpoints(), "10.9.0.1:80");
}

TEST_F(ReconcilerTest, ErrorKeepsTheLastGoodConfigurationAsAWhole) {
  take();
  write("rule.yaml", split_rule(-1, 10));
  write("another.yaml", split_rule(1, 1, "another"));
  const auto outcome = take();
  EXPECT_EQ(outcome.what, What::kRefused);
  EXPECT_TRUE(outcome.news);
  EXPECT_EQ(kernel_.calls, 1);
  EXPECT_EQ(reconciler_.state().generation, 5U);
  ASSERT_TRUE(reconciler_.state().trouble);
  EXPECT_EQ(reconciler_.state().trouble->kind, Trouble::Kind::kConfig);
  EXPECT_THAT(reconciler_.state().trouble->summary, HasSubstr("rule.yaml:9:15"));
}

TEST_F(ReconcilerTest, SameErrorIsNoNewsAndSinceStays) {
  take();
  write("rule.yaml", split_rule(-1, 10));
  take();
  const auto since = reconciler_.state().trouble->since;
  EXPECT_FALSE(take().news);
  write("rule.yaml", split_rule(-2, 10));
  EXPECT_TRUE(take().news);
  EXPECT_EQ(reconciler_.state().trouble->since, since);
}

TEST_F(ReconcilerTest, RecoveryToTheSameConfigurationWritesNothing) {
  take();
  write("rule.yaml", split_rule(-1, 10));
  take();
  write("rule.yaml", split_rule(90, 10));
  const auto outcome = take();
  EXPECT_TRUE(outcome.recovered);
  EXPECT_FALSE(reconciler_.state().trouble);
  EXPECT_THAT(kernel_shares(), ::testing::ElementsAre(0.9, 0.1));
}

TEST_F(ReconcilerTest, RecoveryWithAChangeAppliesAllThatChangedMeanwhile) {
  take();
  write("rule.yaml", split_rule(-1, 10));
  take();
  std::filesystem::remove(dir_.file("rule.yaml"));
  write("other.yaml", split_rule(20, 80));
  const auto outcome = take();
  EXPECT_EQ(outcome.what, What::kApplied);
  EXPECT_TRUE(outcome.recovered);
  EXPECT_THAT(kernel_shares(), ::testing::ElementsAre(0.2, 0.8));
}

TEST_F(ReconcilerTest, VanishedFolderKeepsTheConfiguration) {
  take();
  std::filesystem::remove_all(dir_.path());
  EXPECT_EQ(take().what, What::kRefused);
  EXPECT_EQ(reconciler_.state().trouble->kind, Trouble::Kind::kFolder);
  EXPECT_THAT(reconciler_.state().trouble->summary, HasSubstr(dir_.path().string()));
  EXPECT_EQ(kernel_.calls, 1);
}

TEST_F(ReconcilerTest, BrokenAtTheStartAppliesNothing) {
  write("rule.yaml", "kind: [");
  EXPECT_EQ(take().what, What::kRefused);
  EXPECT_EQ(reconciler_.state().table, nullptr);
  EXPECT_EQ(kernel_.calls, 0);
}

TEST_F(ReconcilerTest, KernelThatRefusesIsAskedAgain) {
  take();
  kernel_.refusal = "map frontends is full";
  write("rule.yaml", split_rule(50, 50));
  EXPECT_EQ(take().what, What::kRefused);
  EXPECT_EQ(reconciler_.state().trouble->kind, Trouble::Kind::kKernel);
  EXPECT_EQ(reconciler_.state().generation, 5U);
  EXPECT_EQ(reconciler_.retry().what, What::kRefused);
  kernel_.refusal.clear();
  const auto outcome = reconciler_.retry();
  EXPECT_EQ(outcome.what, What::kApplied);
  EXPECT_TRUE(outcome.recovered);
  EXPECT_EQ(reconciler_.state().generation, 6U);
  EXPECT_THAT(kernel_shares(), ::testing::ElementsAre(0.5, 0.5));
  EXPECT_EQ(reconciler_.retry().what, What::kUnchanged);
}

TEST_F(ReconcilerTest, KernelThatRefusedTakesTheNextChange) {
  take();
  kernel_.refusal = "full";
  write("rule.yaml", split_rule(50, 50));
  take();
  kernel_.refusal.clear();
  write("rule.yaml", split_rule(30, 70));
  EXPECT_EQ(take().what, What::kApplied);
  EXPECT_THAT(kernel_shares(), ::testing::ElementsAre(0.3, 0.7));
}

// ---------------------------------------------------------------- clients that rules tell apart

constexpr const char* kBySource = R"(apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews}
spec:
  hosts: [reviews]
  http:
  - match: [{sourceLabels: {app: reviews, version: v2}}]
    route: [{destination: {host: reviews, subset: v1}}]
  - route: [{destination: {host: reviews, subset: v2}}]
)";

TEST_F(ReconcilerTest, PodsThatARuleTellsApartBecomeSources) {
  write("rule.yaml", kBySource);
  take();
  const LocalPod pod{"default", "reviews-2", *IpAddress::parse("10.1.0.2"), 4711};
  EXPECT_EQ(reconciler_.set_local_pods({pod}).what, What::kApplied);
  ASSERT_EQ(kernel_.last.sources.size(), 1U);
  ASSERT_EQ(kernel_.sources.size(), 1U);
  EXPECT_EQ(kernel_.sources[0].netns_cookie, 4711U);
  EXPECT_EQ(kernel_.sources[0].source, kernel_.last.sources[0].id);
  EXPECT_EQ(reconciler_.set_local_pods({pod}).what, What::kUnchanged);
  EXPECT_EQ(kernel_.source_calls, 1);
}

TEST_F(ReconcilerTest, GonePodIsNoSourceAnyMore) {
  write("rule.yaml", kBySource);
  take();
  reconciler_.set_local_pods({{"default", "reviews-2", *IpAddress::parse("10.1.0.2"), 4711}});
  reconciler_.set_local_pods({});
  EXPECT_TRUE(kernel_.sources.empty());
  EXPECT_TRUE(kernel_.last.sources.empty());
}

TEST_F(ReconcilerTest, PodsDoNotLetABrokenFolderIn) {
  take();
  write("rule.yaml", "kind: [");
  take();
  EXPECT_EQ(reconciler_.set_local_pods({{"default", "reviews-2", *IpAddress::parse("10.1.0.2"), 4711}}).what,
            What::kUnchanged);
  EXPECT_EQ(kernel_.calls, 1);
}

}  // namespace
}  // namespace weir::agent
