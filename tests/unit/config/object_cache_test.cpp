#include "config/object_cache.h"

#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

constexpr const char* kA = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}]}\n";
constexpr const char* kB = "apiVersion: v1\nkind: Service\nmetadata: {name: b}\nspec: {ports: [{port: 80}]}\n";

std::string sample() {
  const ParsedFile a = read_yaml(kA, "a.yaml"), b = read_yaml(kB, "b.yaml");
  return ObjectCache::write("build", {{key_of(kA), &a}, {key_of(kB), &b}});
}

TEST(ObjectCache, HoldsFilesByNameAndText) {
  const auto cache = ObjectCache::read(sample(), "build");
  ASSERT_TRUE(cache) << cache.error().message;
  EXPECT_EQ(cache->size(), 2U);
  const auto a = cache->find("a.yaml", key_of(kA));
  ASSERT_TRUE(a);
  ASSERT_EQ(a->objects.size(), 1U);
  EXPECT_EQ(to_text(*a->objects.front()), "Service default/a type=ClusterIP ips= ports=80/TCP");
  EXPECT_FALSE(cache->find("a.yaml", key_of(kB))) << "another text";
  EXPECT_FALSE(cache->find("c.yaml", key_of(kA))) << "another file";
  EXPECT_FALSE(cache->find("a.yaml", {key_of(kA).hash, 1})) << "another size";
  EXPECT_FALSE(ObjectCache().find("a.yaml", key_of(kA)));
}

TEST(ObjectCache, MovesWithItsBytes) {
  auto read = ObjectCache::read(sample(), "build");
  ASSERT_TRUE(read);
  const ObjectCache moved = std::move(*read);
  EXPECT_TRUE(moved.find("b.yaml", key_of(kB)));
}

TEST(ObjectCache, OneOfAnotherBuildIsRefused) {
  const auto cache = ObjectCache::read(sample(), "builds");
  ASSERT_FALSE(cache);
  EXPECT_EQ(cache.error().message, "was written by another build");
}

TEST(ObjectCache, EveryCutAndEveryChangedByteIsRefused) {
  const std::string bytes = sample();
  for (size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_FALSE(ObjectCache::read(bytes.substr(0, i), "build")) << i;
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    EXPECT_FALSE(ObjectCache::read(changed, "build")) << i;
  }
  EXPECT_FALSE(ObjectCache::read("", "build"));
  EXPECT_FALSE(ObjectCache::read(bytes + "x", "build"));
}

}  // namespace
}  // namespace weir::config
