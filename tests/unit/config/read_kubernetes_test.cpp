#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

std::string kube(const std::string& kind, const std::string& rest) {
  const std::string version = kind == "EndpointSlice" ? "discovery.k8s.io/v1" : "v1";
  return "apiVersion: " + version + "\nkind: " + kind + "\nmetadata: {name: a}\n" + rest +
         "\n";  // rest begins in line 4
}

void expect(const std::string& kind, const std::vector<test::SpecCase>& table) {
  for (const auto& item : table) {
    EXPECT_THAT(test::read_findings(kube(kind, item.spec)), ElementsAre(StartsWith(item.finding))) << item.spec;
  }
}

TEST(ReadService, Bad) {
  expect(
      "Service",
      {{"spec: {ports: [{name: a}]}", "4:16 Error IST0106 spec.ports[0].port is required"},
       {"spec: {ports: [{port: 0}]}", "4:23 Error IST0106 spec.ports[0].port is 0"},
       {"spec: {ports: [{port: 80, targetPort: 70000}]}", "4:39 Error IST0106 targetPort \"70000\" must be 1 to 65535"},
       {"spec: {ports: [{port: 80, targetPort: [80]}]}",
        "4:39 Error IST0106 spec.ports[0].targetPort must be a string"},
       {"spec: {ports: [{port: 80, targetPort: Not_A_Name}]}",
        "4:39 Error IST0106 targetPort \"Not_A_Name\" is neither"},
       {"spec: {ports: [{port: 80, protocol: HTTP}]}",
        "4:37 Error IST0106 spec.ports[0].protocol has no choice \"HTTP\""},
       {"spec: {ports: [{port: 80, name: a}, {port: 80, name: b}]}", "4:37 Error IST0106 port 80/TCP is given twice"},
       {"spec: {ports: [{port: 80, name: a}, {port: 81, name: a}]}",
        "4:37 Error IST0106 port name \"a\" is given twice"},
       {"spec: {ports: [{port: 80, name: a}, {port: 81}]}",
        "4:37 Error IST0106 a port of a Service with several ports needs a name"},
       {"spec: {ports: {}}", "4:15 Error IST0106 spec.ports must be a list"},
       {"spec: {clusterIP: 10.0.0}", "4:19 Error IST0106 clusterIP \"10.0.0\" is not an IP address"},
       {"spec: {externalIPs: [x]}", "4:22 Error IST0106 externalIP \"x\""},
       {"spec: {type: Best}", "4:14 Error IST0106 spec.type has no choice \"Best\""},
       {"spec: {type: ExternalName}", "4:7 Error IST0106 a Service of type ExternalName needs spec.externalName"},
       {"spec: {selector: [a]}", "4:18 Error IST0106 spec.selector must be a map"},
       {"status: {loadBalancer: {ingress: [{ip: x}]}}", "4:40 Error IST0106 load balancer address \"x\""}});
}

TEST(ReadService, Good) {
  const auto service =
      test::only<Service>(kube("Service",
                               "spec:\n  type: NodePort\n  clusterIPs: [10.96.0.1, 'fd00::1']\n  clusterIP: "
                               "10.96.0.1\n  selector: {app: a}\n  ports:\n"
                               "  - {name: http, port: 80, targetPort: web, nodePort: 30080, appProtocol: http}\n  - "
                               "{name: dns, port: 53, protocol: UDP, targetPort: '5353'}\n"
                               "  externalTrafficPolicy: Local\n  sessionAffinity: None\nstatus: {loadBalancer: "
                               "{ingress: [{ip: 1.2.3.4}, {hostname: x}]}}"));
  EXPECT_THAT(service.cluster_ips, ElementsAre("10.96.0.1", "fd00::1"));
  ASSERT_EQ(service.ports.size(), 2U);
  EXPECT_EQ(service.ports[0].target_port_name, "web");
  EXPECT_EQ(service.ports[0].node_port, 30080);
  EXPECT_EQ(service.ports[1].target_port, 5353);
  EXPECT_EQ(service.ports[1].protocol, "UDP");
  EXPECT_TRUE(service.external_traffic_policy_local);
  EXPECT_THAT(service.load_balancer_ips, ElementsAre("1.2.3.4"));
  EXPECT_TRUE(test::only<Service>(kube("Service", "spec: {clusterIP: None}")).headless());
}

TEST(ReadEndpointSlice, Bad) {
  expect("EndpointSlice",
         {{"endpoints: []", "1:1 Error IST0106 addressType is required"},
          {"addressType: IPv5", "4:14 Error IST0106 addressType has no choice \"IPv5\""},
          {"addressType: IPv4\nendpoints: [{}]", "5:13 Error IST0106 endpoints[0].addresses is required"},
          {"addressType: IPv4\nendpoints: [{addresses: [x]}]", "5:26 Error IST0106 endpoint address \"x\""},
          {"addressType: IPv4\nendpoints: [{addresses: 10.0.0.1}]",
           "5:25 Error IST0106 endpoints[0].addresses must be a list"},
          {"addressType: IPv4\nendpoints: [{addresses: [10.0.0.1], conditions: {ready: maybe}}]", "5:57 Error IST0106"},
          {"addressType: IPv4\nports: [{port: 99999}]", "5:16 Error IST0106 ports[0].port is 99999"}});
}

TEST(ReadEndpointSlice, Good) {
  const auto slice = test::only<EndpointSlice>(
      "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
      "metadata: {name: a-x, namespace: ns, labels: {kubernetes.io/service-name: a}}\naddressType: IPv4\n"
      "ports: [{name: http, port: 8080}, {name: any}]\nendpoints:\n"
      "- {addresses: [10.0.0.1], targetRef: {kind: Pod, name: p1}, nodeName: n, zone: z, conditions: {ready: null}}\n"
      "- {addresses: [10.0.0.2], conditions: {ready: false, serving: true, terminating: true}, targetRef: {kind: Node, "
      "name: x}}\n"
      "- {addresses: [10.0.0.3], conditions: {ready: false}, targetRef: {kind: Pod, name: p3, namespace: other}}\n");
  EXPECT_EQ(slice.service_name, "a");
  ASSERT_EQ(slice.endpoints.size(), 3U);
  EXPECT_TRUE(slice.endpoints[0].ready && slice.endpoints[0].serving && !slice.endpoints[0].terminating);
  EXPECT_EQ(slice.endpoints[0].pod_namespace, "ns");
  EXPECT_EQ(slice.endpoints[0].pod_name, "p1");
  EXPECT_TRUE(!slice.endpoints[1].ready && slice.endpoints[1].serving && slice.endpoints[1].terminating);
  EXPECT_EQ(slice.endpoints[1].pod_name, "");
  EXPECT_FALSE(slice.endpoints[2].serving);
  EXPECT_EQ(slice.endpoints[2].pod_namespace, "other");
  EXPECT_EQ(slice.ports[1].port, 0);
}

TEST(ReadEndpoints, BadAndGood) {
  expect("Endpoints",
         {{"subsets: [{addresses: [{ip: x}]}]", "4:29 Error IST0106 endpoint address \"x\""},
          {"subsets: [{addresses: [{}]}]", "4:24 Error IST0106 endpoint address \"\""},
          {"subsets: [{addresses: [10.0.0.1]}]", "4:24 Error IST0106 subsets[0].addresses[0] must be a map"},
          {"subsets: {}", "4:10 Error IST0106 subsets must be a list"}});
  const auto endpoints = test::only<Endpoints>(
      kube("Endpoints",
           "subsets: [{addresses: [{ip: 10.0.0.1}], notReadyAddresses: [{ip: 10.0.0.2}], ports: [{port: 80}]}]"));
  ASSERT_EQ(endpoints.subsets.size(), 1U);
  EXPECT_TRUE(endpoints.subsets[0].addresses.at(0).ready);
  EXPECT_FALSE(endpoints.subsets[0].addresses.at(1).ready);
}

TEST(ReadPod, BadAndGood) {
  expect("Pod", {{"status: {podIP: x}", "4:17 Error IST0106 pod address \"x\""},
                 {"status: {podIPs: [10.0.0.1]}", "4:19 Error IST0106 status.podIPs[0] must be a map"},
                 {"spec: {containers: [{ports: [{containerPort: 0}]}]}", "4:46 Error IST0106"}});
  const auto pod = test::only<Pod>(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: a, version: 1.0}, uid: u-1}\n"
      "spec: {nodeName: n, hostNetwork: true, containers: [{name: c, image: i, ports: [{name: web, containerPort: "
      "8080}]}]}\n"
      "status: {phase: Running, podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::1'}], conditions: [{type: Ready, "
      "status: 'True'}]}\n");
  EXPECT_THAT(pod.ips, ElementsAre("10.0.0.1", "fd00::1"));
  EXPECT_TRUE(pod.ready && pod.host_network);
  EXPECT_EQ(pod.meta.labels.at("version"), "1.0");
  EXPECT_EQ(pod.meta.uid, "u-1");
  EXPECT_EQ(pod.ports.at(0).name, "web");
  EXPECT_FALSE(test::only<Pod>(kube("Pod", "status: {}")).ready);
}

TEST(ReadService, WhatIsNotDoneIsSaid) {
  const auto found = test::read_findings(
      "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  sessionAffinity: ClientIP\n  trafficDistribution: "
      "PreferClose\n");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_TRUE(found[0].starts_with("5:3 Warning WEIR0224 spec.sessionAffinity is not honoured")) << found[0];
  EXPECT_TRUE(found[1].starts_with("6:3 Warning WEIR0224 spec.trafficDistribution is not honoured")) << found[1];
  EXPECT_TRUE(test::read_findings("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {sessionAffinity: None}\n")
                  .empty());
}

}  // namespace
}  // namespace weir::config
