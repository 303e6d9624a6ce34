#include "routing/view/client_class.h"

#include "support.h"

namespace weir::routing {
namespace {

TEST(ClientClass, ByNamespaceAndTheLabelsThatRulesName) {
  const std::string service = service_yaml("web", "default", "10.0.0.2");
  const std::string rule = rule_yaml("web", "default", "web",
                                     "  http:\n  - match: [{sourceLabels: {app: x}}]\n"
                                     "    route: [{destination: {host: web}}]\n");
  const auto plain = table_of(service), named = table_of(service + rule);
  const Client a = pod_of("one", {{"app", "x"}, {"pod-template-hash", "1"}});
  const Client b = pod_of("one", {{"app", "x"}, {"pod-template-hash", "2"}});
  const Client c = pod_of("one", {{"app", "y"}});
  EXPECT_EQ(class_name(*named, a), class_name(*named, b)) << "no rule names the other label";
  EXPECT_NE(class_name(*named, a), class_name(*named, c));
  EXPECT_EQ(class_name(*plain, a), class_name(*plain, c)) << "no rule names any label";
  EXPECT_NE(class_name(*plain, a), class_name(*plain, pod_of("two", a.labels)));
}

TEST(ClientClass, ALabelCountsAsLongAsSomethingNamesIt) {
  config::Store store;
  TableBuilder builder({});
  const auto labels = [](const std::string& host) {
    return rule_yaml(host, "default", host,
                     "  http:\n  - match: [{sourceLabels: {app: x}}]\n    route: [{destination: {host: web}}]\n");
  };
  const Client a = pod_of("one", {{"app", "x"}}), b = pod_of("one", {{"app", "y"}});
  (void)builder.update(store.mesh(), store.set(config::read_yaml(labels("one"), "one.yaml")));
  auto table = builder.update(store.mesh(), store.set(config::read_yaml(labels("two"), "two.yaml")));
  EXPECT_NE(class_name(*table, a), class_name(*table, b));
  table = builder.update(store.mesh(), store.remove("one.yaml"));
  EXPECT_NE(class_name(*table, a), class_name(*table, b));
  table = builder.update(store.mesh(), store.remove("two.yaml"));
  EXPECT_EQ(class_name(*table, a), class_name(*table, b));
}

}  // namespace
}  // namespace weir::routing
