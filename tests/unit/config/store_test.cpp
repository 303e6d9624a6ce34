#include "config/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/codes.h"

namespace weir::config {
namespace {

std::string pod(const std::string& name, const std::string& ip = "10.0.0.1") {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "}\nstatus: {podIP: " + ip + "}\n";
}

std::vector<std::string> names(const std::vector<ObjectPtr>& objects) {
  std::vector<std::string> all;
  for (const ObjectPtr& object : objects) all.push_back(metadata(*object).name);
  return all;
}

using testing::ElementsAre;

TEST(Store, SetAndRemove) {
  Store store;
  Delta delta = store.set(read_yaml(pod("a") + "---\n" + pod("b"), "f"));
  EXPECT_THAT(names(delta.added), ElementsAre("a", "b"));
  EXPECT_TRUE(delta.removed.empty());
  delta = store.remove("f");
  EXPECT_THAT(names(delta.removed), ElementsAre("a", "b"));
  EXPECT_TRUE(store.objects().empty());
  EXPECT_TRUE(store.remove("f").empty());
  EXPECT_TRUE(store.remove("nothing").empty());
}

TEST(Store, UnchangedObjectsKeepTheirAddress) {
  Store store;
  const Delta first = store.set(read_yaml(pod("a") + "---\n" + pod("b"), "f"));
  EXPECT_TRUE(store.set(read_yaml(pod("a") + "---\n" + pod("b"), "f")).empty());
  EXPECT_EQ(store.objects(), first.added);
  const Delta second = store.set(read_yaml(pod("a") + "---\n" + pod("b", "10.0.0.2"), "f"));
  EXPECT_THAT(names(second.added), ElementsAre("b"));
  EXPECT_THAT(names(second.removed), ElementsAre("b"));
  EXPECT_EQ(store.objects()[0], first.added[0]);
  EXPECT_NE(store.objects()[1], first.added[1]);
}

TEST(Store, AnObjectThatMovedIsReplacedSoThatItsPlacesStayTrue) {
  Store store;
  const Delta first = store.set(read_yaml(pod("a"), "f"));
  const Delta second = store.set(read_yaml("\n" + pod("a"), "f"));
  EXPECT_EQ(second.added.size(), 1U);
  EXPECT_EQ(second.removed, first.added);
  EXPECT_EQ(metadata(*store.objects()[0]).at.line, 2U);
}

TEST(Store, ItemsOfAListKeepTheirAddressOnlyIfTheListDoes) {
  const auto list = [](const std::string& ip) {
    return "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n"
           "- {apiVersion: v1, kind: Pod, metadata: {name: b}, status: {podIP: " +
           ip + "}}\n";
  };
  Store store;
  store.set(read_yaml(list("10.0.0.1"), "f"));
  EXPECT_TRUE(store.set(read_yaml(list("10.0.0.1"), "f")).empty());
  const Delta delta = store.set(read_yaml(list("10.0.0.2"), "f"));
  EXPECT_EQ(delta.added.size(), 2U);
  EXPECT_EQ(delta.removed.size(), 2U);
}

TEST(Store, ObjectsAreInTheOrderOfFilesThenOfPlaces) {
  Store store;
  store.set(read_yaml(pod("z"), "b.yaml"));
  store.set(read_yaml(pod("y") + "---\n" + pod("x"), "a.yaml"));
  EXPECT_THAT(names(store.objects()), ElementsAre("y", "x", "z"));
}

TEST(Store, OneObjectInTwoPlacesIsAnErrorThatNamesBoth) {
  Store store;
  store.set(read_yaml(pod("a"), "a.yaml"));
  store.set(read_yaml("---\n" + pod("b") + "---\n" + pod("a"), "b.yaml"));
  const Diagnostics diagnostics = store.diagnostics();
  ASSERT_EQ(diagnostics.size(), 1U);
  EXPECT_EQ(to_text(diagnostics[0]),
            "b.yaml:9:18: Error [WEIR0003] (Pod default/a) is defined twice, first at a.yaml:1:1");
  store.remove("a.yaml");
  EXPECT_TRUE(store.diagnostics().empty());
}

TEST(Store, TwiceInOneFileIsTwiceToo) {
  Store store;
  store.set(read_yaml(pod("a") + "---\n" + pod("a"), "a.yaml"));
  ASSERT_EQ(store.diagnostics().size(), 1U);
  EXPECT_EQ(store.diagnostics()[0].at.line, 8U);
}

TEST(Store, KindAndNamespaceTellObjectsApart) {
  Store store;
  store.set(
      read_yaml("apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: x}\n---\napiVersion: v1\nkind: "
                "Pod\nmetadata: {name: a, namespace: y}\n"
                "---\napiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: x}\n",
                "f"));
  EXPECT_TRUE(store.diagnostics().empty());
}

TEST(Store, MeshSettingsAreThoseOfTheFirstFileThatHasThem) {
  Store store;
  EXPECT_EQ(store.mesh().root_namespace, "istio-system");
  EXPECT_TRUE(store.set(read_yaml("rootNamespace: b\n", "b")).mesh_changed);
  EXPECT_FALSE(store.set(read_yaml("rootNamespace: b\n", "b")).mesh_changed);
  EXPECT_TRUE(store.set(read_yaml("rootNamespace: a\n", "a")).mesh_changed);
  EXPECT_EQ(store.mesh().root_namespace, "a");
  ASSERT_EQ(store.diagnostics().size(), 1U);
  EXPECT_EQ(store.diagnostics()[0].code, code::kDuplicateObject);
  EXPECT_TRUE(store.remove("a").mesh_changed);
  EXPECT_TRUE(store.remove("b").mesh_changed);
  EXPECT_EQ(store.mesh().root_namespace, "istio-system");
}

TEST(Store, RejectedObjectsStandApart) {
  Store store;
  const Delta delta = store.set(read_yaml("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nstatus: {podIP: x}\n", "f"));
  EXPECT_TRUE(delta.empty());
  EXPECT_TRUE(store.objects().empty());
  EXPECT_THAT(names(store.rejected()), ElementsAre("a"));
  EXPECT_TRUE(has_errors(store.diagnostics()));
}

}  // namespace
}  // namespace weir::config
