#pragma once
// DestinationRule (reference semantics 1.4). Include config/model.h.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/model_common.h"

namespace weir::config {

struct LoadBalancer {
  Position at;
  enum class Simple { kUnspecified, kRoundRobin, kRandom, kLeastRequest, kPassthrough };
  Simple simple = Simple::kUnspecified;
  struct ConsistentHash {
    std::string http_header_name, http_query_parameter_name;
    struct Cookie {
      std::string name, path;
      std::optional<Duration> ttl;
    };
    std::optional<Cookie> http_cookie;
    bool use_source_ip = false;
    uint64_t minimum_ring_size = 1024;
    std::optional<uint64_t> maglev_table_size;
  };
  std::optional<ConsistentHash> consistent_hash;
  bool has_locality_setting = false;
  std::optional<Duration> warmup;
};

struct ConnectionPool {
  Position at;
  // tcp
  std::optional<uint32_t> max_connections;
  std::optional<Duration> connect_timeout, max_connection_duration, tcp_idle_timeout;
  struct TcpKeepalive {
    std::optional<uint32_t> probes;
    std::optional<Duration> time, interval;  // at least 1 s; none: the kernel's own
  };
  std::optional<TcpKeepalive> tcp_keepalive;
  // http
  std::optional<uint32_t> http1_max_pending_requests, http2_max_requests, max_requests_per_connection, max_retries;
  std::optional<Duration> http_idle_timeout;
};

struct OutlierDetection {
  Position at;
  std::optional<uint32_t> consecutive_5xx_errors, consecutive_gateway_errors, consecutive_local_origin_failures;
  bool split_external_local_origin_errors = false;
  std::optional<Duration> interval, base_ejection_time;
  std::optional<uint32_t> max_ejection_percent, min_health_percent;
};

struct ClientTls {
  Position at;
  enum class Mode { kDisable, kSimple, kMutual, kIstioMutual };
  Mode mode = Mode::kDisable;
  bool verifies_server = false;  // caCertificates, or insecureSkipVerify: the user said which
  bool has_credential = false;   // credentialName
};

struct TrafficPolicy {
  Position at;
  std::optional<LoadBalancer> load_balancer;
  std::optional<ConnectionPool> connection_pool;
  std::optional<OutlierDetection> outlier_detection;
  std::optional<ClientTls> tls;
  /// port_level_settings: by service port; replaces the whole policy for that port.
  std::map<uint16_t, TrafficPolicy> port_level;
};

struct Subset {
  Position at;
  Located<std::string> name;
  Labels labels;
  std::optional<TrafficPolicy> traffic_policy;
};

struct DestinationRule {
  Metadata meta;
  Located<std::string> host;
  std::vector<Subset> subsets;
  std::optional<TrafficPolicy> traffic_policy;
  std::vector<Located<std::string>> export_to;
  Labels workload_selector;
};

}  // namespace weir::config
