#pragma once
// A small configuration: reviews with two versions, split 90 to 10.

#include <string>

#include "config/store.h"

namespace weir::agent {

inline constexpr const char* kServices = R"(apiVersion: v1
kind: Service
metadata: {name: reviews}
spec:
  clusterIP: 10.96.0.3
  selector: {app: reviews}
  ports: [{name: http, port: 9080}]
---
apiVersion: v1
kind: Pod
metadata: {name: reviews-1, labels: {app: reviews, version: v1}}
status: {podIP: 10.1.0.1, phase: Running, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: reviews-2, labels: {app: reviews, version: v2}}
status: {podIP: 10.1.0.2, phase: Running, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: reviews-a, labels: {kubernetes.io/service-name: reviews}}
addressType: IPv4
ports: [{name: http, port: 9080}]
endpoints:
- {addresses: [10.1.0.1], targetRef: {kind: Pod, name: reviews-1, namespace: default}}
- {addresses: [10.1.0.2], targetRef: {kind: Pod, name: reviews-2, namespace: default}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec:
  host: reviews
  subsets:
  - {name: v1, labels: {version: v1}}
  - {name: v2, labels: {version: v2}}
)";

inline std::string split_rule(int v1, int v2, const std::string& name = "reviews") {
  return "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: " + name +
         "}\nspec:\n  hosts: [reviews]\n  http:\n  - route:\n    - destination: {host: reviews, subset: v1}\n      "
         "weight: " +
         std::to_string(v1) + "\n    - destination: {host: reviews, subset: v2}\n      weight: " + std::to_string(v2) +
         "\n";
}

inline config::Store sample_store(const std::string& rule = split_rule(90, 10)) {
  config::Store store;
  store.set(config::read_yaml(kServices, "services.yaml"));
  store.set(config::read_yaml(rule, "rule.yaml"));
  return store;
}

inline constexpr const char* kReviews = "reviews.default.svc.cluster.local";

}  // namespace weir::agent
