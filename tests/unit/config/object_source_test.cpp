#include "config/object_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A DestinationRule as an API server has it; `spec` without braces.
std::string rule(const std::string& name, int version, const std::string& spec) {
  return R"({"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {"name": ")" + name +
         R"(", "namespace": "n", "resourceVersion": ")" + std::to_string(version) +
         R"(", "generation": 2}, "spec": {)" + spec + "}}";
}

std::vector<ParsedFile> read(std::string_view text) {
  std::vector<ParsedFile> all;
  read_json(text, "api", [&](ParsedFile object) { all.push_back(std::move(object)); });
  return all;
}

ParsedFile one(const std::string& text) {
  auto all = read(text);
  EXPECT_EQ(all.size(), 1U);
  return all.empty() ? ParsedFile{} : std::move(all.front());
}

std::vector<std::string> names(const std::vector<ObjectPtr>& objects) {
  std::vector<std::string> all;
  for (const ObjectPtr& object : objects) all.push_back(metadata(*object).file);
  return all;
}

std::vector<std::string> texts(const Diagnostics& diagnostics) {
  std::vector<std::string> all;
  for (const Diagnostic& diagnostic : diagnostics) all.push_back(to_text(diagnostic));
  return all;
}

TEST(ReadJson, GoesThroughTheReadersOfYaml) {
  const ParsedFile json = one(rule("a", 7, R"("host": "a", "subsets": [{"name": "v1", "labels": {"x": "y"}}])"));
  ASSERT_EQ(json.objects.size(), 1U);
  const Metadata& meta = metadata(*json.objects.front());
  EXPECT_EQ(json.name, "DestinationRule/n/a@7");
  EXPECT_EQ(meta.file, "DestinationRule/n/a@7");
  EXPECT_EQ(meta.resource_version, "7");
  EXPECT_EQ(meta.generation, 2);
  EXPECT_EQ(meta.at, Position{});
  const ParsedFile yaml = read_yaml(
      "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a, namespace: n}\n"
      "spec: {host: a, subsets: [{name: v1, labels: {x: y}}]}\n",
      "a.yaml");
  EXPECT_EQ(to_text(*json.objects.front()), to_text(*yaml.objects.front()));
}

TEST(ReadJson, FaultsNameTheObjectAndItsVersion) {
  EXPECT_THAT(
      texts(one(rule("a", 7, R"("hots": "a")")).diagnostics),
      ElementsAre("DestinationRule/n/a@7: Error [IST0106] (DestinationRule n/a) spec.host is required: the service "
                  "that the rule is for",
                  "DestinationRule/n/a@7: Warning [IST0133] (DestinationRule n/a) unknown field \"spec.hots\" is "
                  "ignored"));
  EXPECT_THAT(texts(one(rule("a", 7, R"("host": true)")).diagnostics), IsEmpty()) << "as YAML's";
  EXPECT_THAT(
      texts(one(rule("a", 7, R"("host": ["a"])")).diagnostics),
      ElementsAre("DestinationRule/n/a@7: Error [IST0106] (DestinationRule n/a) spec.host must be a string, it is "
                  "a list"));
  EXPECT_THAT(texts(one("{").diagnostics), ElementsAre("api: Error [WEIR0001] not readable as JSON, at byte 2"));
  EXPECT_THAT(texts(one("[]").diagnostics),
              ElementsAre("api: Error [IST0106] an object must be a map, this is a list"));
  EXPECT_THAT(texts(one("{}").diagnostics), ElementsAre("api: Error [IST0106] kind is required"));
}

TEST(ReadJson, ListsAreTheirItems) {
  const auto list = [](const std::string& head, const std::string& items) {
    std::vector<std::string> all;
    for (const auto& file : read("{" + head + R"(, "metadata": {"resourceVersion": "9"}, "items": [)" + items + "]}"))
      all.push_back(file.name + " " + std::to_string(file.objects.size()));
    return all;
  };
  EXPECT_THAT(list(R"("apiVersion": "v1", "kind": "ServiceList")",
                   R"({"metadata": {"name": "a", "namespace": "n", "resourceVersion": "1"}, "spec": {}}, 7,
                      {"metadata": {"name": "b", "resourceVersion": "2"}, "spec": {"ports": 7}})"),
              ElementsAre("Service/n/a@1 1", "api 0", "Service/b@2 0"));
  EXPECT_THAT(list(R"("apiVersion": "v1", "kind": "List")", rule("a", 1, R"("host": "a")")),
              ElementsAre("DestinationRule/n/a@1 1"));
  EXPECT_THAT(
      list(R"("apiVersion": "v1", "kind": "List")", R"({"apiVersion": "v1", "kind": "List", "items": [{"a": 1}]})"),
      ElementsAre("api 0"));
}

TEST(ObjectSource, ARefusedObjectKeepsItsLastGoodVersionAndTheOthersGoOn) {
  ObjectSource source;
  EXPECT_THAT(names(source.set(one(rule("a", 1, R"("host": "a")"))).added), ElementsAre("DestinationRule/n/a@1"));
  EXPECT_TRUE(source.set(one(rule("a", 2, "\"host\": \"\""))).empty());
  const Delta other = source.set(one(rule("b", 3, R"("host": "b")")));
  EXPECT_THAT(names(other.added), ElementsAre("DestinationRule/n/b@3"));
  EXPECT_THAT(names(source.objects()), ElementsAre("DestinationRule/n/a@1", "DestinationRule/n/b@3"));
  EXPECT_THAT(texts(source.diagnostics()),
              ElementsAre("DestinationRule/n/a@2: Error [IST0106] (DestinationRule n/a) spec.host is required: the "
                          "service that the rule is for",
                          "DestinationRule/n/a@2: Warning [WEIR0005] (DestinationRule n/a) goes on as "
                          "DestinationRule/n/a@1: the newer version is refused"));
  const Delta mended = source.set(one(rule("a", 4, R"("host": "a2")")));
  EXPECT_THAT(names(mended.removed), ElementsAre("DestinationRule/n/a@1"));
  EXPECT_THAT(names(mended.added), ElementsAre("DestinationRule/n/a@4"));
  EXPECT_THAT(source.diagnostics(), IsEmpty());
}

TEST(ObjectSource, AnObjectThatWasNeverGoodIsNotThere) {
  ObjectSource source;
  EXPECT_TRUE(source.set(one(rule("a", 1, ""))).empty());
  EXPECT_THAT(source.objects(), IsEmpty());
  EXPECT_EQ(source.diagnostics().size(), 1U);
  EXPECT_TRUE(source.remove({Kind::kDestinationRule, "n", "a"}).empty());
  EXPECT_THAT(source.diagnostics(), IsEmpty());
}

TEST(ObjectSource, TheSameVersionAgainIsNoChange) {
  ObjectSource source;
  source.set(one(rule("a", 1, R"("host": "a")")));
  EXPECT_TRUE(source.set(one(rule("a", 1, R"("host": "a")"))).empty());
  EXPECT_FALSE(source.set(one(rule("a", 2, R"("host": "a")"))).empty());
}

TEST(ObjectSource, WhatANewListDoesNotHaveHasGone) {
  ObjectSource source;
  for (const char* name : {"a", "b", "c"}) source.set(one(rule(name, 1, R"("host": "a")")));
  source.set(one(R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "n"}})"));
  const Delta delta = source.retain(Kind::kDestinationRule, {{Kind::kDestinationRule, "n", "b"}});
  EXPECT_THAT(names(delta.removed), ElementsAre("DestinationRule/n/a@1", "DestinationRule/n/c@1"));
  EXPECT_EQ(source.size(), 2U) << "the Pod is of another list";
  EXPECT_THAT(names(source.remove({Kind::kPod, "n", "p"}).removed), ElementsAre("Pod/n/p@"));
  EXPECT_TRUE(source.remove({Kind::kPod, "n", "p"}).empty());
}

class ObjectSetTest : public ::testing::Test {
 protected:
  static Delta added(ObjectPtr object) {
    Delta delta;
    delta.added.push_back(std::move(object));
    return delta;
  }
  static Delta removed(ObjectPtr object) {
    Delta delta;
    delta.removed.push_back(std::move(object));
    return delta;
  }
  ObjectPtr local_ =
      read_yaml(
          "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a, namespace: n}\n"
          "spec: {host: a}\n",
          "a.yaml")
          .objects.front();
  ObjectPtr remote_ = one(rule("a", 5, R"("host": "a")")).objects.front();
  ObjectSet set_;
};

using enum ObjectSet::Source;

TEST_F(ObjectSetTest, AFileOfTheNodeWinsAndThatIsSaid) {
  EXPECT_THAT(names(set_.take(kApiServer, added(remote_)).added), ElementsAre("DestinationRule/n/a@5"));
  EXPECT_THAT(set_.shadowed(), IsEmpty());
  const Delta covered = set_.take(kFolder, added(local_));
  EXPECT_THAT(names(covered.removed), ElementsAre("DestinationRule/n/a@5"));
  EXPECT_THAT(names(covered.added), ElementsAre("a.yaml"));
  EXPECT_THAT(texts(set_.shadowed()),
              ElementsAre("DestinationRule/n/a@5: Warning [WEIR0006] (DestinationRule n/a) is not "
                          "used: this node's own files have it at a.yaml:1:1"));
  const Delta back = set_.take(kFolder, removed(local_));
  EXPECT_THAT(names(back.removed), ElementsAre("a.yaml"));
  EXPECT_THAT(names(back.added), ElementsAre("DestinationRule/n/a@5"));
  set_.take(kApiServer, removed(remote_));
  EXPECT_EQ(set_.size(), 0U);
}

TEST_F(ObjectSetTest, WhatIsCoveredMayComeAndGoUnseen) {
  set_.take(kFolder, added(local_));
  EXPECT_TRUE(set_.take(kApiServer, added(remote_)).empty());
  EXPECT_EQ(set_.shadowed().size(), 1U);
  EXPECT_TRUE(set_.take(kApiServer, removed(remote_)).empty());
  EXPECT_THAT(set_.shadowed(), IsEmpty());
  EXPECT_EQ(set_.size(), 1U);
}

TEST_F(ObjectSetTest, OneKindsNameIsNotAnothers) {
  const auto pod =
      read_yaml("apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: n}\n", "p.yaml").objects.front();
  set_.take(kFolder, added(pod));
  EXPECT_FALSE(set_.take(kApiServer, added(remote_)).empty());
  EXPECT_EQ(set_.size(), 2U);
}

TEST_F(ObjectSetTest, ANewVersionInTheSameSourceTakesThePlaceOfTheOld) {
  set_.take(kApiServer, added(remote_));
  const auto newer = one(rule("a", 6, R"("host": "a")")).objects.front();
  Delta delta = added(newer);
  delta.removed.push_back(remote_);
  const Delta net = set_.take(kApiServer, delta);
  EXPECT_THAT(names(net.removed), ElementsAre("DestinationRule/n/a@5"));
  EXPECT_THAT(names(net.added), ElementsAre("DestinationRule/n/a@6"));
  EXPECT_TRUE(set_.take(kApiServer, removed(remote_)).empty()) << "an old one's end is no news";
  EXPECT_TRUE(set_.take(kApiServer, {}).empty());
}

TEST(Corpus, JsonOfAnObjectIsReadAsItsYamlIs) {
  // YAML readers take JSON: the same text goes through both trees.
  const std::string text =
      rule("a", 7, R"("host": "a", "trafficPolicy": {"connectionPool": {"tcp": {"maxConnections": 5,
      "connectTimeout": "1.5s"}}, "outlierDetection": {"consecutive5xxErrors": 3}}, "exportTo": ["."])");
  const ParsedFile json = one(text), yaml = read_yaml(text, "a.json");
  ASSERT_EQ(json.objects.size() + yaml.objects.size(), 2U);
  const auto& a = std::get<DestinationRule>(*json.objects[0]);
  const auto& b = std::get<DestinationRule>(*yaml.objects[0]);
  EXPECT_EQ(a.traffic_policy->connection_pool->max_connections, b.traffic_policy->connection_pool->max_connections);
  EXPECT_EQ(a.traffic_policy->connection_pool->connect_timeout, std::chrono::milliseconds(1500));
  EXPECT_EQ(a.export_to.front().value, ".");
}

}  // namespace
}  // namespace weir::config
