#include "support.h"

namespace weir::routing {
namespace {

const std::string kWeb = "web.default.svc.cluster.local";

std::string labels(const Table& table) {
  const Service* service = find_service_by_host(table, Client{}, kWeb);
  std::string text;
  if (service)
    for (const Endpoint& endpoint : service->ports.at(0).endpoints) {
      const auto version = endpoint.workload->labels.find("version");
      text += (text.empty() ? "" : " ") + (version == endpoint.workload->labels.end() ? "-" : version->second);
    }
  return text;
}

std::string pod(const std::string& name, const std::string& ip, const std::string& version) {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
         ", namespace: default, labels: {app: web, version: " + version + "}}\nstatus: {phase: Running, podIP: " + ip +
         "}\n";
}

const std::string kService = R"(
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {clusterIP: 10.0.0.2, ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
addressType: IPv4
metadata: {name: web-1, namespace: default, labels: {kubernetes.io/service-name: web}}
ports: [{name: http, port: 8080, protocol: TCP}]
endpoints:
- {addresses: [10.1.0.1], targetRef: {kind: Pod, namespace: default, name: named}}
- {addresses: [10.1.0.2]}
)";

TEST(Filing, PodsThatComeLaterLendTheirLabels) {
  config::Store store;
  TableBuilder builder({});
  EXPECT_EQ(labels(*builder.update({}, store.set(read(kService, "s.yaml")))), "- -");
  EXPECT_EQ(labels(*builder.update({}, store.set(read(pod("named", "10.1.0.1", "v1"), "p1.yaml")))), "v1 -");
  EXPECT_EQ(labels(*builder.update({}, store.set(read(pod("other", "10.1.0.2", "v2"), "p2.yaml")))), "v1 v2");
  EXPECT_EQ(labels(*builder.update({}, store.set(read(pod("named", "10.1.0.1", "v3"), "p1.yaml")))), "v3 v2");
  EXPECT_EQ(labels(*builder.update({}, store.remove("p2.yaml"))), "v3 -");
}

// hardening P12: an address that goes from one pod to another within one update.
TEST(Filing, AnAddressThatChangesHandsCarriesTheNewPodsLabels) {
  config::Store store;
  TableBuilder builder({});
  builder.update({}, store.set(read(kService, "s.yaml")));
  builder.update({}, store.set(read(pod("z-old", "10.1.0.2", "v1"), "p.yaml")));
  const auto both = builder.update({}, store.set(read(pod("new", "10.1.0.2", "v2"), "q.yaml")));
  EXPECT_EQ(labels(*both), "- v2") << "of two claims, the first by name";
  const auto swapped = builder.update({}, store.remove("p.yaml"));
  EXPECT_EQ(labels(*swapped), "- v2");
  EXPECT_EQ(client_at(*swapped, *IpAddress::parse("10.1.0.2")).labels.at("version"), "v2");
}

TEST(Filing, SlicesBeforeTheirService) {
  config::Store store;
  TableBuilder builder({});
  const size_t cut = kService.find("---");
  builder.update({}, store.set(read(kService.substr(cut), "slice.yaml")));
  EXPECT_EQ(labels(*builder.update({}, store.set(read(kService.substr(0, cut), "service.yaml")))), "- -");
}

}  // namespace
}  // namespace weir::routing
