// Whom references may lead to (semantics 2, ReferenceGrant).
#include "routing/build/route_references.h"

#include <gtest/gtest.h>

#include "route_support.h"

namespace weir::routing {
namespace {

std::string grant(const std::string& from, const std::string& to, const std::string& namespace_ = "other") {
  return api_object("ReferenceGrant", "g", "  from: [{" + from + "}]\n  to: [{" + to + "}]\n", namespace_, "v1beta1");
}

const std::string kFrom = "group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: default";
const std::string kFar = mesh_route("r", "  - backendRefs: [{name: far, namespace: other, port: 80}]\n");

TEST(RouteReferences, AnotherNamespaceMustGrantThem) {
  EXPECT_EQ(ask_mesh(kFar), "500");
  EXPECT_EQ(ask_mesh(kFar + grant(kFrom, "group: '', kind: Service")), "far");
  EXPECT_EQ(ask_mesh(kFar + grant(kFrom, "group: '', kind: Service, name: far")), "far");
  EXPECT_EQ(ask_mesh(kFar + grant(kFrom, "group: '', kind: Service, name: near")), "500");
  EXPECT_EQ(ask_mesh(kFar + grant(kFrom, "group: '', kind: Secret")), "500");
  EXPECT_EQ(ask_mesh(kFar + grant(kFrom, "group: '', kind: Service", "default")), "500") << "it grants its own alone";
  const std::string tcp = "group: gateway.networking.k8s.io, kind: TCPRoute, namespace: default";
  EXPECT_EQ(ask_mesh(kFar + grant(tcp, "group: '', kind: Service")), "500");
  const std::string elsewhere = "group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: third";
  EXPECT_EQ(ask_mesh(kFar + grant(elsewhere, "group: '', kind: Service")), "500");
}

TEST(RouteReferences, TheStatusNamesTheReason) {
  const auto reason = [](const std::string& backend) {
    const auto table = table_of(backends_yaml() + mesh_route("r", "  - backendRefs: [{" + backend + "}]\n"));
    return table->route_status.find("HTTPRoute/default/r")->parents.at(0).resolved;
  };
  EXPECT_EQ(reason("name: a, port: 80"), "ResolvedRefs");
  EXPECT_EQ(reason("name: nosuch, port: 80"), "BackendNotFound");
  EXPECT_EQ(reason("name: a, port: 81"), "BackendNotFound");
  EXPECT_EQ(reason("name: far, namespace: other, port: 80"), "RefNotPermitted");
  EXPECT_EQ(reason("name: x, group: x.io, kind: Widget, port: 80"), "InvalidKind");
}

}  // namespace
}  // namespace weir::routing
