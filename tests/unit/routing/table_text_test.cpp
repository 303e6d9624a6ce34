#include "support.h"

namespace weir::routing {
namespace {

TEST(TableText, IsALineAnEntry) {
  const auto table = table_of(service_yaml("web", "default", "10.0.0.2", {"v1"}) +
                              "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: web, "
                              "namespace: default}\nspec:\n"
                              "  host: web\n  subsets: [{name: v1, labels: {version: v1}}]\n" +
                              rule_yaml("web", "default", "web, '*.example.com'",
                                        "  http:\n  - name: only\n    match: [{port: 80}]\n    route: [{destination: "
                                        "{host: web, subset: v1}, weight: 5}]\n"));
  EXPECT_EQ(
      to_text(*table),
      "mesh domain=cluster.local root=istio-system\n"
      "service default/web.default.svc.cluster.local source=kubernetes resolution=static addresses=10.0.0.2 export=* "
      "at=test.yaml:2:1\n"
      "port default/web.default.svc.cluster.local:80 name=http protocol=http\n"
      "endpoint default/web.default.svc.cluster.local:80 10.1.2.1:8080 weight=1 healthy of=default/web-v1 "
      "labels=app=web,version=v1\n"
      "virtual-service default/web hosts=web.default.svc.cluster.local,*.example.com gateways=mesh export=* "
      "created=1704067200 at=test.yaml:33:1\n"
      "route default/web http#0 name=only matches=1 at=test.yaml:39:5 1*web.default.svc.cluster.local/v1\n"
      "destination-rule default/web host=web.default.svc.cluster.local export=* v1{version=v1} at=test.yaml:26:1\n"
      "pod default/web-v1 addresses=10.1.2.1 labels=app=web,version=v1\n");
}

TEST(TableText, DoesNotDependOnTheOrderOfFiles) {
  const std::string a = service_yaml("a", "default", "10.0.0.2"), b = service_yaml("b", "default", "10.0.0.3");
  config::Store forwards, backwards;
  forwards.set(read(a, "a.yaml"));
  forwards.set(read(b, "b.yaml"));
  backwards.set(read(b, "b.yaml"));
  backwards.set(read(a, "a.yaml"));
  EXPECT_EQ(to_text(*build_table(forwards)), to_text(*build_table(backwards)));
}

}  // namespace
}  // namespace weir::routing
