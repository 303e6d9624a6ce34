#pragma once
// Short ways to a table from YAML, for the tests of routing.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/store.h"
#include "routing/build/table_builder.h"
#include "routing/view/resolve.h"

namespace weir::routing {

/// Reads `yaml` as one file; a file that cannot be read fails the test.
inline config::ParsedFile read(std::string_view yaml, std::string name = "test.yaml") {
  config::ParsedFile file = config::read_yaml(yaml, std::move(name));
  for (const config::Diagnostic& diagnostic : file.diagnostics)
    if (diagnostic.level == config::Level::kError) ADD_FAILURE() << config::to_text(diagnostic);
  return file;
}

inline std::shared_ptr<const Table> table_of(std::string_view yaml, const BuildOptions& options = {}) {
  config::Store store;
  store.set(read(yaml));
  return build_table(store, options);
}

inline Client pod_of(std::string namespace_, config::Labels labels = {}) {
  Client client;
  client.namespace_ = std::move(namespace_);
  client.labels = std::move(labels);
  return client;
}

/// A Service `name` in `namespace_` at `address` with port 80 (http) -> 8080, and a slice with an endpoint for each of
/// `versions` at 10.1.N.(1..), each with a pod labelled version=....
inline std::string service_yaml(const std::string& name, const std::string& namespace_, const std::string& address,
                                const std::vector<std::string>& versions = {"v1", "v2", "v3"},
                                const std::string& port_name = "http") {
  std::string slice, pods;
  const std::string prefix = address.substr(address.rfind('.') + 1);
  for (size_t i = 0; i < versions.size(); ++i) {
    const std::string pod = name + "-" + versions[i];
    const std::string ip = "10.1." + prefix + "." + std::to_string(i + 1);
    slice += "- addresses: [" + ip +
             "]\n  conditions: {ready: true}\n  targetRef: {kind: Pod, namespace: " + namespace_ + ", name: " + pod +
             "}\n";
    pods += "---\napiVersion: v1\nkind: Pod\nmetadata: {name: " + pod + ", namespace: " + namespace_ +
            ", labels: {app: " + name + ", version: " + versions[i] +
            "}}\nspec: {nodeName: n1}\nstatus: {phase: Running, podIP: " + ip +
            ", conditions: [{type: Ready, status: 'True'}]}\n";
  }
  return "---\napiVersion: v1\nkind: Service\nmetadata: {name: " + name + ", namespace: " + namespace_ +
         "}\nspec:\n  clusterIP: " + address + "\n  selector: {app: " + name + "}\n  ports: [{name: " + port_name +
         ", port: 80, targetPort: 8080}]\n" +
         "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\nmetadata: {name: " + name +
         "-1, namespace: " + namespace_ + ", labels: {kubernetes.io/service-name: " + name +
         "}}\nports: [{name: " + port_name + ", port: 8080, protocol: TCP}]\n" +
         (slice.empty() ? "endpoints: []\n" : "endpoints:\n" + slice) + pods;
}

/// A DestinationRule with a subset for each of v1, v2, v3.
inline std::string subsets_yaml(const std::string& name, const std::string& namespace_, const std::string& host,
                                const std::string& more = "") {
  return "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: " + name +
         ", namespace: " + namespace_ + "}\nspec:\n  host: '" + host + "'\n" + more +
         "  subsets:\n  - {name: v1, labels: {version: v1}}\n  - {name: v2, labels: {version: v2}}\n  - {name: v3, "
         "labels: {version: v3}}\n";
}

/// A VirtualService for `hosts` (YAML flow list without brackets) whose spec goes on with `spec`, indented by two.
inline std::string rule_yaml(const std::string& name, const std::string& namespace_, const std::string& hosts,
                             const std::string& spec, const std::string& meta = "") {
  return "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: " + name +
         ", namespace: " + namespace_ + (meta.empty() ? "" : ", " + meta) + "}\nspec:\n  hosts: [" + hosts + "]\n" +
         spec;
}

/// The plan of one service port; null when there is none.
inline const ServicePlan* plan_of(const Table& table, std::string_view service, uint16_t port = 80) {
  for (const auto& plan : table.plan->services)
    if (plan->service == service && plan->port == port) return plan.get();
  return nullptr;
}

/// "v1:90 v2:10" of a split's destinations: subset, weight.
inline std::string weights_of(const PlanSplit& split) {
  std::string text;
  for (const PlanDestination& destination : split.destinations)
    text += (text.empty() ? "" : " ") + destination.subset + ":" + std::to_string(destination.weight);
  return text;
}

/// Messages of the table's conditions, a line each.
inline std::string conditions_of(const Table& table) {
  std::string text;
  for (const config::Diagnostic& condition : table.conditions()) text += config::to_text(condition) + "\n";
  return text;
}

}  // namespace weir::routing
