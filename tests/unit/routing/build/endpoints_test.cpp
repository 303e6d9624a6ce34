#include "routing/build/endpoints.h"

#include "support.h"

namespace weir::routing {
namespace {

/// "address:port" of each endpoint with "!" for unhealthy, "xN" for a weight and "=version" for its label.
std::string endpoints(const Table& table, const std::string& host, uint16_t port = 80) {
  const Service* service = find_service_by_host(table, Client{}, host);
  if (!service || !service->find_port(port)) return "-";
  std::string text;
  for (const Endpoint& endpoint : service->find_port(port)->endpoints) {
    text +=
        (text.empty() ? "" : " ") + weir::to_string(endpoint.address, endpoint.port) + (endpoint.healthy ? "" : "!");
    if (endpoint.weight != 1) text += "x" + std::to_string(endpoint.weight);
    const auto version = endpoint.workload->labels.find("version");
    if (version != endpoint.workload->labels.end()) text += "=" + version->second;
  }
  return text;
}

const std::string kWeb = "web.default.svc.cluster.local";

std::string web(const std::string& slices) {
  return "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default}\nspec:\n  clusterIP: 10.0.0.2\n"
         "  ports: [{name: http, port: 80, targetPort: 8080}, {name: admin, port: 81}]\n" +
         slices;
}
std::string slice(const std::string& name, const std::string& endpoints, const std::string& type = "IPv4") {
  return "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: " + type +
         "\nmetadata: {name: " + name +
         ", namespace: default, labels: {kubernetes.io/service-name: web}}\nports: [{name: http, port: 8080, protocol: "
         "TCP}]\nendpoints:\n" +
         endpoints;
}
std::string pod(const std::string& name, const std::string& ip, const std::string& version,
                const std::string& more = "") {
  return "---\napiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
         ", namespace: default, labels: {app: web, version: " + version + "}}\nspec: {nodeName: n1" + more +
         "}\nstatus: {phase: Running, podIP: " + ip + ", conditions: [{type: Ready, status: 'True'}]}\n";
}

// istio-facts 25.
TEST(Endpoints, ReadyTerminatingAndTwiceTheSame) {
  const auto table = table_of(web(slice("a", R"(
- {addresses: [10.1.0.1], conditions: {ready: true}, targetRef: {kind: Pod, namespace: default, name: p1}}
- {addresses: [10.1.0.2], conditions: {ready: false}}
- {addresses: [10.1.0.3], conditions: {ready: false, serving: true, terminating: true}}
- {addresses: [10.1.0.4]}
- {addresses: [10.1.0.5, 10.1.0.6], conditions: {ready: true, serving: false}}
- {addresses: [10.1.0.7], conditions: {ready: true, serving: false, terminating: true}}
- {addresses: [10.1.0.8], conditions: {ready: true, serving: true, terminating: true}}
- {addresses: [10.1.0.9], conditions: {serving: true, terminating: true}}
)") + slice("b", "- {addresses: [10.1.0.1], conditions: {ready: true}}\n") +
                                  pod("p1", "10.1.0.1", "v1")));
  EXPECT_EQ(endpoints(*table, kWeb),
            "10.1.0.1:8080=v1 10.1.0.2:8080! 10.1.0.4:8080 10.1.0.5:8080 10.1.0.6:8080 "
            "10.1.0.7:8080 10.1.0.8:8080 10.1.0.9:8080")
      << "a Service with publishNotReadyAddresses has endpoints that are ready until they are gone";
  EXPECT_EQ(endpoints(*table, kWeb, 81), "") << "no such port name in the slices";
}

TEST(Endpoints, LabelsComeFromThePodOfTheTargetRefOrOfTheAddress) {
  const auto table =
      table_of(web(slice("a", R"(
- {addresses: [10.1.0.1], targetRef: {kind: Pod, namespace: default, name: named}}
- {addresses: [10.1.0.2]}
- {addresses: [10.1.0.3], targetRef: {kind: Pod, namespace: default, name: unknown}}
- {addresses: [10.1.0.4]}
- {addresses: [10.1.0.5]}
)") + pod("named", "10.1.0.99", "v1") +
                   pod("by-address", "10.1.0.2", "v2") + pod("on-host", "10.1.0.4", "v3", ", hostNetwork: true")));
  EXPECT_EQ(endpoints(*table, kWeb), "10.1.0.1:8080=v1 10.1.0.2:8080=v2 10.1.0.3:8080 10.1.0.4:8080 10.1.0.5:8080");
}

TEST(Endpoints, LegacyEndpointsCountOnlyWithoutSlices) {
  const std::string legacy = R"(
---
apiVersion: v1
kind: Endpoints
metadata: {name: web, namespace: default}
subsets:
- addresses: [{ip: 10.1.0.7}]
  notReadyAddresses: [{ip: 10.1.0.8}]
  ports: [{name: http, port: 8080}]
)";
  EXPECT_EQ(endpoints(*table_of(web(legacy)), kWeb), "10.1.0.7:8080 10.1.0.8:8080!");
  EXPECT_EQ(endpoints(*table_of(web(legacy + slice("a", "- {addresses: [10.1.0.1]}\n"))), kWeb), "10.1.0.1:8080");
}

// hardening P10.
TEST(Endpoints, AddressesThatMustNotBeDialledAreLeftOutAndSaid) {
  std::string yaml = web(slice("a", R"(
- {addresses: [127.0.0.1]}
- {addresses: [0.0.0.0]}
- {addresses: [224.0.0.1]}
- {addresses: [169.254.169.254]}
- {addresses: [255.255.255.255]}
- {addresses: [10.1.0.1]}
)"));
  config::Store store;
  store.set(config::read_yaml(yaml, "test.yaml"));
  const auto table = build_table(store, {.allow_loopback_endpoints = false});
  EXPECT_EQ(endpoints(*table, kWeb), "10.1.0.1:8080");
  const std::string said = conditions_of(*table);
  for (const char* address : {"127.0.0.1", "0.0.0.0", "224.0.0.1", "169.254.169.254", "255.255.255.255"})
    EXPECT_NE(said.find("endpoint " + std::string(address) + " is left out"), std::string::npos) << said;
  EXPECT_EQ(endpoints(*build_table(store), kWeb), "10.1.0.1:8080 127.0.0.1:8080");
}

TEST(Endpoints, LoopbackIsAllowedToAServiceThatIsOnLoopbackItself) {
  std::string yaml = web(slice("a", "- {addresses: [127.1.0.1]}\n"));
  yaml.replace(yaml.find("10.0.0.2"), 8, "127.9.0.2");
  config::Store store;
  store.set(config::read_yaml(yaml, "test.yaml"));
  EXPECT_EQ(endpoints(*build_table(store, {.allow_loopback_endpoints = false}), kWeb), "127.1.0.1:8080");
}

TEST(Endpoints, NamesOfSlicesAreNotResolved) {
  config::Store store;
  store.set(config::read_yaml(web(slice("a", "- {addresses: [db.example.com]}\n", "FQDN")), "test.yaml"));
  const auto table = build_table(store);
  EXPECT_EQ(endpoints(*table, kWeb), "");
  EXPECT_NE(conditions_of(*table).find("does not resolve names"), std::string::npos) << conditions_of(*table);
}

std::string entry(const std::string& spec) {
  return "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: e, namespace: "
         "default}\nspec:\n  hosts: [e.example.com]\n" +
         spec;
}

// istio-facts 24.
TEST(Endpoints, OfServiceEntriesWeightsAndPorts) {
  const auto weighted = table_of(entry(R"(  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 10.20.0.1, weight: 3}, {address: 10.20.0.2, weight: 1}, {address: 10.20.0.3, weight: 0}]
)"));
  EXPECT_EQ(endpoints(*weighted, "e.example.com"), "10.20.0.1:80x3 10.20.0.2:80 10.20.0.3:80");
  const auto ports = table_of(entry(R"(  ports:
  - {number: 80, name: http, protocol: HTTP, targetPort: 8080}
  - {number: 90, name: http-b, protocol: HTTP}
  resolution: STATIC
  endpoints: [{address: 10.20.1.1, ports: {http: 7001, http-b: 7002}}, {address: 10.20.1.2}]
)"));
  EXPECT_EQ(endpoints(*ports, "e.example.com"), "10.20.1.1:7001 10.20.1.2:8080");
  EXPECT_EQ(endpoints(*ports, "e.example.com", 90), "10.20.1.1:7002 10.20.1.2:90");
}

std::string vm(const std::string& name, const std::string& namespace_, const std::string& spec,
               const std::string& labels = "{}") {
  return "---\napiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: " + name +
         ", namespace: " + namespace_ + ", labels: " + labels + "}\nspec: " + spec + "\n";
}

/// A Service whose selector takes a WorkloadEntry: it had no endpoints, though analyze counted the entry.
TEST(Endpoints, OfAServiceAreWorkloadEntriesThatItSelectsToo) {
  const std::string service =
      "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default}\nspec:\n  clusterIP: 10.0.0.2\n"
      "  selector: {app: web}\n"
      "  ports: [{name: http, port: 80, targetPort: 8080}, {name: admin, port: 81, targetPort: adm}, {name: raw, port: "
      "82}]\n" +
      slice("a", "- {addresses: [10.1.0.1]}\n");
  const auto table =
      table_of(service + vm("vm1", "default", "{address: 10.20.5.1, weight: 2, labels: {app: web, version: v1}}") +
               vm("vm2", "default", "{address: 10.20.5.2, ports: {http: 8181, adm: 9191, raw: 82}}", "{app: web}") +
               vm("vm3", "default", "{address: 10.20.5.3, labels: {app: db}}") +
               vm("vm4", "other", "{address: 10.20.5.4, labels: {app: web}}") +
               vm("vm5", "default", "{address: vm5.example.com, labels: {app: web}}") +
               vm("vm6", "default", "{address: 169.254.169.254, labels: {app: web}}"));
  EXPECT_EQ(endpoints(*table, kWeb), "10.1.0.1:8080 10.20.5.1:8080x2=v1 10.20.5.2:8181");
  EXPECT_EQ(endpoints(*table, kWeb, 81), "10.20.5.2:9191") << "who has no port of that name is none";
  EXPECT_EQ(endpoints(*table, kWeb, 82), "10.20.5.1:82x2=v1 10.20.5.2:82");
  const std::string said = conditions_of(*table);
  EXPECT_NE(said.find("endpoint \"vm5.example.com\" of Service web is left out"), std::string::npos) << said;
  EXPECT_NE(said.find("endpoint 169.254.169.254 is left out"), std::string::npos) << said;
}

TEST(Endpoints, OfAServiceWithoutSelectorAreNoWorkloadEntries) {
  const auto table = table_of(web(slice("a", "- {addresses: [10.1.0.1]}\n")) +
                              vm("vm1", "default", "{address: 10.20.5.1, labels: {a: b}}"));
  EXPECT_EQ(endpoints(*table, kWeb), "10.1.0.1:8080");
}

class NamedEndpoints : public testing::Test {
 protected:
  void read(const std::string& yaml) {
    auto delta = store_.set(routing::read(yaml));
    table_ = builder_.update(store_.mesh(), delta);
  }
  void resolve(ResolvedNames names) {
    builder_.set_resolved_names(std::move(names));
    table_ = builder_.update(store_.mesh(), {});
  }
  static std::vector<IpAddress> at(const std::vector<std::string>& texts) {
    std::vector<IpAddress> addresses;
    for (const std::string& text : texts) addresses.push_back(*IpAddress::parse(text));
    return addresses;
  }
  std::vector<std::string> names() const {
    return table_->endpoint_names ? *table_->endpoint_names : std::vector<std::string>();
  }

  config::Store store_;
  TableBuilder builder_{BuildOptions{.allow_loopback_endpoints = false}};
  std::shared_ptr<const Table> table_;
};

constexpr const char* kDnsPort = "  ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}]\n";

TEST_F(NamedEndpoints, AddressesOfResolutionDnsAreEndpoints) {
  read(entry(std::string(kDnsPort) +
             "  resolution: DNS\n  endpoints: [{address: 10.20.0.1, weight: 3}, {address: 10.20.0.2}]\n"));
  EXPECT_EQ(endpoints(*table_, "e.example.com"), "10.20.0.1:8080x3 10.20.0.2:8080");
  EXPECT_TRUE(names().empty());
}

TEST_F(NamedEndpoints, NamesAreEndpointsOnceTheyAreResolved) {
  read(entry(std::string(kDnsPort) +
             "  resolution: DNS\n  endpoints: [{address: A.example.com., weight: 2, labels: {version: v1}}, {address: "
             "b.example.com, ports: {http: 9090}}]\n"));
  EXPECT_EQ(names(), (std::vector<std::string>{"a.example.com", "b.example.com"}));
  EXPECT_EQ(endpoints(*table_, "e.example.com"), "");
  EXPECT_NE(conditions_of(*table_).find("endpoint \"a.example.com\" is not resolved"), std::string::npos);
  resolve(
      {{"a.example.com", at({"10.9.0.1", "fd00::1"})}, {"b.example.com", {}}, {"other.example.com", at({"10.9.9.9"})}});
  EXPECT_EQ(endpoints(*table_, "e.example.com"), "10.9.0.1:8080x2=v1 [fd00::1]:8080x2=v1");
  EXPECT_EQ(conditions_of(*table_).find("endpoint \"a.example.com\" is not resolved"), std::string::npos);
  resolve({{"a.example.com", at({"10.9.0.2"})}, {"b.example.com", at({"10.9.1.1"})}});
  EXPECT_EQ(endpoints(*table_, "e.example.com"), "10.9.0.2:8080x2=v1 10.9.1.1:9090");
  resolve({});
  EXPECT_EQ(endpoints(*table_, "e.example.com"), "");
}

/// What a name server says is no more to be believed than what somebody writes.
TEST_F(NamedEndpoints, AddressesThatMustNotBeDialledAreLeftOut) {
  read(entry(std::string(kDnsPort) + "  resolution: DNS\n  endpoints: [{address: a.example.com}]\n"));
  resolve({{"a.example.com", at({"169.254.169.254", "127.0.0.1", "0.0.0.0", "10.9.0.1"})}});
  EXPECT_EQ(endpoints(*table_, "e.example.com"), "10.9.0.1:8080");
}

TEST_F(NamedEndpoints, WithoutEndpointsTheHostItselfIsTheName) {
  read(entry(std::string(kDnsPort) + "  resolution: DNS_ROUND_ROBIN\n"));
  EXPECT_EQ(names(), std::vector<std::string>{"e.example.com"});
  resolve({{"e.example.com", at({"10.9.0.1"})}});
  EXPECT_EQ(endpoints(*table_, "e.example.com"), "10.9.0.1:8080");
  store_.remove("test.yaml");
}

TEST_F(NamedEndpoints, NamesGoWithTheirLastUser) {
  read(entry(std::string(kDnsPort) + "  resolution: DNS\n  endpoints: [{address: a.example.com}]\n"));
  EXPECT_EQ(names().size(), 1U);
  table_ = builder_.update(store_.mesh(), store_.remove("test.yaml"));
  EXPECT_TRUE(names().empty());
}

TEST_F(NamedEndpoints, ChangesOfTheMeshKeepWhatIsResolved) {
  read(entry(std::string(kDnsPort) + "  resolution: DNS\n  endpoints: [{address: a.example.com}]\n"));
  resolve({{"a.example.com", at({"10.9.0.1"})}});
  config::MeshConfig mesh = store_.mesh();
  mesh.cluster_domain = "other.local";
  table_ = builder_.update(mesh, {});
  EXPECT_EQ(endpoints(*table_, "e.example.com"), "10.9.0.1:8080");
  EXPECT_EQ(names().size(), 1U);
}

TEST(Endpoints, OfWorkloadEntriesAndPodsThatAreSelected) {
  const std::string selecting = entry(R"(  ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}]
  resolution: STATIC
  workloadSelector: {labels: {app: web}}
)");
  const auto table =
      table_of(selecting + vm("vm1", "default", "{address: 10.20.5.1, weight: 2, labels: {app: web, version: v1}}") +
               vm("vm2", "default", "{address: 10.20.5.2, ports: {http: 8181}, labels: {version: v2}}", "{app: web}") +
               vm("vm3", "default", "{address: 10.20.5.3, labels: {app: db}}") +
               vm("vm4", "other", "{address: 10.20.5.4, labels: {app: web}}") + pod("p1", "10.1.0.1", "v3") +
               pod("p2", "10.1.0.2", "v3"));
  EXPECT_EQ(endpoints(*table, "e.example.com"),
            "10.1.0.1:8080=v3 10.1.0.2:8080=v3 10.20.5.1:8080x2=v1 10.20.5.2:8181=v2");
}

}  // namespace
}  // namespace weir::routing
