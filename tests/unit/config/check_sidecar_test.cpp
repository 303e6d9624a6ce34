#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

std::string error_of(const std::string& spec) {
  const auto found = test::read_findings(test::istio("Sidecar", spec));
  return found.empty() ? "" : found.front();
}

TEST(CheckSidecar, Good) {
  for (const char* spec :
       {"egress: [{hosts: ['*/*']}]", "egress: [{hosts: [./*, ns/a.b, '~/*']}]",
        "outboundTrafficPolicy: {mode: REGISTRY_ONLY}",
        "ingress: [{port: {number: 80, protocol: HTTP, name: a}, defaultEndpoint: '127.0.0.1:8080'}]",
        "ingress: [{port: {number: 80, protocol: HTTP}, defaultEndpoint: '[::1]:8080'}]",
        "ingress: [{port: {number: 80, protocol: HTTP}, defaultEndpoint: unix:///a}]",
        "egress: [{port: {number: 0, protocol: TCP}, bind: unix:///a, hosts: ['*/*']}]",
        "egress: [{port: {number: 80, protocol: TCP}, hosts: ['*/*']}, {hosts: ['*/*']}]",
        "inboundConnectionPool: {tcp: {maxConnections: 5}}"}) {
    EXPECT_EQ(error_of(spec), "") << spec;
  }
}

TEST(CheckSidecar, Bad) {
  for (const auto& [spec, message] : std::initializer_list<std::pair<const char*, const char*>>{
           {"workloadSelector: {labels: {a: b}}", "needs ingress, egress"},
           {"egress: [{}]", "at least one host"},
           {"egress: [{hosts: [a.b]}]", "must be namespace/host"},
           {"egress: [{hosts: ['*/a']}]", "full host name"},
           {"egress: [{hosts: ['*/*a.b']}]", "partial wildcard"},
           {"egress: [{hosts: ['a b/*']}]", "invalid namespace"},
           {"egress: [{hosts: ['*/*']}, {hosts: ['*/*']}]", "must be the last one"},
           {"egress: [{port: {number: 0, protocol: TCP}, hosts: ['*/*']}]", "needs a bind"},
           {"egress: [{port: {number: 80, protocol: TCP}, bind: a, hosts: ['*/*']}]", "is not an IP address"},
           {"egress: [{port: {number: 80, protocol: KAFKA}, hosts: ['*/*']}]", "unsupported protocol"},
           {"ingress: [{}]", "port is required"},
           {"ingress: [{port: {number: 0, protocol: HTTP}}]", "must be 1 to 65535"},
           {"ingress: [{port: {number: 80, protocol: HTTP}}, {port: {number: 80, protocol: TCP}}]", "must be unique"},
           {"ingress: [{port: {number: 80, protocol: HTTP}, defaultEndpoint: '10.0.0.1:80'}]", "must be at"},
           {"ingress: [{port: {number: 80, protocol: HTTP}, defaultEndpoint: '127.0.0.1:0'}]", "must end in a port"},
           {"ingress: [{port: {number: 80, protocol: HTTP}, defaultEndpoint: '::1:80'}]", "brackets"},
           {"ingress: [{port: {number: 80, protocol: HTTP}, tls: {mode: SIMPLE, serverCertificate: a, privateKey: b}}]",
            "HTTPS and TLS"},
           {"ingress: [{port: {number: 80, protocol: TLS}, tls: {mode: ISTIO_MUTUAL}}]", "not supported"},
           {"ingress: [{port: {number: 80, protocol: TLS}, tls: {mode: SIMPLE}}]", "needs serverCertificate"},
           {"inboundConnectionPool: {}", "at least one field"},
           {"outboundTrafficPolicy: {egressProxy: {host: a.b, port: {number: 80}}}", "needs mode ALLOW_ANY"},
           {"outboundTrafficPolicy: {mode: ALLOW_ANY, egressProxy: {host: a.b}}", "port is required"}}) {
    EXPECT_NE(error_of(spec).find(message), std::string::npos)
        << spec << "\n-> " << error_of(spec) << "\nexpected " << message;
  }
}

}  // namespace
}  // namespace weir::config
