#include "config/model.h"

#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

std::string text_of(const std::string& yaml) {
  const ParsedFile file = read_yaml(yaml, "f");
  return file.objects.size() == 1 ? to_text(*file.objects[0]) : "?";
}

TEST(ToTextOfObjects, OneLineEach) {
  EXPECT_EQ(
      text_of(test::istio("VirtualService",
                          "hosts: [a]\nhttp:\n- route: [{destination: {host: a, subset: v1, port: {number: 80}}, "
                          "weight: 9}, {destination: {host: b}}]\n"
                          "- redirect: {uri: /x}\n- directResponse: {status: 503}\n- delegate: {name: d}\ntcp: "
                          "[{route: [{destination: {host: c}}]}]")),
      "VirtualService default/a hosts=a http=[a:80/v1=9,b],redirect 301,direct_response 503,delegate d tls= tcp=[c]");
  EXPECT_EQ(text_of(test::istio("DestinationRule", "host: a\nsubsets: [{name: v1, labels: {version: v1, b: c}}]")),
            "DestinationRule default/a host=a subsets=v1{b=c,version=v1}");
  EXPECT_EQ(text_of(test::istio(
                "Gateway", "selector: {a: b}\nservers: [{port: {number: 80, name: h, protocol: HTTP}, hosts: ['*']}]")),
            "Gateway default/a selector=a=b servers=HTTP:80{*}");
  EXPECT_EQ(text_of(test::istio(
                "ServiceEntry",
                "hosts: [a.com]\naddresses: [1.2.3.4]\nresolution: STATIC\nendpoints: [{address: 10.0.0.1}]")),
            "ServiceEntry default/a hosts=a.com addresses=1.2.3.4 endpoints=10.0.0.1");
  EXPECT_EQ(text_of(test::istio("WorkloadEntry", "address: 10.0.0.1\nlabels: {a: b}")),
            "WorkloadEntry default/a address=10.0.0.1 labels=a=b");
  EXPECT_EQ(
      text_of("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}\n"),
      "Service default/a type=ClusterIP ips=10.0.0.1 ports=80/TCP");
  EXPECT_EQ(text_of("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nstatus: {podIP: 10.0.0.1}\n"),
            "Pod default/a ips=10.0.0.1 labels= not-ready");
  EXPECT_EQ(text_of("apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {b: c}}\n"),
            "Namespace a labels=b=c");
  EXPECT_EQ(text_of("apiVersion: v1\nkind: Endpoints\nmetadata: {name: a}\nsubsets: [{notReadyAddresses: [{ip: "
                    "10.0.0.1}], ports: [{port: 1}]}]\n"),
            "Endpoints default/a 10.0.0.1(not ready) ports=1/TCP");
  EXPECT_EQ(text_of("apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: a}\naddressType: "
                    "IPv4\nendpoints: [{addresses: [10.0.0.1]}]\n"),
            "EndpointSlice default/a service= endpoints=10.0.0.1 ports=");
}

TEST(ToStringOfKinds, IsTheirName) {
  EXPECT_EQ(to_string(Kind::kEndpointSlice), "EndpointSlice");
  EXPECT_EQ(to_string(Kind::kWorkloadEntry), "WorkloadEntry");
}

}  // namespace
}  // namespace weir::config
