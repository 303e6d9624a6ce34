#include "config/kinds.h"

#include <gtest/gtest.h>

#include <set>

#include "support.h"

namespace weir::config {
namespace {

TEST(Kinds, EachIsWhatItsMakerMakesAndHasItsOwnName) {
  std::set<std::pair<std::string_view, std::string_view>> names, plurals;
  for (const KindInfo& kind : kinds()) {
    EXPECT_EQ(kind.make().index(), static_cast<size_t>(kind.kind)) << kind.name;
    EXPECT_EQ(&info(kind.kind), &kind);
    EXPECT_EQ(to_string(kind.kind), kind.name);
    EXPECT_TRUE(names.emplace(kind.group, kind.name).second) << kind.name;
    EXPECT_TRUE(plurals.emplace(kind.group, kind.plural).second) << kind.plural;
  }
}

TEST(Kinds, AreFoundByGroupVersionAndName) {
  const auto found = [](std::string_view api_version, std::string_view kind) {
    const KindInfo* known = find_kind(api_version, kind);
    return known == nullptr ? std::string("-") : known->api_version() + " " + std::string(known->name);
  };
  EXPECT_EQ(found("networking.istio.io/v1alpha3", "Gateway"), "networking.istio.io/v1 Gateway");
  EXPECT_EQ(found("gateway.networking.k8s.io/v1beta1", "Gateway"), "gateway.networking.k8s.io/v1 Gateway");
  EXPECT_EQ(found("gateway.networking.k8s.io/v1alpha3", "TLSRoute"), "gateway.networking.k8s.io/v1 TLSRoute");
  EXPECT_EQ(found("v1", "Service"), "v1 Service");
  EXPECT_EQ(found("discovery.k8s.io/v1", "EndpointSlice"), "discovery.k8s.io/v1 EndpointSlice");
  for (const auto& [version, kind] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"v2", "Service"},
           {"", "Service"},
           {"apps/v1", "Service"},
           {"networking.istio.io", "Gateway"},
           {"networking.istio.io/", "Gateway"},
           {"networking.istio.io/v1/v1", "Gateway"},
           {"networking.istio.io/v1beta2", "Gateway"},
           {"gateway.networking.k8s.io/v1alpha3", "HTTPRoute"},
           {"gateway.networking.x-k8s.io/v1", "Gateway"},
           {"v1", "Gateway"},
           {"v1", "service"},
           {"discovery.k8s.io/v1beta1", "EndpointSlice"},
       }) {
    EXPECT_EQ(found(version, kind), "-") << version << " " << kind;
  }
}

TEST(Kinds, WhatIsNotReadIsSaid) {
  const auto finding = [](std::string_view api_version, std::string_view kind) {
    const ParsedFile file = read_yaml(test::object(api_version, kind, "a: b"), "a.yaml");
    EXPECT_EQ(file.diagnostics.size(), 1U);
    EXPECT_TRUE(file.objects.empty() && file.rejected.empty());
    return file.diagnostics.empty() ? std::string() : to_text(file.diagnostics.front());
  };
  EXPECT_EQ(finding("networking.istio.io/v1alpha1", "Gateway"),
            "a.yaml:1:13: Warning [WEIR0004] skipped: Gateway (networking.istio.io/v1alpha1) is of a version that Weir "
            "does not read");
  EXPECT_EQ(finding("gateway.networking.x-k8s.io/v1alpha1", "XListenerSet"),
            "a.yaml:2:7: Warning [WEIR0004] skipped: Weir does not honour kind XListenerSet "
            "(gateway.networking.x-k8s.io/v1alpha1)");
  EXPECT_EQ(finding("apps/v1", "Deployment"),
            "a.yaml:2:7: Info [WEIR0004] skipped: kind Deployment (apps/v1) is not used by Weir");
}

TEST(Kinds, TheTwoGatewaysAreTwoObjects) {
  Store store;
  store.set(
      read_yaml("apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: a}\nspec:\n  selector: {a: b}\n"
                "  servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: ['*']}]\n---\n"
                "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: a}\nspec:\n"
                "  gatewayClassName: weir\n  listeners: [{name: a, port: 80, protocol: HTTP}]\n",
                "a.yaml"));
  EXPECT_EQ(test::lines(store.diagnostics()), std::vector<std::string>{});
  ASSERT_EQ(store.objects().size(), 2U);
  EXPECT_TRUE(std::holds_alternative<Gateway>(*store.objects()[0]));
  EXPECT_TRUE(std::holds_alternative<gateway_api::Gateway>(*store.objects()[1]));
}

TEST(Kinds, OneOfTheClusterHasNoNamespace) {
  const ParsedFile file = read_yaml(
      "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: a, namespace: b}\n"
      "spec: {controllerName: weir.dev/gateway-controller}\n",
      "a.yaml");
  ASSERT_EQ(file.objects.size(), 1U);
  EXPECT_EQ(metadata(*file.objects.front()).describe(), "GatewayClass a");
}

}  // namespace
}  // namespace weir::config
