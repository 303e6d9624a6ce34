#include "routing/build/objects.h"

#include <gtest/gtest.h>

namespace weir::routing {
namespace {

config::ObjectPtr object(const std::string& name, int64_t creation, const std::string& file = "a.yaml",
                         uint32_t line = 1) {
  config::VirtualService rule;
  rule.meta.kind = config::Kind::kVirtualService;
  rule.meta.namespace_ = "default";
  rule.meta.name = name;
  rule.meta.creation_timestamp = creation;
  rule.meta.file = file;
  rule.meta.at = {line, 1};
  return std::make_shared<const config::AnyObject>(rule);
}

TEST(ObjectIndex, KeepsTheSameOrderHoweverObjectsCome) {
  const auto old = object("z", 1), young = object("a", 2), tie = object("b", 2), twin = object("b", 2, "b.yaml");
  ObjectIndex forwards, backwards;
  for (const auto& each : {old, young, tie, twin}) forwards.add("k", each);
  for (const auto& each : {twin, tie, young, old}) backwards.add("k", each);
  EXPECT_EQ(forwards.get("k"), (std::vector<config::ObjectPtr>{old, young, tie, twin}));
  EXPECT_EQ(backwards.get("k"), forwards.get("k"));
}

TEST(ObjectIndex, RemovesByIdentity) {
  ObjectIndex index;
  const auto one = object("a", 1), same = object("a", 1);
  index.add("k", one);
  index.remove("k", same);
  EXPECT_EQ(index.first("k"), one);
  index.remove("nosuch", one);
  index.remove("k", one);
  EXPECT_EQ(index.first("k"), nullptr);
  EXPECT_TRUE(index.get("k").empty());
}

TEST(ExportTo, DotIsTheOwnNamespaceAndTildeNobody) {
  using List = std::vector<config::Located<std::string>>;
  EXPECT_TRUE(export_to(List{}, "a").everyone);
  EXPECT_TRUE(export_to(List{{"*", {}}}, "a").everyone);
  EXPECT_EQ(export_to(List{{".", {}}, {"b", {}}}, "a").namespaces, (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(export_to(List{{"~", {}}}, "a").everyone);
  EXPECT_TRUE(export_to(List{{"~", {}}}, "a").namespaces.empty());
}

TEST(Finding, IsAtTheObjectWhereNoBetterPlaceIsKnown) {
  config::Metadata meta;
  meta.kind = config::Kind::kService;
  meta.namespace_ = "default";
  meta.name = "web";
  meta.file = "a.yaml";
  meta.at = {3, 1};
  EXPECT_EQ(finding(config::Level::kError, "X1", meta, {}, "wrong").at.line, 3U);
  EXPECT_EQ(finding(config::Level::kError, "X1", meta, {7, 2}, "wrong").at.line, 7U);
  EXPECT_EQ(finding(config::Level::kError, "X1", meta, {}, "wrong").object, "Service default/web");
}

}  // namespace
}  // namespace weir::routing
