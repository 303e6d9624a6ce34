#include "routing/build/services.h"

#include "support.h"

namespace weir::routing {
namespace {

const Service& service_in(const Table& table, const std::string& host) {
  const Service* service = find_service_by_host(table, Client{}, host);
  static const Service kNone;
  EXPECT_NE(service, nullptr) << host;
  return service ? *service : kNone;
}

TEST(BuildService, KubernetesServicesHaveTheirPortsAndAddresses) {
  const auto table = table_of(R"(
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default, creationTimestamp: '2024-05-01T00:00:00Z'}
spec:
  clusterIPs: [10.0.0.1, 'fd00::1']
  selector: {app: web}
  ports:
  - {name: http-a, port: 80, targetPort: 8080}
  - {name: dns, port: 53, protocol: UDP}
  - {name: dns-tcp, port: 53, protocol: TCP}
  - {name: quic, port: 443, protocol: UDP}
  - {name: x, port: 90, appProtocol: kubernetes.io/h2c}
)");
  const Service& web = service_in(*table, "web.default.svc.cluster.local");
  EXPECT_EQ(web.addresses.size(), 2U);
  EXPECT_EQ(web.source, Service::Source::kKubernetes);
  EXPECT_EQ(web.selector.at("app"), "web");
  EXPECT_EQ(web.find_port(80)->protocol, Protocol::kHttp);
  EXPECT_TRUE(web.find_port(53)->tcp) << "of UDP and TCP with one number, TCP";
  EXPECT_FALSE(web.find_port(443)->tcp);
  EXPECT_EQ(web.find_port(90)->protocol, Protocol::kHttp2);
  EXPECT_EQ(web.find_port(1), nullptr);
  EXPECT_EQ(web.creation, 1714521600);
}

TEST(BuildService, HeadlessAndExternalName) {
  const auto table = table_of(R"(
apiVersion: v1
kind: Service
metadata: {name: hl, namespace: default}
spec: {clusterIP: None, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: ext, namespace: default}
spec: {type: ExternalName, externalName: Target.example.com, ports: [{name: http, port: 80}]}
)");
  EXPECT_TRUE(service_in(*table, "hl.default.svc.cluster.local").headless);
  EXPECT_EQ(service_in(*table, "hl.default.svc.cluster.local").resolution, Service::Resolution::kOriginalDestination);
  EXPECT_TRUE(service_in(*table, "hl.default.svc.cluster.local").addresses.empty());
  EXPECT_EQ(service_in(*table, "ext.default.svc.cluster.local").resolution, Service::Resolution::kAlias);
  EXPECT_EQ(service_in(*table, "ext.default.svc.cluster.local").external_name, "target.example.com");
}

std::string entry(const std::string& name, const std::string& spec, const std::string& namespace_ = "default",
                  const std::string& age = "2024-01-01T00:00:00Z") {
  return "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: " + name +
         ", namespace: " + namespace_ + ", creationTimestamp: '" + age + "'}\nspec:\n" + spec;
}

TEST(BuildService, ServiceEntriesOfOneHostAndNamespaceAreUnited) {
  const auto table = table_of(entry("one", R"(  hosts: [x.example.com]
  addresses: [10.30.0.1]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 10.20.0.1}]
)") + entry("two", R"(  hosts: [X.example.com, y.example.com]
  addresses: [10.30.0.1, 10.30.0.2, 10.40.0.0/16]
  ports: [{number: 80, name: other, protocol: GRPC}, {number: 90, name: http2, protocol: HTTP2}]
  resolution: STATIC
  endpoints: [{address: 10.20.0.2}]
)",
            "default", "2024-02-01T00:00:00Z"));
  const Service& x = service_in(*table, "x.example.com");
  EXPECT_EQ(x.name, "one") << "the oldest";
  EXPECT_EQ(x.addresses.size(), 2U);
  EXPECT_EQ(x.ranges.size(), 1U);
  EXPECT_EQ(x.find_port(80)->protocol, Protocol::kHttp) << "the first of a number";
  EXPECT_EQ(x.find_port(80)->endpoints.size(), 2U);
  EXPECT_EQ(x.find_port(90)->endpoints.size(), 1U) << "only of the entry that has the port";
  EXPECT_EQ(service_in(*table, "y.example.com").find_port(80)->endpoints.size(), 1U);
}

TEST(BuildService, AServiceEntryOverAKubernetesServiceAddsEndpoints) {
  const auto table = table_of(service_yaml("web", "default", "10.0.0.2", {"v1"}) +
                              entry("more", R"(  hosts: [web.default.svc.cluster.local]
  addresses: [10.99.0.1]
  ports: [{number: 80, name: http, protocol: HTTP}, {number: 90, name: other, protocol: TCP}]
  resolution: STATIC
  endpoints: [{address: 10.20.0.1, labels: {version: v2}}]
)"));
  const Service& web = service_in(*table, "web.default.svc.cluster.local");
  EXPECT_EQ(web.source, Service::Source::kKubernetes);
  EXPECT_EQ(web.addresses.size(), 1U) << "addresses and ports stay the Service's";
  EXPECT_EQ(web.ports.size(), 1U);
  ASSERT_EQ(web.find_port(80)->endpoints.size(), 2U);
  EXPECT_EQ(web.find_port(80)->endpoints[1].workload->labels.at("version"), "v2");
}

TEST(BuildService, GoesWhenItsLastObjectGoes) {
  config::Store store;
  TableBuilder builder({});
  const auto added = store.set(read(service_yaml("web", "default", "10.0.0.2")));
  EXPECT_NE(find_service_by_host(*builder.update({}, added), Client{}, "web.default.svc.cluster.local"), nullptr);
  const auto table = builder.update({}, store.remove("test.yaml"));
  EXPECT_EQ(find_service_by_host(*table, Client{}, "web.default.svc.cluster.local"), nullptr);
  EXPECT_TRUE(table->services_at.empty());
  EXPECT_TRUE(table->pods.empty());
  EXPECT_TRUE(table->pods_at.empty());
}

}  // namespace
}  // namespace weir::routing
