#include "agent/source/config_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "samples.h"
#include "tests/unit/support/temp_dir.h"

namespace weir::agent {
namespace {

using ::testing::HasSubstr;

const ConfigFolder::BeingWritten kNobodyWrites = [](const std::string&) { return false; };

class ConfigFolderTest : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) { std::ofstream(dir_.file(name)) << text; }
  void refresh_all() { ASSERT_TRUE(folder_.refresh({.names = {}, .everything = true}, kNobodyWrites)); }
  void refresh(const std::string& name) { ASSERT_TRUE(folder_.refresh({.names = {name}}, kNobodyWrites)); }

  test::TempDir dir_;
  ConfigFolder folder_{dir_.path().string()};
};

TEST_F(ConfigFolderTest, FirstReadingAddsEverything) {
  write("services.yaml", kServices);
  write("rule.yaml", split_rule(90, 10));
  refresh_all();
  const auto delta = folder_.take_delta();
  EXPECT_EQ(delta.added.size(), 6U);
  EXPECT_TRUE(delta.removed.empty());
  EXPECT_EQ(folder_.objects().at("Pod"), 2U);
  EXPECT_FALSE(folder_.has_delta());
}

TEST_F(ConfigFolderTest, NothingChangedIsNothing) {
  write("rule.yaml", split_rule(90, 10));
  refresh_all();
  folder_.take_delta();
  refresh_all();
  refresh("rule.yaml");
  EXPECT_FALSE(folder_.has_delta());
}

TEST_F(ConfigFolderTest, OneFileChanged) {
  write("services.yaml", kServices);
  write("rule.yaml", split_rule(90, 10));
  refresh_all();
  folder_.take_delta();
  write("rule.yaml", split_rule(50, 50));
  refresh("rule.yaml");
  const auto delta = folder_.take_delta();
  EXPECT_EQ(delta.added.size(), 1U);
  EXPECT_EQ(delta.removed.size(), 1U);
}

TEST_F(ConfigFolderTest, GoneFileByNameAndByComparison) {
  write("a.yaml", split_rule(90, 10));
  write("services.yaml", kServices);
  refresh_all();
  folder_.take_delta();
  std::filesystem::remove(dir_.file("a.yaml"));
  refresh("a.yaml");
  EXPECT_EQ(folder_.take_delta().removed.size(), 1U);
  std::filesystem::remove(dir_.file("services.yaml"));
  refresh_all();
  EXPECT_EQ(folder_.take_delta().removed.size(), 5U);
  EXPECT_TRUE(folder_.objects().empty());
}

// The listing is made on another thread, and is of a moment ago when it arrives.
TEST_F(ConfigFolderTest, AListingOfAMomentAgoLosesNothing) {
  write("early.yaml", split_rule(90, 10));
  write("gone.yaml", kServices);
  refresh_all();
  folder_.take_delta();
  const auto folder = Folder::open(dir_.path().string());
  ASSERT_TRUE(folder);
  const auto listing = std::make_shared<const std::vector<FolderEntry>>(*folder->list());
  std::filesystem::remove(dir_.file("gone.yaml"));
  write("late.yaml", kServices);
  refresh("late.yaml");  // its event came first
  ASSERT_TRUE(folder_.refresh({.names = {}, .everything = true, .listing = listing}, kNobodyWrites));
  EXPECT_TRUE(folder_.store().files().contains("early.yaml"));
  EXPECT_TRUE(folder_.store().files().contains("late.yaml")) << "came after the listing";
  EXPECT_TRUE(folder_.store().files().contains("gone.yaml")) << "its stamp is as it was; its own event will tell";
  const auto without = std::make_shared<const std::vector<FolderEntry>>();
  ASSERT_TRUE(folder_.refresh({.names = {}, .everything = true, .listing = without}, kNobodyWrites));
  EXPECT_EQ(folder_.store().files().size(), 2U) << "what is not listed is looked for, and only gone.yaml is not there";
}

TEST_F(ConfigFolderTest, WhatCameAndWentDoesNotShow) {
  write("rule.yaml", split_rule(90, 10));
  refresh_all();
  std::filesystem::remove(dir_.file("rule.yaml"));
  refresh_all();
  EXPECT_FALSE(folder_.has_delta());
}

TEST_F(ConfigFolderTest, ChangesAreGatheredOverABrokenTime) {
  write("rule.yaml", split_rule(90, 10));
  refresh_all();
  folder_.take_delta();
  write("rule.yaml", "kind: [");
  refresh_all();
  EXPECT_FALSE(folder_.errors().empty());
  write("rule.yaml", split_rule(1, 2));
  refresh_all();
  write("rule.yaml", split_rule(3, 4));
  refresh_all();
  EXPECT_TRUE(folder_.errors().empty());
  const auto delta = folder_.take_delta();
  EXPECT_EQ(delta.removed.size(), 1U);
  EXPECT_EQ(delta.added.size(), 1U);
}

TEST_F(ConfigFolderTest, DuplicateObjectIsAnErrorUntilOneGoes) {
  write("a.yaml", split_rule(90, 10));
  write("b.yaml", split_rule(50, 50));
  refresh_all();
  ASSERT_EQ(folder_.errors().size(), 1U);
  EXPECT_THAT(config::to_text(folder_.errors().front()), HasSubstr("a.yaml"));
  std::filesystem::remove(dir_.file("a.yaml"));
  refresh_all();
  EXPECT_TRUE(folder_.errors().empty());
}

TEST_F(ConfigFolderTest, ThreeTimesTheSameObject) {
  for (const char* name : {"a.yaml", "b.yaml", "c.yaml"}) write(name, split_rule(90, 10));
  refresh_all();
  EXPECT_EQ(folder_.errors().size(), 2U);
  std::filesystem::remove(dir_.file("b.yaml"));
  refresh_all();
  EXPECT_EQ(folder_.errors().size(), 1U);
  std::filesystem::remove(dir_.file("a.yaml"));
  refresh_all();
  EXPECT_TRUE(folder_.errors().empty());
}

TEST_F(ConfigFolderTest, TwoMeshFilesAreAnError) {
  write("mesh.yaml", "rootNamespace: istio-system\n");
  refresh_all();
  EXPECT_TRUE(folder_.errors().empty());
  write("mesh2.yaml", "rootNamespace: other\n");
  refresh_all();
  EXPECT_FALSE(folder_.errors().empty());
}

TEST_F(ConfigFolderTest, ErrorsAreThoseOfTheStore) {
  write("a.yaml", split_rule(-1, 10));
  write("b.yaml", "kind: [");
  write("c.yaml", split_rule(1, 1, "x"));
  refresh_all();
  size_t expected = 0;
  for (const auto& diagnostic : folder_.store().diagnostics()) expected += diagnostic.level == config::Level::kError;
  EXPECT_EQ(folder_.errors().size(), expected);
  EXPECT_GE(expected, 2U);
}

TEST_F(ConfigFolderTest, FifoIsAnErrorAndDoesNotBlock) {
  ASSERT_EQ(::mkfifo(dir_.file("f.yaml").c_str(), 0600), 0);
  refresh_all();
  ASSERT_EQ(folder_.errors().size(), 1U);
  EXPECT_THAT(config::to_text(folder_.errors().front()),
              HasSubstr("f.yaml: Error [WEIR0001] cannot be read: is a FIFO"));
  std::filesystem::remove(dir_.file("f.yaml"));
  refresh("f.yaml");
  EXPECT_TRUE(folder_.errors().empty());
}

TEST_F(ConfigFolderTest, FileThatIsBeingWrittenStaysAsItWas) {
  write("rule.yaml", split_rule(90, 10));
  refresh_all();
  folder_.take_delta();
  write("rule.yaml", split_rule(50, 50));
  ASSERT_TRUE(folder_.refresh({{"rule.yaml"}, true}, [](const std::string& name) { return name == "rule.yaml"; }));
  EXPECT_FALSE(folder_.has_delta());
}

TEST_F(ConfigFolderTest, WriterThatBeginsDuringTheReadingCountsToo) {
  write("rule.yaml", split_rule(90, 10));
  int asked = 0;
  ASSERT_TRUE(folder_.refresh({{}, true}, [&](const std::string&) { return ++asked > 1; }));
  EXPECT_FALSE(folder_.has_delta());
  EXPECT_EQ(asked, 2);
}

TEST_F(ConfigFolderTest, FolderThatIsNotThere) {
  write("rule.yaml", split_rule(90, 10));
  refresh_all();
  folder_.take_delta();
  std::filesystem::remove_all(dir_.path());
  EXPECT_FALSE(folder_.refresh({{}, true}, kNobodyWrites));
  EXPECT_FALSE(folder_.has_delta());
  EXPECT_EQ(folder_.store().files().size(), 1U);
}

TEST(NetDelta, KeepsTheOrder) {
  NetDelta net;
  config::Delta delta;
  std::vector<config::ObjectPtr> objects;
  for (int i = 0; i < 5; ++i) objects.push_back(std::make_shared<config::AnyObject>(config::Namespace{}));
  delta.added = objects;
  net.add(delta);
  config::Delta without;
  without.removed = {objects[2]};
  net.add(without);
  const auto taken = net.take();
  EXPECT_EQ(taken.added, (std::vector<config::ObjectPtr>{objects[0], objects[1], objects[3], objects[4]}));
  EXPECT_TRUE(taken.removed.empty());
  EXPECT_TRUE(net.empty());
}

TEST(NetDelta, RemovedAndAddedAgainIsNothing) {
  NetDelta net;
  const config::ObjectPtr object = std::make_shared<config::AnyObject>(config::Namespace{});
  net.add({{object}, {}, false});
  net.add({{}, {object}, false});
  EXPECT_TRUE(net.empty());
  net.add({{}, {}, true});
  EXPECT_TRUE(net.take().mesh_changed);
}

/// A cache in which `text` of the file `name` stands for other objects, so that it shows whether it is asked.
config::ObjectCache forged_cache(const std::string& name, const std::string& text) {
  const auto other = config::read_yaml("apiVersion: v1\nkind: Pod\nmetadata: {name: from-the-cache}\n", name);
  auto cache = config::ObjectCache::read(config::ObjectCache::write("b", {{config::key_of(text), &other}}), "b");
  EXPECT_TRUE(cache);
  return cache ? std::move(*cache) : config::ObjectCache();
}

std::vector<std::string> names(const std::vector<config::ObjectPtr>& objects) {
  std::vector<std::string> names;
  for (const auto& object : objects) names.push_back(config::metadata(*object).describe());
  return names;
}

TEST_F(ConfigFolderTest, AFileWithTheTextOfTheCacheIsTakenFromThereOnce) {
  const std::string rule = split_rule(90, 10);
  write("rule.yaml", rule);
  folder_.use_cache(forged_cache("rule.yaml", rule));
  refresh_all();
  EXPECT_THAT(names(folder_.take_delta().added), ::testing::ElementsAre("Pod default/from-the-cache"));
  refresh("rule.yaml");
  EXPECT_EQ(folder_.take_delta().added.size(), 1U) << "its time is over: the text is read";
  EXPECT_EQ(folder_.objects().count("VirtualService"), 1U);
}

TEST_F(ConfigFolderTest, AnotherTextThanTheCachesIsRead) {
  write("rule.yaml", split_rule(50, 50));
  folder_.use_cache(forged_cache("rule.yaml", split_rule(90, 10)));
  refresh_all();
  EXPECT_EQ(folder_.objects().count("Pod"), 0U);
  EXPECT_EQ(folder_.objects().count("VirtualService"), 1U);
}

TEST_F(ConfigFolderTest, WhatMayBeKeptForTheNextStartIsGivenOnceAfterEachChange) {
  EXPECT_FALSE(folder_.take_cachable());
  write("rule.yaml", split_rule(90, 10));
  write("bad.yaml", "kind: [");
  refresh_all();
  auto kept = folder_.take_cachable();
  ASSERT_TRUE(kept);
  ASSERT_EQ(kept->size(), 1U) << "not the file with the error";
  EXPECT_EQ(kept->front().file.name, "rule.yaml");
  EXPECT_EQ(kept->front().text, config::key_of(split_rule(90, 10)));
  EXPECT_FALSE(folder_.take_cachable());
  std::filesystem::remove(dir_.file("rule.yaml"));
  refresh_all();
  EXPECT_EQ(folder_.take_cachable().value().size(), 0U);
}

TEST_F(ConfigFolderTest, AStartFromAWholeCacheNeedsNoNewOneAndFromATooLargeOneDoes) {
  write("rule.yaml", split_rule(90, 10));
  refresh_all();
  const auto start = [&](const std::vector<std::string>& more) {
    const auto kept = config::read_yaml(split_rule(90, 10), "rule.yaml");
    std::vector<config::ParsedFile> others;
    for (const auto& name : more) others.push_back(config::read_yaml("", name));
    std::vector<config::ObjectCache::Entry> entries = {{config::key_of(split_rule(90, 10)), &kept}};
    for (const auto& other : others) entries.push_back({config::key_of(""), &other});
    ConfigFolder folder(dir_.path().string());
    folder.use_cache(*config::ObjectCache::read(config::ObjectCache::write("b", entries), "b"));
    EXPECT_TRUE(folder.refresh({.names = {}, .everything = true}, kNobodyWrites));
    EXPECT_EQ(folder.objects().count("VirtualService"), 1U);
    return folder.take_cachable().has_value();
  };
  EXPECT_FALSE(start({}));
  EXPECT_TRUE(start({"gone.yaml"}));
}

TEST_F(ConfigFolderTest, GivesTheFilesThatChangedWithTheirObjects) {
  write("rule.yaml", split_rule(90, 10));
  refresh_all();
  auto changed = folder_.take_changed();
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_EQ(changed.at("rule.yaml")->objects, folder_.store().files().at("rule.yaml").objects);
  EXPECT_TRUE(folder_.take_changed().empty());
  std::filesystem::remove(dir_.file("rule.yaml"));
  refresh_all();
  changed = folder_.take_changed();
  EXPECT_EQ(changed.at("rule.yaml"), nullptr);
}

}  // namespace
}  // namespace weir::agent
