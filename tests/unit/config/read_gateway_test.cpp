#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

constexpr const char* kAround = "selector: {istio: ingressgateway}\nservers:\n- @";  // line 8, column 5
const std::string kHosts = "\nhosts: ['*']";

TEST(ReadGateway, Bad) {
  test::check_specs("Gateway", "@",
                    {{"selector: {a: b}", "6:3 Error IST0106 gateway must have at least one server"},
                     {"selector: {a: b}\nservers: [null]", "7:13 Error IST0106 spec.servers[0] must not be null"},
                     {"servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: ['*']}]",
                      "6:3 Warning IST0133 gateway selector is not set"},
                     {"selector: {a: b}\nservers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: ['*']}, {port: "
                      "{number: 81, name: a, protocol: HTTP}, hosts: ['*']}]",
                      "7:75 Error IST0106 port names in servers must be unique: duplicate name \"a\""}});
  test::check_specs(
      "Gateway", kAround,
      {{"hosts: ['*']", "8:5 Error IST0106 spec.servers[0].port is required"},
       {"port: 80" + kHosts, "8:11 Error IST0106 spec.servers[0].port must be a map"},
       {"port: {name: a, protocol: HTTP}" + kHosts, "8:11 Error IST0106 spec.servers[0].port.number is required"},
       {"port: {number: 0, name: a, protocol: HTTP}" + kHosts, "8:20 Error IST0106 spec.servers[0].port.number is 0"},
       {"port: {number: 80, protocol: HTTP}" + kHosts, "8:11 Error IST0106 spec.servers[0].port.name is required"},
       {"port: {number: 80, name: a}" + kHosts, "8:11 Error IST0106 invalid protocol \"\""},
       {"port: {number: 80, name: a, protocol: HTTP3}" + kHosts, "8:43 Error IST0106 invalid protocol \"HTTP3\""},
       {"port: {number: 80, name: a, protocol: HTTP, targetPort: 8080}" + kHosts,
        "8:49 Error IST0106 targetPort has no impact on Gateways"},
       {"port: {number: 80, name: a, protocol: HTTP}",
        "8:5 Error IST0106 server config must contain at least one host"},
       {"port: {number: 80, name: a, protocol: HTTP}\nhosts: [short]",
        "9:13 Error IST0106 host \"short\": short names (non FQDN) are not allowed"},
       {"port: {number: 80, name: a, protocol: HTTP}\nhosts: [a.*.com]",
        "9:13 Error IST0106 partial wildcard \"a.*.com\" not allowed"},
       {"port: {number: 80, name: a, protocol: HTTP}\nhosts: ['*a.com']", "9:13 Error IST0106 partial wildcard"},
       {"port: {number: 80, name: a, protocol: HTTP}\nhosts: [10.0.0.1]", ""},
       {"port: {number: 7, name: a, protocol: HTTP}\nbind: unix:/a" + kHosts, "9:11 Error IST0106 bind"},
       {"port: {number: 0, name: a, protocol: HTTP}\nbind: unix://a" + kHosts,
        "9:11 Error IST0106 bind \"unix://a\" must be"},
       {"port: {number: 80, name: a, protocol: HTTP}\nhosts: ['a b/x.com']", "9:13 Error IST0106 namespace \"a b\""},
       {"port: {number: 80, name: a, protocol: HTTP}\nhosts: [ns/short]",
        "9:13 Error IST0106 host \"ns/short\": short names"},
       {"port: {number: 443, name: a, protocol: HTTPS}" + kHosts,
        "8:5 Error IST0106 server must have TLS settings for HTTPS ports"},
       {"port: {number: 80, name: a, protocol: HTTP}\ntls: {mode: SIMPLE}" + kHosts,
        "9:10 Error IST0106 server cannot have TLS settings for HTTP ports"},
       {"port: {number: 80, name: a, protocol: TCP}\ntls: {httpsRedirect: true}" + kHosts,
        "9:10 Error IST0106 server cannot have TLS settings for TCP ports"},
       {"port: {number: 443, name: a, protocol: TLS}\ntls: {mode: LOUD}" + kHosts, "9:17 Error IST0106"},
       {"port: {number: 80, name: a, protocol: HTTP}\nbind: here" + kHosts, "9:11 Error IST0106 bind \"here\""},
       {"port: {number: 80, name: a, protocol: HTTP}\nbind: 10.0.0.1" + kHosts, "9:5 Warning WEIR0211"},
       {"port: {number: 80, name: a, protocol: HTTP}\ndefaultEndpoint: 127.0.0.1:80" + kHosts, "9:5 Warning WEIR0211"},
       {"port: {number: 80, name: a, protocol: HTTP}\nhost: a.com" + kHosts, "9:5 Warning IST0133"},
       {"port: {number: 443, name: a, protocol: HTTPS}\ntls: {mode: SIMPLE, credentialName: c}" + kHosts,
        "9:11 Warning WEIR0210"}});
}

TEST(ReadGateway, BadCertificates) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"{mode: SIMPLE}", "a server that ends TLS needs a certificate"},
      {"{mode: SIMPLE, serverCertificate: a}", "a server that ends TLS needs a certificate"},
      {"{mode: SIMPLE, privateKey: a}", "a server that ends TLS needs a certificate"},
      {"{mode: SIMPLE, credentialName: a, serverCertificate: b, privateKey: c}",
       "certificates come from several sources"},
      {"{mode: SIMPLE, credentialName: a, credentialNames: [b]}", "certificates come from several sources"},
      {"{mode: MUTUAL, serverCertificate: b, privateKey: c}", "mutual TLS needs caCertificates"},
      {"{mode: ISTIO_MUTUAL, credentialName: a}", "ISTIO_MUTUAL takes no certificates"},
      {"{mode: PASSTHROUGH, credentialName: a}", "certificates have no effect where TLS passes through"}};
  for (const auto& [tls, expected] : table) {
    std::string all;
    for (const auto& line : test::read_findings(test::istio(
             "Gateway",
             "selector: {a: b}\nservers: [{port: {number: 443, name: a, protocol: HTTPS}, hosts: ['*'], tls: " + tls +
                 "}]"))) {
      all += line + "\n";
    }
    EXPECT_NE(all.find(expected), std::string::npos) << tls << "\n" << all;
  }
}

TEST(ReadGateway, Good) {
  const auto gateway = test::only<Gateway>(
      test::istio("Gateway",
                  "selector: {istio: ingressgateway}\nservers:\n"
                  "- {port: {number: 80, name: http, protocol: http}, hosts: ['*', ns/a.com, './*', '*/*.b.com'], tls: "
                  "{httpsRedirect: true}}\n"
                  "- {port: {number: 443, name: tls, protocol: TLS}, hosts: [a.com], tls: {mode: PASSTHROUGH}}\n"
                  "- {port: {number: 9000, name: tcp, protocol: TCP}, hosts: ['*']}"));
  ASSERT_EQ(gateway.servers.size(), 3U);
  EXPECT_EQ(gateway.servers[0].protocol, "HTTP");
  EXPECT_TRUE(gateway.servers[0].https_redirect);
  EXPECT_EQ(gateway.servers[0].tls, GatewayServer::Tls::kNone);
  EXPECT_EQ(gateway.servers[1].tls, GatewayServer::Tls::kPassthrough);
  EXPECT_EQ(gateway.servers[2].port.value, 9000);
}

}  // namespace
}  // namespace weir::config
