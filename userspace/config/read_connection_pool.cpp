#include <algorithm>

#include "config/read.h"
#include "config/scalars.h"

namespace weir::config {
namespace {

std::optional<Duration> value_of(const std::optional<Located<Duration>>& located) {
  return located ? std::optional(located->value) : std::nullopt;
}

/// A duration that may be 0 (off).
std::optional<Duration> read_switchable(Fields& fields, std::string_view key) {
  const Node* node = fields.find(key);
  const auto written = node != nullptr && node->is_scalar() ? parse_duration(node->text) : std::nullopt;
  const bool off = written && *written > -std::chrono::milliseconds(1) && *written < std::chrono::milliseconds(1);
  return off ? std::optional(Duration{0}) : value_of(read_positive_duration(fields, key));
}

/// What the kernel counts in whole seconds: less is one.
std::optional<Duration> read_seconds(Fields& fields, std::string_view key) {
  const auto written = read_positive_duration(fields, key);
  return written ? std::optional(std::max<Duration>(written->value, std::chrono::seconds(1))) : std::nullopt;
}

void read_tcp(Fields& fields, ConnectionPool& pool) {
  pool.max_connections = fields.count("maxConnections");
  pool.connect_timeout = value_of(read_positive_duration(fields, "connectTimeout"));
  pool.max_connection_duration = value_of(read_positive_duration(fields, "maxConnectionDuration"));
  pool.tcp_idle_timeout = read_switchable(fields, "idleTimeout");
  fields.map("tcpKeepalive", [&](Fields& keepalive) {
    ConnectionPool::TcpKeepalive written;
    written.probes = keepalive.count("probes");
    written.time = read_seconds(keepalive, "time");
    written.interval = read_seconds(keepalive, "interval");
    pool.tcp_keepalive = written;
  });
}

void read_http(Fields& fields, ConnectionPool& pool) {
  pool.http1_max_pending_requests = fields.count("http1MaxPendingRequests");
  pool.http2_max_requests = fields.count("http2MaxRequests");
  pool.max_requests_per_connection = fields.count("maxRequestsPerConnection");
  pool.max_retries = fields.count("maxRetries");
  pool.http_idle_timeout = value_of(read_positive_duration(fields, "idleTimeout"));
  const bool client_protocol = fields.boolean("useClientProtocol");
  enum class Upgrade { kDefault, kDoNotUpgrade, kUpgrade };
  const auto upgrade = fields.choice<Upgrade>(
      "h2UpgradePolicy",
      {{"DEFAULT", Upgrade::kDefault}, {"DO_NOT_UPGRADE", Upgrade::kDoNotUpgrade}, {"UPGRADE", Upgrade::kUpgrade}});
  if (client_protocol && upgrade && upgrade->value == Upgrade::kUpgrade) {
    fields.context.error(fields.at_key("useClientProtocol"),
                         "use client protocol must not be true when H2UpgradePolicy is UPGRADE");
  }
  fields.count("maxConcurrentStreams");
  fields.map("http2KeepAlive", [&](Fields& keepalive) {
    for (const std::string_view key : {"interval", "timeout"}) {
      if (!read_positive_duration(keepalive, key) && !keepalive.present(key)) {
        keepalive.context.error(keepalive.at(), keepalive.child(key).text() + " is required");
      }
    }
  });
  if (upgrade && upgrade->value == Upgrade::kUpgrade) {
    fields.not_honoured("h2UpgradePolicy", code::kHttp2Settings, "Weir keeps the client's protocol version");
  }
  fields.not_honoured("maxConcurrentStreams", code::kHttp2Settings, "Weir speaks HTTP/1.1 to endpoints");
  fields.not_honoured("http2KeepAlive", code::kHttp2Settings, "Weir speaks HTTP/1.1 to endpoints");
}

/// "configmap://namespace/name": of the rule's own namespace only.
void check_credential_name(Fields& fields) {
  const auto name = fields.located("credentialName");
  if (!name.value.starts_with("configmap://")) return;
  const std::string rest = name.value.substr(12);
  const size_t slash = rest.find('/');
  const bool whole = slash == std::string::npos ? !rest.empty() : slash > 0 && slash + 1 < rest.size();
  if (!whole || rest.find('/', slash == std::string::npos ? 0 : slash + 1) != std::string::npos) {
    fields.context.error(
        name.at, "credentialName " + quote(name.value) + " is not configmap://name or configmap://namespace/name");
  } else if (slash != std::string::npos && rest.substr(0, slash) != fields.context.namespace_) {
    fields.context.error(name.at, "credentialName " + quote(name.value) + ": the namespace must be the rule's own");
  }
}

ClientTls read_tls(Fields& fields) {
  ClientTls tls;
  tls.at = fields.at_key("mode");
  using Mode = ClientTls::Mode;
  const auto mode = fields.choice<Mode>("mode", {{"DISABLE", Mode::kDisable},
                                                 {"SIMPLE", Mode::kSimple},
                                                 {"MUTUAL", Mode::kMutual},
                                                 {"ISTIO_MUTUAL", Mode::kIstioMutual}});
  if (mode) tls.mode = mode->value;
  const bool credential = !fields.text("credentialName").empty();
  const bool ca = !fields.text("caCertificates").empty();
  const bool certificate = !fields.text("clientCertificate").empty();
  const bool key = !fields.text("privateKey").empty();
  const bool names = !fields.texts("subjectAltNames").empty();
  const bool crl = !fields.text("caCrl").empty();
  const bool skip = fields.boolean("insecureSkipVerify");
  fields.not_honoured("sni", code::kTlsOrigination, "the name that the client sends is carried as it is");
  fields.not_honoured("caCrl", code::kTlsOrigination, "Weir verifies no certificates");
  fields.not_honoured("caCertCredentialName", code::kTlsOrigination, "Weir verifies no certificates");
  tls.verifies_server = ca || skip;
  tls.has_credential = credential;
  Context& context = fields.context;
  const bool own = tls.mode == Mode::kSimple || tls.mode == Mode::kMutual;
  if (skip && own && (ca || names || (credential && tls.mode == Mode::kSimple))) {
    context.error(fields.at_key("insecureSkipVerify"),
                  "insecureSkipVerify cannot be set together with what verifies: caCertificates, subjectAltNames, and "
                  "credentialName of mode SIMPLE");
  }
  check_credential_name(fields);
  if (own && credential && (ca || certificate || key || crl)) {
    context.error(fields.at_key("credentialName"), "credentialName cannot be set together with certificate files",
                  "keep one");
  }
  if (tls.mode == Mode::kMutual && !credential) {
    if (!certificate) context.error(fields.at(), "client certificate required for mutual tls");
    if (!key) context.error(fields.at(), "private key required for mutual tls");
  }
  if (tls.mode == Mode::kIstioMutual) {
    context.warn(tls.at, code::kMutualTls,
                 "tls.mode ISTIO_MUTUAL is not honoured: Weir holds no mesh certificates; connections are carried as "
                 "the client makes them");
  } else if (own) {
    context.warn(tls.at, code::kTlsOrigination,
                 "tls.mode " + std::string(tls.mode == Mode::kSimple ? "SIMPLE" : "MUTUAL") +
                     " is not honoured: Weir does not start TLS; connections are carried as the client makes them");
  }
  return tls;
}

void read_port_levels(Fields& fields, TrafficPolicy& policy) {
  fields.each("portLevelSettings", [&](Fields& item) {
    std::optional<Located<int64_t>> port;
    item.map("port", [&](Fields& inner) { port = inner.integer("number", 0, UINT32_MAX); });
    TrafficPolicy level = read_traffic_policy(item);
    if (!item.present("port")) {
      return item.context.error(item.at(), item.child("port").text() + " is required");
    }
    const auto number = static_cast<uint16_t>(port ? port->value : 0);
    if (!port || number != port->value || number == 0) {
      item.context.warn(item.at_key("port"), code::kSchemaWarning, "these settings are for no port",
                        "port: {number: 1 to 65535}");
    } else if (!policy.port_level.emplace(number, std::move(level)).second) {
      item.context.warn(port->at, code::kSchemaWarning,
                        "port " + std::to_string(number) + " is given twice in portLevelSettings: the first counts");
    }
  });
}

}  // namespace

ConnectionPool read_connection_pool(Fields& fields) {
  ConnectionPool pool;
  pool.at = fields.at();
  if (fields.empty()) fields.context.error(fields.at(), "connection pool must have at least one field");
  fields.map("tcp", [&](Fields& tcp) { read_tcp(tcp, pool); });
  fields.map("http", [&](Fields& http) { read_http(http, pool); });
  return pool;
}

OutlierDetection read_outlier_detection(Fields& fields) {
  OutlierDetection outlier;
  outlier.at = fields.at();
  outlier.consecutive_5xx_errors = fields.count("consecutive5xxErrors");
  outlier.consecutive_gateway_errors = fields.count("consecutiveGatewayErrors");
  outlier.consecutive_local_origin_failures = fields.count("consecutiveLocalOriginFailures");
  outlier.split_external_local_origin_errors = fields.boolean("splitExternalLocalOriginErrors");
  if (const auto old = fields.count("consecutiveErrors")) {
    fields.context.warn(fields.at_key("consecutiveErrors"), code::kDeprecated, "consecutiveErrors is deprecated",
                        "use consecutive5xxErrors or consecutiveGatewayErrors");
    if (!outlier.consecutive_5xx_errors) outlier.consecutive_5xx_errors = *old;
  }
  if (outlier.consecutive_local_origin_failures.value_or(0) > 0 && !outlier.split_external_local_origin_errors) {
    fields.context.error(fields.at_key("consecutiveLocalOriginFailures"),
                         "consecutiveLocalOriginFailures needs splitExternalLocalOriginErrors: true");
  }
  outlier.interval = value_of(read_positive_duration(fields, "interval"));
  outlier.base_ejection_time = value_of(read_positive_duration(fields, "baseEjectionTime"));
  const auto percent = [&](std::string_view key) -> std::optional<uint32_t> {
    const auto value = fields.integer(key, 0, 100);
    return value ? std::optional(static_cast<uint32_t>(value->value)) : std::nullopt;
  };
  outlier.max_ejection_percent = percent("maxEjectionPercent");
  outlier.min_health_percent = percent("minHealthPercent");
  fields.not_honoured("outlierDetectionHttpErrorCodes", code::kOutlierField, "only 5xx and gateway errors count");
  fields.not_honoured("failurePercentageThreshold", code::kOutlierField,
                      "endpoints are taken out for failures in a row only");
  return outlier;
}

namespace {

void check_tunnel(Fields& fields) {
  const auto protocol = fields.located("protocol");
  if (!protocol.value.empty() && protocol.value != "CONNECT" && protocol.value != "POST") {
    fields.context.error(protocol.at, "tunnel protocol must be CONNECT or POST");
  }
  const auto host = fields.located("targetHost");
  if (!is_ip(host.value))
    fields.context.check(fields.at_key("targetHost"), "tunnel targetHost", check_fqdn(host.value));
  if (!fields.port("targetPort") && !fields.present("targetPort")) {
    fields.context.error(fields.at(), fields.child("targetPort").text() + " is required");
  }
}

}  // namespace

TrafficPolicy read_traffic_policy(Fields& fields) {
  TrafficPolicy policy;
  policy.at = fields.at();
  const bool only_port = fields.node().items.size() == 2 && fields.present("port");
  if (fields.node().is_map() && (fields.empty() || only_port)) {
    fields.context.error(fields.at(), "traffic policy must have at least one field");
  }
  fields.map("loadBalancer", [&](Fields& inner) { policy.load_balancer = read_load_balancer(inner); });
  fields.map("connectionPool", [&](Fields& inner) { policy.connection_pool = read_connection_pool(inner); });
  fields.map("outlierDetection", [&](Fields& inner) { policy.outlier_detection = read_outlier_detection(inner); });
  fields.map("tls", [&](Fields& inner) { policy.tls = read_tls(inner); });
  const bool port_level = fields.path().index >= 0 && fields.path().key == "portLevelSettings";
  if (!port_level) read_port_levels(fields, policy);
  if (fields.find("tunnel") != nullptr && fields.find("proxyProtocol") != nullptr) {
    fields.context.error(fields.at_key("proxyProtocol"), "tunnel and proxyProtocol cannot be set together", "keep one");
  }
  fields.map("tunnel", [](Fields& tunnel) { check_tunnel(tunnel); });
  fields.not_honoured("tunnel", code::kTunnel, "connections go to the endpoint directly");
  fields.not_honoured("proxyProtocol", code::kProxyProtocol, "no PROXY header is sent");
  fields.not_honoured("retryBudget", code::kRetryBudget, "retries are limited by connectionPool.http.maxRetries only");
  return policy;
}

}  // namespace weir::config
