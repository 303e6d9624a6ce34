#include "proxy/destination_state.h"

#include <gtest/gtest.h>

#include <vector>

namespace weir::proxy {
namespace {

using std::chrono::seconds;

net::TimePoint at(int64_t second) {
  return net::TimePoint(seconds(1000 + second));
}

class OutlierTest : public testing::Test {
 protected:
  void with(size_t endpoints) {
    for (uint16_t port = 1; port <= endpoints; ++port)
      all.push_back(destination.endpoint({*IpAddress::parse("10.0.0.1"), port}));
  }
  bool report(size_t endpoint, TryResult result, int64_t second = 0, int times = 1) {
    bool ejected = false;
    for (int count = 0; count < times; ++count)
      ejected |= destination.report(*all[endpoint], result, rules, all, at(second));
    return ejected;
  }

  DestinationState destination;
  std::vector<EndpointStatePtr> all;
  OutlierRules rules = [] {
    OutlierRules made;
    made.enabled = true;
    made.max_ejection_percent = 100;
    return made;
  }();
};

TEST_F(OutlierTest, NothingIsEjectedWithoutTheRule) {
  with(2);
  rules.enabled = false;
  EXPECT_FALSE(report(0, TryResult::kServerError, 0, 100));
  EXPECT_FALSE(destination.any_ejected(at(0)));
}

TEST_F(OutlierTest, FiveInARow) {
  with(2);
  EXPECT_FALSE(report(0, TryResult::kServerError, 0, 4));
  EXPECT_FALSE(report(0, TryResult::kSuccess));
  EXPECT_FALSE(report(0, TryResult::kServerError, 0, 4)) << "an answer between begins the row anew";
  EXPECT_TRUE(report(0, TryResult::kLocalFailure)) << "a failed connection is one of them";
  EXPECT_TRUE(all[0]->ejected(at(0)));
  EXPECT_TRUE(all[0]->ejected(at(29)));
  EXPECT_FALSE(all[0]->ejected(at(30)));
  EXPECT_FALSE(all[1]->ejected(at(0)));
  EXPECT_TRUE(destination.any_ejected(at(29)));
  EXPECT_FALSE(destination.any_ejected(at(30)));
  EXPECT_EQ(all[0]->ejections(), 1U);
}

TEST_F(OutlierTest, GatewayErrorsHaveARowOfTheirOwn) {
  with(2);
  rules.consecutive_5xx = 0;
  rules.consecutive_gateway = 2;
  EXPECT_FALSE(report(0, TryResult::kServerError, 0, 10)) << "500 is none";
  EXPECT_FALSE(report(0, TryResult::kGatewayError));
  EXPECT_FALSE(report(0, TryResult::kServerError)) << "and ends the row";
  EXPECT_FALSE(report(0, TryResult::kGatewayError));
  EXPECT_TRUE(report(0, TryResult::kGatewayError));
}

TEST_F(OutlierTest, LocalFailuresCanBeCountedApart) {
  with(2);
  rules.split_local = true;
  rules.consecutive_local = 2;
  rules.consecutive_5xx = 3;
  EXPECT_FALSE(report(0, TryResult::kServerError, 0, 2));
  EXPECT_FALSE(report(0, TryResult::kLocalFailure)) << "not the third 5xx";
  EXPECT_FALSE(report(0, TryResult::kSuccess));
  EXPECT_FALSE(report(0, TryResult::kLocalFailure));
  EXPECT_TRUE(report(0, TryResult::kLocalFailure));
}

TEST_F(OutlierTest, OffMeansOff) {
  with(2);
  rules.consecutive_5xx = 0;
  EXPECT_FALSE(report(0, TryResult::kServerError, 0, 1000));
  EXPECT_FALSE(report(0, TryResult::kGatewayError, 0, 1000));
  rules.split_local = true;
  EXPECT_FALSE(report(0, TryResult::kLocalFailure, 0, 1000));
}

TEST_F(OutlierTest, NoMoreThanThePercentage) {
  with(10);
  rules.max_ejection_percent = 20;
  EXPECT_TRUE(report(0, TryResult::kServerError, 0, 5));
  EXPECT_TRUE(report(1, TryResult::kServerError, 0, 5));
  EXPECT_FALSE(report(2, TryResult::kServerError, 0, 50));
  EXPECT_TRUE(report(2, TryResult::kServerError, 31, 5)) << "the others are back";
}

/// Envoy since 1.29, unless always_eject_one_host: with Istio's 10 % nobody of nine can be ejected.
TEST_F(OutlierTest, ThePercentageOfAFewMayBeNobody) {
  with(9);
  rules.max_ejection_percent = 10;
  EXPECT_FALSE(report(0, TryResult::kServerError, 0, 50));
}

TEST_F(OutlierTest, EachEjectionIsLongerAndQuietTimesMakeThemShorter) {
  with(2);
  EXPECT_TRUE(report(0, TryResult::kServerError, 0, 5));
  EXPECT_TRUE(report(0, TryResult::kServerError, 30, 5)) << "30 s later it is as bad as ever";
  EXPECT_TRUE(all[0]->ejected(at(89)));
  EXPECT_FALSE(all[0]->ejected(at(90)));
  EXPECT_TRUE(report(0, TryResult::kServerError, 111, 5)) << "two intervals of quiet";
  EXPECT_TRUE(all[0]->ejected(at(140)));
  EXPECT_FALSE(all[0]->ejected(at(141))) << "is the first again";
  EXPECT_EQ(all[0]->ejections(), 3U);
}

TEST_F(OutlierTest, NoEjectionIsLongerThanFiveMinutes) {
  with(2);
  int64_t now = 0;
  for (int count = 0; count < 100; ++count) {
    ASSERT_TRUE(report(0, TryResult::kServerError, now, 5));
    while (all[0]->ejected(at(now))) ++now;
  }
  const int64_t start = now;
  ASSERT_TRUE(report(0, TryResult::kServerError, now, 5));
  while (all[0]->ejected(at(now))) ++now;
  EXPECT_EQ(now - start, 300);
}

TEST_F(OutlierTest, AnEjectedEndpointIsNotEjectedAgain) {
  with(2);
  EXPECT_TRUE(report(0, TryResult::kServerError, 0, 5));
  EXPECT_FALSE(report(0, TryResult::kServerError, 1, 5)) << "answers of requests that were under way";
  EXPECT_EQ(all[0]->ejections(), 1U);
}

TEST(DestinationRegistry, KeepsWhatSomebodyHolds) {
  DestinationRegistry registry;
  const auto held = registry.get("held");
  const EndpointStatePtr endpoint = held->endpoint({*IpAddress::parse("10.0.0.1"), 80});
  endpoint->open_requests = 3;
  (void)registry.get("dropped")->connections.fetch_add(1);
  registry.sweep();
  EXPECT_EQ(registry.get("held"), held);
  EXPECT_EQ(held->endpoint({*IpAddress::parse("10.0.0.1"), 80}), endpoint);
  EXPECT_EQ(registry.get("dropped")->connections.load(), 0U) << "a new one";
}

}  // namespace
}  // namespace weir::proxy
