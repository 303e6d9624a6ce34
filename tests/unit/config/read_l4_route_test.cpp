#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

const std::string kRoute = "\nroute: [{destination: {host: a}}]";

TEST(ReadL4Route, BadTcp) {
  test::check_specs("VirtualService", "hosts: [a]\ntcp:\n- @",  // line 8, column 3
                    {{"match: []", "8:5 Error IST0106 TCP route must have a route"},
                     {"route: []", "8:5 Error IST0106 TCP route must have a route"},
                     {"match: [{destinationSubnets: [10.0.0.0/33]}]" + kRoute,
                      "8:35 Error IST0106 \"10.0.0.0/33\" is not an IP address or subnet"},
                     {"match: [{destinationSubnets: [a.com]}]" + kRoute, "8:35 Error IST0106"},
                     {"match: [{sourceSubnet: 10.0.0.256}]" + kRoute,
                      "8:28 Error IST0106 \"10.0.0.256\" is not an IP address or subnet"},
                     {"match: [{sourceSubnet: [10.0.0.1]}]" + kRoute, "8:28 Error IST0106"},
                     {"match: [{port: 65536}]" + kRoute, "8:20 Error IST0106"},
                     {"match: [{sourceLabels: {'a b': c}}]" + kRoute, "8:14 Error IST0106 label \"a b\" has a bad key"},
                     {"match: [{sniHosts: [a]}]" + kRoute,
                      "8:14 Error WEIR0101 unknown field \"spec.tcp[0].match[0].sniHosts\" in a match"},
                     {"match: [{headers: {}}]" + kRoute, "8:14 Error WEIR0101"},
                     {"match: [null]" + kRoute, "8:13 Error IST0106 spec.tcp[0].match[0] must not be null"},
                     {"match: [{gateways: ['*']}]" + kRoute, "8:25 Error IST0106"},
                     {"route: [{destination: {host: a}, headers: {}}]",
                      "8:38 Warning IST0133 unknown field \"spec.tcp[0].route[0].headers\""},
                     {"route: [{destination: {host: a}, weight: 0}, {destination: {host: b}, weight: 0}]",
                      "8:5 Error IST0106 total destination weight = 0"},
                     {"route: [{destination: {host: a}, weight: -5}]", "8:46 Error IST0106 weight -5 < 0"},
                     {"timeout: 5s" + kRoute, "8:5 Warning IST0133"}});
}

TEST(ReadL4Route, BadTls) {
  test::check_specs(
      "VirtualService", "hosts: [a.com, '*.b.com']\ntls:\n- @",
      {{"match: []" + kRoute, "8:5 Error IST0106 TLS route must have at least one match condition"},
       {"match: []" + kRoute, "8:5 Error IST0106 TLS route must have at least one match condition"},
       {"match: [{port: 443}]" + kRoute, "8:13 Error IST0106 TLS match must have at least one SNI host"},
       {"match: [{sniHosts: [a.com]}]", "8:5 Error IST0106 TLS route must have a route"},
       {"match: [{sniHosts: [c.com]}]" + kRoute,
        "8:25 Error IST0106 SNI host \"c.com\" is not a compatible subset of the virtual service hosts: [a.com, "
        "*.b.com]"},
       {"match: [{sniHosts: ['*.com']}]" + kRoute, "8:25 Error IST0106 SNI host \"*.com\" is not a compatible subset"},
       {"match: [{sniHosts: ['a.*.b.com']}]" + kRoute, "8:25 Error IST0106 SNI host \"a.*.b.com\" may have a wildcard"},
       {"match: [{sniHosts: [10.0.0.1]}]" + kRoute, "8:25 Warning IST0133 SNI host \"10.0.0.1\" is an IP address"}});
}

TEST(ReadL4Route, Good) {
  const auto object = test::only<VirtualService>(test::istio(
      "VirtualService",
      "hosts: ['*.b.com']\ntls:\n- match: [{sniHosts: [x.b.com], port: 443}]\n  route: [{destination: {host: a}}]\n"
      "tcp:\n- match: [{destinationSubnets: [10.1.0.0/16, fd00::/8], sourceSubnet: 10.0.0.7, port: 3306, sourceLabels: "
      "{app: x}, gateways: [mesh]}]\n"
      "  route: [{destination: {host: a}, weight: 1}, {destination: {host: b}, weight: 3}]"));
  ASSERT_EQ(object.tls.size(), 1U);
  ASSERT_EQ(object.tcp.size(), 1U);
  EXPECT_EQ(object.tls[0].match[0].sni_hosts[0].value, "x.b.com");
  const L4Match& match = object.tcp[0].match[0];
  EXPECT_EQ(match.destination_subnets.at(1).to_string(), "fd00::/8");
  EXPECT_EQ(match.source_subnet->to_string(), "10.0.0.7/32");
  EXPECT_EQ(match.port->value, 3306);
  EXPECT_EQ(object.tcp[0].route[1].weight->value, 3U);
}

}  // namespace
}  // namespace weir::config
