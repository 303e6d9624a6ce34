#include "agent/views/plan_changes.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::agent {
namespace {

using Service = std::shared_ptr<const routing::ServicePlan>;

Service service(const std::string& name, uint16_t port = 80) {
  routing::ServicePlan plan;
  plan.service = name;
  plan.port = port;
  return std::make_shared<const routing::ServicePlan>(std::move(plan));
}

std::vector<std::string> changes(const routing::Plan* before, const routing::Plan& after) {
  std::vector<std::string> found;
  for_each_changed(before, after, [&](const routing::ServicePlan* old, const routing::ServicePlan& now) {
    found.push_back(std::string(old != nullptr ? "~" : "+") + now.service + ":" + std::to_string(now.port));
  });
  return found;
}

class PlanChanges : public ::testing::Test {
 protected:
  Service a_ = service("a"), b_ = service("b"), c_ = service("c");
};

TEST_F(PlanChanges, NothingBeforeMeansAllNew) {
  const routing::Plan after{1, {a_, b_}, {}, {}};
  EXPECT_EQ(changes(nullptr, after), (std::vector<std::string>{"+a:80", "+b:80"}));
}

TEST_F(PlanChanges, SameServicesAreNoChange) {
  const routing::Plan before{1, {a_, b_}, {}, {}}, after{2, {a_, b_}, {}, {}};
  EXPECT_TRUE(changes(&before, after).empty());
}

TEST_F(PlanChanges, ReplacedService) {
  const routing::Plan before{1, {a_, b_, c_}, {}, {}}, after{2, {a_, service("b"), c_}, {}, {}};
  EXPECT_EQ(changes(&before, after), (std::vector<std::string>{"~b:80"}));
}

TEST_F(PlanChanges, NewOnesBetweenAndGoneOnes) {
  const routing::Plan before{1, {a_, c_}, {}, {}}, after{2, {b_, c_, service("c", 81)}, {}, {}};
  EXPECT_EQ(changes(&before, after), (std::vector<std::string>{"+b:80", "+c:81"}));
}

TEST_F(PlanChanges, AllGone) {
  const routing::Plan before{1, {a_, b_}, {}, {}}, after{2, {}, {}, {}};
  EXPECT_TRUE(changes(&before, after).empty());
}

}  // namespace
}  // namespace weir::agent
