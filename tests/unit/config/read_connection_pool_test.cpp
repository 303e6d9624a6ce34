// Traffic policies: connection pools, outlier detection, TLS, port levels.

#include <gtest/gtest.h>

#include "support.h"

namespace weir::config {
namespace {

constexpr const char* kAround = "host: a\ntrafficPolicy: @";  // line 7, column 18

TEST(ReadTrafficPolicy, Bad) {
  test::check_specs(
      "DestinationRule", kAround,
      {{"{}", "7:18 Error IST0106 traffic policy must have at least one field"},
       {"[]", "7:18 Error IST0106 spec.trafficPolicy must be a map"},
       {"{connectionPool: {}}", "7:35 Error IST0106 connection pool must have at least one field"},
       {"{connectionPool: {tcp: {}}}", ""},
       {"{connectionPool: {http: {}}}", ""},
       {"{connectionPool: {http: {idleTimeout: 0s}}}", "7:56 Error IST0106"},
       {"{connectionPool: {tcp: {tcpKeepalive: {interval: 0s}}}}", "7:67 Error IST0106"},
       {"{connectionPool: {tcp: {maxConnections: '5'}}}", "7:58 Error IST0106"},
       {"{portLevelSettings: [{port: {}, tls: {mode: DISABLE}}]}",
        "7:40 Warning IST0133 these settings are for no port"},
       {"{connectionPool: {tcp: {maxConnections: -1}}}",
        "7:58 Error IST0106 spec.trafficPolicy.connectionPool.tcp.maxConnections is -1"},
       {"{connectionPool: {tcp: {connectTimeout: 0s}}}", "7:58 Error IST0106"},
       {"{connectionPool: {tcp: {connectTimeout: 10}}}", "7:58 Error IST0106"},
       {"{connectionPool: {http: {http1MaxPendingRequests: -1}}}", "7:68 Error IST0106"},
       {"{connectionPool: {http: {maxRetries: many}}}", "7:55 Error IST0106"},
       {"{connectionPool: {http: {useClientProtocol: true, h2UpgradePolicy: DEFAULT}}}", ""},
       {"{connectionPool: {http: {h2UpgradePolicy: ALWAYS}}}", "7:60 Error IST0106"},
       {"{connectionPool: {http: {h2UpgradePolicy: UPGRADE}}}", "7:43 Warning WEIR0209"},
       {"{connectionPool: {http: {maxConcurrentStreams: 5}}}", "7:43 Warning WEIR0209"},
       {"{outlierDetection: {interval: 0s}}", "7:48 Error IST0106"},
       {"{outlierDetection: {baseEjectionTime: 1us}}", "7:56 Error IST0106"},
       {"{outlierDetection: {maxEjectionPercent: 101}}", "7:58 Error IST0106"},
       {"{outlierDetection: {minHealthPercent: -1}}", "7:56 Error IST0106"},
       {"{outlierDetection: {consecutiveLocalOriginFailures: 5}}",
        "7:38 Error IST0106 consecutiveLocalOriginFailures needs"},
       {"{outlierDetection: {consecutiveErrors: 5}}", "7:38 Warning IST0002 consecutiveErrors is deprecated"},
       {"{tls: {mode: ISTIO_MUTUAL}}", "7:25 Warning WEIR0201 tls.mode ISTIO_MUTUAL is not honoured"},
       {"{tls: {mode: SIMPLE}}", "7:25 Warning WEIR0202 tls.mode SIMPLE is not honoured"},
       {"{tls: {sni: a.test}}", "7:25 Warning WEIR0202 spec.trafficPolicy.tls.sni is not honoured"},
       {"{tls: {caCrl: /a.pem}}", "7:25 Warning WEIR0202 spec.trafficPolicy.tls.caCrl is not honoured"},
       {"{connectionPool: {tcp: {tcpKeepalive: {time: 10us}}}}",
        "7:63 Error IST0106 spec.trafficPolicy.connectionPool.tcp.tcpKeepalive.time is"},
       {"{connectionPool: {tcp: {tcpKeepalive: {probes: -1}}}}", "7:65 Error IST0106"},
       {"{tls: {mode: OFF}}", "7:31 Error IST0106"},
       {"{tunnel: {targetHost: a, targetPort: 80}}", "7:19 Warning WEIR0203"},
       {"{proxyProtocol: {}}", "7:19 Warning WEIR0204"},
       {"{retryBudget: {percent: 20}}", "7:19 Warning WEIR0205"},
       {"{portLevelSettings: [{port: {number: 80}}]}",
        "7:39 Error IST0106 traffic policy must have at least one field"},
       {"{portLevelSettings: [{loadBalancer: {}}]}",
        "7:39 Error IST0106 spec.trafficPolicy.portLevelSettings[0].port is required"},
       {"{portLevelSettings: [null]}", "7:39 Error IST0106 spec.trafficPolicy.portLevelSettings[0] must not be null"},
       {"{portLevelSettings: [{port: {number: 80}, loadBalancer: {}}, {port: {number: 80}, loadBalancer: {}}]}",
        "7:95 Warning IST0133 port 80 is given twice"}});
}

TEST(ReadTrafficPolicy, SeveralFaults) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"{connectionPool: {http: {useClientProtocol: true, h2UpgradePolicy: UPGRADE}}}",
       "use client protocol must not be true"},
      {"{connectionPool: {http: {http2KeepAlive: {interval: 5s}}}}", "http2KeepAlive.timeout is required"},
      {"{tunnel: {}, proxyProtocol: {}}", "tunnel and proxyProtocol cannot be set together"},
      {"{tls: {mode: MUTUAL, privateKey: a}}", "client certificate required for mutual tls"},
      {"{tls: {mode: MUTUAL, clientCertificate: a}}", "private key required for mutual tls"},
      {"{tls: {mode: SIMPLE, credentialName: a, caCertificates: b}}", "credentialName cannot be set together"},
      {"{tls: {mode: SIMPLE, insecureSkipVerify: true, caCertificates: b}}",
       "insecureSkipVerify cannot be set together"},
      {"{tls: {mode: SIMPLE, insecureSkipVerify: true, subjectAltNames: [b]}}",
       "insecureSkipVerify cannot be set together"}};
  for (const auto& [spec, expected] : table) {
    std::string all;
    for (const auto& line : test::read_findings(test::istio("DestinationRule", "host: a\ntrafficPolicy: " + spec)))
      all += line + "\n";
    EXPECT_NE(all.find(expected), std::string::npos) << spec << "\n" << all;
  }
}

TEST(ReadTrafficPolicy, Good) {
  const auto rule = test::only<DestinationRule>(test::istio(
      "DestinationRule",
      "host: a\ntrafficPolicy:\n  connectionPool: {tcp: {maxConnections: 5, connectTimeout: 30ms, idleTimeout: 0s, "
      "tcpKeepalive: {time: 7200s, interval: 10ms, probes: 3}},"
      " http: {http2MaxRequests: 1000, maxRequestsPerConnection: 10}}\n"
      "  outlierDetection: {consecutive5xxErrors: 0, interval: 1s, maxEjectionPercent: 100}\n  tls: {mode: DISABLE}\n"
      "  portLevelSettings: [{port: {number: 8080}, loadBalancer: {simple: RANDOM}}]"));
  ASSERT_TRUE(rule.traffic_policy);
  const TrafficPolicy& policy = *rule.traffic_policy;
  EXPECT_EQ(policy.connection_pool->connect_timeout, std::chrono::milliseconds(30));
  EXPECT_EQ(policy.connection_pool->tcp_idle_timeout, Duration{0});
  ASSERT_TRUE(policy.connection_pool->tcp_keepalive);
  EXPECT_EQ(policy.connection_pool->tcp_keepalive->time, std::chrono::hours(2));
  EXPECT_EQ(policy.connection_pool->tcp_keepalive->interval, std::chrono::seconds(1));  // what the kernel counts in
  EXPECT_EQ(policy.connection_pool->tcp_keepalive->probes, 3U);
  EXPECT_EQ(policy.connection_pool->max_requests_per_connection, 10U);
  EXPECT_EQ(policy.outlier_detection->consecutive_5xx_errors, 0U);
  EXPECT_EQ(policy.tls->mode, ClientTls::Mode::kDisable);
  EXPECT_EQ(policy.port_level.at(8080).load_balancer->simple, LoadBalancer::Simple::kRandom);
}

}  // namespace
}  // namespace weir::config
