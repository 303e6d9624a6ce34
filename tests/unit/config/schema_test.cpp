#include "config/schema.h"

#include <gtest/gtest.h>

#include <set>

namespace weir::config::schema {
namespace {

TEST(Schema, HasIstiosKindsInAllTheirVersions) {
  std::set<std::string_view> names;
  for (const Kind& kind : kinds()) names.insert(kind.name);
  for (const char* name :
       {"VirtualService", "DestinationRule", "Gateway", "ServiceEntry", "WorkloadEntry", "Sidecar",
        "AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication", "EnvoyFilter", "Telemetry"})
    EXPECT_TRUE(names.contains(name)) << name;
  for (const char* version : {"v1", "v1beta1", "v1alpha3"}) {
    EXPECT_NE(find_kind(std::string("networking.istio.io/") + version, "VirtualService"), nullptr) << version;
  }
}

TEST(Schema, KnowsNothingElse) {
  for (const auto& [version, name] :
       std::initializer_list<std::pair<const char*, const char*>>{{"networking.istio.io/v2", "VirtualService"},
                                                                  {"gateway.networking.k8s.io/v1", "Gateway"},
                                                                  {"v1", "Gateway"},
                                                                  {"", ""},
                                                                  {"networking.istio.io/v1", "Virtualservice"}}) {
    EXPECT_EQ(find_kind(version, name), nullptr) << version << " " << name;
  }
}

/// Each type of the data is complete: what it is made of is there, and its rules have code.
TEST(Schema, IsComplete) {
  std::set<const Type*> seen;
  const auto check = [&](const auto& self, const Type& type) -> void {
    if (!seen.insert(&type).second) return;
    for (const Rule rule : type.rules) EXPECT_NE(rule, nullptr);
    if (type.is == Type::Is::kList || type.is == Type::Is::kMap) {
      ASSERT_NE(type.item, nullptr);
      self(self, *type.item);
    }
    for (const Field& field : type.fields) {
      EXPECT_FALSE(field.name.empty());
      ASSERT_NE(field.type, nullptr);
      self(self, *field.type);
    }
    for (const auto& group : type.one) EXPECT_GT(group.size(), 1U);
  };
  for (const Kind& kind : kinds()) {
    ASSERT_NE(kind.spec, nullptr) << kind.name;
    EXPECT_FALSE(kind.spec->fields.empty()) << kind.name;
    check(check, *kind.spec);
  }
  EXPECT_GT(seen.size(), 200U);
}

}  // namespace
}  // namespace weir::config::schema
