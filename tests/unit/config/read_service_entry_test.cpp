// ServiceEntry and WorkloadEntry.

#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

TEST(ReadServiceEntry, Bad) {
  const std::string endpoints = "\nresolution: STATIC\nendpoints:\n- ";
  test::check_specs(
      "ServiceEntry", "@",  // line 6, column 3
      {{"ports: []", "6:3 Error IST0106 service entry must have at least one host"},
       {"hosts: ['*']", "6:11 Error IST0106 hostname cannot be wildcard"},
       {"hosts: [a.*.com]", "6:11 Error IST0106 host \"a.*.com\""},
       {"hosts: [a.com]\naddresses: [a]", "7:15 Error IST0106 address \"a\" is not an IP address or subnet"},
       {"hosts: [a.com]\naddresses: [10.0.0.0/99]", "7:15 Error IST0106"},
       {"hosts: [a.com]\naddresses: [10.0.0.0/8]\nresolution: DNS\nendpoints: [{address: 10.0.0.1}]",
        "7:15 Error IST0106 CIDR addresses are allowed only for NONE/STATIC"},
       {"hosts: [a.com]\nports: [{name: a}]", "7:11 Error IST0106 spec.ports[0].number is required"},
       {"hosts: [a.com]\nports: [{number: 80}]", "7:11 Error IST0106 spec.ports[0].name is required"},
       {"hosts: [a.com]\nports: [{number: 80, name: a_b}]", "7:30 Error IST0106 port name \"a_b\" is invalid"},
       {"hosts: [a.com]\nports: [{number: 80, name: a, protocol: QUIC}]",
        "7:43 Error IST0106 unsupported protocol \"QUIC\""},
       {"hosts: [a.com]\nports: [{number: 80, name: a}, {number: 80, name: b}]",
        "7:43 Error IST0106 port 80 is given twice"},
       {"hosts: [a.com]\nports: [{number: 80, name: a}, {number: 81, name: a}]",
        "7:53 Error IST0106 port name \"a\" is given twice"},
       {"hosts: [a.com]\nports: [{number: 80, name: a, targetPort: 70000}]", "7:45 Error IST0106"},
       {"hosts: [a.com]\nlocation: SPACE", "7:13 Error IST0106 spec.location has no choice \"SPACE\""},
       {"hosts: [a.com]\nresolution: LUCKY", "7:15 Error IST0106 spec.resolution has no choice \"LUCKY\""},
       {"hosts: [a.com]\nendpoints: [{address: 10.0.0.1}]", "7:3 Error IST0106 NONE mode cannot set endpoints"},
       {"hosts: [a.com]\nresolution: STATIC", "7:3 Warning IST0133 resolution STATIC without endpoints"},
       {"hosts: [a.com]" + endpoints + "{address: b.com}",
        "9:15 Error IST0106 endpoint address \"b.com\" is not an IP address"},
       {"hosts: [a.com]" + endpoints + "{address: ''}", "9:5 Error IST0106 spec.endpoints[0].address is required"},
       {"hosts: [a.com]" + endpoints + "{address: 10.0.0.1, ports: {http: 80}}",
        "9:5 Error IST0106 endpoint port \"http\" is not defined by the service entry"},
       {"hosts: [a.com]" + endpoints + "{address: 10.0.0.1, weight: -1}", "9:33 Error IST0106"},
       {"hosts: [a.com]" + endpoints + "{address: 10.0.0.1, weights: 1}", "9:25 Warning IST0133"},
       {"hosts: [a.com]" + endpoints + "10.0.0.1", "9:5 Error IST0106 spec.endpoints[0] must be a map"},
       {"hosts: [a.com]\nresolution: STATIC\nworkloadSelector: {labels: {a: '*'}}",
        "8:22 Error IST0106 wildcard is not supported in selector: a=*"},
       {"hosts: [a.com]\nresolution: STATIC\nworkloadSelector: {labels: {a: b}}\nendpoints: [{address: 10.0.0.1}]",
        "9:3 Error IST0106 spec cannot have both workloadSelector and endpoints"},
       {"hosts: [a.com, b.com]\nports: [{number: 80, name: a, protocol: TCP}]" + endpoints + "{address: 10.0.0.1}",
        "7:11 Error IST0106 multiple hosts provided with non-HTTP, non-TLS port 80"},
       {"hosts: ['*.a.com']\nresolution: DYNAMIC_DNS", "7:3 Warning WEIR0213"},
       {"hosts: [a.com]" + endpoints + "{address: 10.0.0.1, network: far}", "9:25 Warning WEIR0215"},
       {"hosts: [a.com]\nsubjectAltNames: [b]", "7:3 Warning WEIR0212"},
       {"hosts: [a.com]\nexportTo: ['*', b]", "7:14 Error IST0106"}});
}

TEST(ReadServiceEntry, BadResolutions) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"resolution: DNS_ROUND_ROBIN\nhosts: [a.com]\nendpoints: [{address: b.com}, {address: c.com}]",
       "DNS_ROUND_ROBIN mode cannot have multiple endpoints"},
      {"resolution: DNS\nhosts: ['*.a.com']", "hosts must be FQDN if no endpoints are provided"},
      {"resolution: DYNAMIC_DNS\nhosts: ['*.a.com']\nendpoints: [{address: b.com}]",
       "DYNAMIC_DNS mode cannot set endpoints"}};
  for (const auto& [spec, expected] : table) {
    std::string all;
    for (const auto& line : test::read_findings(test::istio("ServiceEntry", spec))) all += line + "\n";
    EXPECT_NE(all.find(expected), std::string::npos) << spec << "\n" << all;
  }
}

TEST(ReadServiceEntry, Good) {
  const auto entry = test::only<ServiceEntry>(
      test::istio("ServiceEntry",
                  "hosts: [my.app]\naddresses: [10.9.9.9, fd00::9]\nlocation: MESH_INTERNAL\nresolution: STATIC\n"
                  "ports: [{number: 80, name: http, protocol: http, targetPort: 8080}]\n"
                  "endpoints:\n- {address: 127.0.0.1, ports: {http: 9001}, labels: {version: v1}, weight: 3, locality: "
                  "r/z}\n- {address: fd00::1}"));
  EXPECT_EQ(entry.location, ServiceEntry::Location::kMeshInternal);
  EXPECT_EQ(entry.resolution.value, ServiceEntry::Resolution::kStatic);
  ASSERT_EQ(entry.endpoints.size(), 2U);
  EXPECT_EQ(entry.endpoints[0].ports, (std::map<std::string, uint16_t>{{"http", 9001}}));
  EXPECT_EQ(entry.endpoints[0].weight, 3U);
  EXPECT_EQ(entry.endpoints[0].labels, (Labels{{"version", "v1"}}));
  EXPECT_EQ(entry.ports[0].protocol, "HTTP");
  EXPECT_EQ(entry.ports[0].target_port, 8080);
}

TEST(ReadWorkloadEntry, Bad) {
  test::check_specs("WorkloadEntry", "@",
                    {{"labels: {a: b}", "6:3 Error IST0106 spec.address is required"},
                     {"address: a_b", "6:12 Error IST0106 address \"a_b\" is not a host name"},
                     {"address: 10.0.0.256", "6:12 Error IST0106 address \"10.0.0.256\""},
                     {"address: 10.0.0.1:80", "6:12 Error IST0106"},
                     {"address: 10.0.0.1\nports: {'@': 80}", "7:11 Error IST0106 port name \"@\" is invalid"},
                     {"address: 10.0.0.1\nports: {http: 0}", "7:17 Error IST0106 port \"http\" must be 1 to 65535"},
                     {"address: 10.0.0.1\nports: [80]", "7:10 Error IST0106 spec.ports must be a map"},
                     {"address: 10.0.0.1\nlabels: {a: 'b c'}", "7:3 Error IST0106 label \"a\" has a bad value"},
                     {"address: 10.0.0.1\nweight: heavy", "7:11 Error IST0106"},
                     {"network: n", "6:3 Warning WEIR0215"},
                     {"address: unix:///a/b", "6:12 Warning WEIR0216"}});
}

TEST(ReadWorkloadEntry, BadUnix) {
  for (const auto& [address, expected] :
       std::vector<std::pair<std::string, std::string>>{{"unix://a", "must be an absolute path"},
                                                        {"unix:///a/", "must not be a directory"},
                                                        {"unix://@a\nports: {http: 80}", "must not include ports"}}) {
    const auto found = test::read_findings(test::istio("WorkloadEntry", "address: " + address));
    ASSERT_FALSE(found.empty());
    std::string all;
    for (const auto& line : found) all += line + "\n";
    EXPECT_NE(all.find(expected), std::string::npos) << all;
  }
}

}  // namespace
}  // namespace weir::config
