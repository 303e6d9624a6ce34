#include "config/analysis_index.h"

#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

TEST(FullHost, OnlyNamesWithoutADotAreCompleted) {
  const MeshConfig mesh;
  EXPECT_EQ(full_host("reviews", "prod", mesh), "reviews.prod.svc.cluster.local");
  EXPECT_EQ(full_host("Reviews", "prod", mesh), "reviews.prod.svc.cluster.local");
  EXPECT_EQ(full_host("reviews.prod", "x", mesh), "reviews.prod");
  EXPECT_EQ(full_host("reviews.prod.svc.cluster.local.", "x", mesh), "reviews.prod.svc.cluster.local");
  EXPECT_EQ(full_host("*", "x", mesh), "*");
  EXPECT_EQ(full_host("*.com", "x", mesh), "*.com");
  EXPECT_EQ(full_host("10.0.0.1", "x", mesh), "10.0.0.1");
  EXPECT_EQ(full_host("fd00::1", "x", mesh), "fd00::1");
  MeshConfig other;
  other.cluster_domain = "corp";
  EXPECT_EQ(full_host("a", "b", other), "a.b.svc.corp");
}

namespace analysis_test {

using analysis::Index;
using analysis::Workloads;

std::vector<ObjectPtr> objects_of(const std::string& text) {
  return read_yaml(text, "f").objects;
}

TEST(Index, FindsServicesAndServiceEntriesByWhoMaySeeThem) {
  const auto objects = objects_of(
      "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: x}\n---\n"
      "apiVersion: v1\nkind: Service\nmetadata: {name: hidden, namespace: x, annotations: "
      "{networking.istio.io/exportTo: 'y, .'}}\n---\n"
      "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: e, namespace: x}\nspec: {hosts: "
      "['*.wild.com', exact.com], exportTo: [.]}\n");
  const MeshConfig mesh;
  const Index index(objects, mesh);
  EXPECT_NE(index.find_host("a.x.svc.cluster.local", "anywhere"), nullptr);
  EXPECT_EQ(index.find_host("a.y.svc.cluster.local", "y"), nullptr);
  EXPECT_NE(index.find_host("hidden.x.svc.cluster.local", "y"), nullptr);
  EXPECT_NE(index.find_host("hidden.x.svc.cluster.local", "x"), nullptr);
  EXPECT_EQ(index.find_host("hidden.x.svc.cluster.local", "z"), nullptr);
  EXPECT_NE(index.find_host("exact.com", "x"), nullptr);
  EXPECT_EQ(index.find_host("exact.com", "y"), nullptr);
  EXPECT_NE(index.find_host("a.b.wild.com", "x"), nullptr);
  EXPECT_EQ(index.find_host("wild.com", "x"), nullptr);
  EXPECT_TRUE(index.covers_any_host("*.cluster.local"));
  EXPECT_FALSE(index.covers_any_host("*.nowhere"));
}

TEST(Workloads, AnyWantsAllLabelsOfOne) {
  const Labels one = {{"app", "a"}, {"version", "v1"}};
  const Labels two = {{"app", "b"}, {"version", "v2"}};
  Workloads workloads;
  workloads.add("x", one);
  workloads.add("x", two);
  EXPECT_TRUE(workloads.any("x", {{"app", "a"}}, {{"version", "v1"}}));
  EXPECT_FALSE(workloads.any("x", {{"app", "a"}}, {{"version", "v2"}}));
  EXPECT_FALSE(workloads.any("x", {{"app", "c"}}, {}));
  EXPECT_FALSE(workloads.any("y", {}, {}));
  EXPECT_TRUE(workloads.any("x", {}, {}));
}

}  // namespace analysis_test
}  // namespace
}  // namespace weir::config
