#pragma once
// A configuration that needs a proxy, and snapshots of it.

#include <memory>
#include <string>

#include "config/binary.h"
#include "proxy/snapshot.h"
#include "proxy_process/protocol.h"
#include "routing/build/table_builder.h"

namespace weir::proxy_process::test {

/// One service, app:80 at 10.96.0.1, two subsets; /v2 goes to v2, the rest to v1. Endpoints are loopback addresses.
inline std::string sample_yaml(uint16_t v1_port = 8081, uint16_t v2_port = 8082) {
  const auto port = [](uint16_t number) { return std::to_string(number); };
  std::string text = R"(apiVersion: v1
kind: Service
metadata: {name: app, namespace: default}
spec: {clusterIP: 10.96.0.1, selector: {app: app}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ext, namespace: default}
spec:
  hosts: [ext.example]
  addresses: [10.96.0.2]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints:
  - {address: 127.0.0.1, labels: {version: v1}, ports: {http: )";
  text += port(v1_port) + "}}\n  - {address: 127.0.0.1, labels: {version: v2}, ports: {http: " + port(v2_port) + "}}\n";
  text += R"(---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ext, namespace: default}
spec:
  host: ext.example
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ext, namespace: default}
spec:
  hosts: [ext.example]
  http:
  - name: second
    match: [{uri: {prefix: /v2}}]
    route: [{destination: {host: ext.example, subset: v2}}]
  - name: first
    route: [{destination: {host: ext.example, subset: v1}}]
)";
  return text;
}

/// As the agent gives it.
inline ConfigurationFile file(const std::string& name, std::string_view yaml) {
  return {name, config::to_binary(config::read_yaml(yaml, name))};
}

inline Configuration sample_configuration(uint64_t generation = 1) {
  Configuration configuration;
  configuration.generation = generation;
  configuration.files = {file("app.yaml", sample_yaml())};
  configuration.ports = {{61'000, {*IpAddress::parse("10.96.0.2"), 80}}};
  return configuration;
}

inline std::shared_ptr<proxy::SharedState> shared_state(size_t loops = 1) {
  return std::make_shared<proxy::SharedState>("node", loops);
}

inline std::shared_ptr<const proxy::Snapshot> empty_snapshot(size_t loops = 1) {
  return proxy::make_snapshot(routing::build_table(config::Store()), {}, shared_state(loops));
}

}  // namespace weir::proxy_process::test
