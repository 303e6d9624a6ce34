#pragma once
// Short questions for the tests of explain.

#include <string>
#include <utility>
#include <vector>

#include "routing/decide/explain.h"
#include "support.h"

namespace weir::routing {

/// Services web (v1-v3 at 10.1.10.1-3) and other.web (10.1.20.x), and a DestinationRule for web's subsets.
inline std::string web_yaml() {
  return service_yaml("web", "default", "10.96.0.10") + service_yaml("web", "other", "10.96.0.20", {"v1"}) + R"(---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web, namespace: default}
spec:
  host: web
  subsets:
  - {name: v1, labels: {version: v1}}
  - {name: v2, labels: {version: v2}}
  - {name: empty, labels: {version: v9}}
)";
}

/// A VirtualService default/NAME of host web with `http` as its rules.
inline std::string rules_yaml(const std::string& http, const std::string& name = "web", const std::string& more = "") {
  return "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: " + name +
         ", namespace: default}\nspec:\n  hosts: [web]\n" + more + "  http:\n" + http;
}

inline Request get(std::string host, std::string path = "/",
                   std::vector<std::pair<std::string, std::string>> headers = {}, uint16_t port = 80) {
  Request request;
  request.host = std::move(host);
  request.path = std::move(path);
  request.headers = std::move(headers);
  request.port = port;
  return request;
}

inline Decision ask(const std::string& yaml, const Request& request, const Client& client = pod_of("default")) {
  return explain(*table_of(yaml), client, request);
}

inline std::string steps_of(const Decision& decision) {
  std::string text;
  for (const auto& step : decision.steps) text += step + "\n";
  return text;
}

}  // namespace weir::routing
