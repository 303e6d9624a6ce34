#include "proxy/destination_compiler.h"

#include "base/hash.h"

namespace weir::proxy {
namespace {

// An idle timeout of 0 is none.
constexpr Duration kNever = std::chrono::hours(24 * 365);

Duration switchable(const std::optional<config::Duration>& written) {
  if (!written) return {};
  return *written == config::Duration::zero() ? kNever : Duration(*written);
}

net::Keepalive keepalive_of(const config::ConnectionPool::TcpKeepalive& written) {
  // Of tcp(7); more is refused by the kernel.
  constexpr int kMaxProbes = 127, kMaxSeconds = 32767;
  const auto seconds = [](const std::optional<config::Duration>& duration) {
    const auto count = std::chrono::duration_cast<std::chrono::seconds>(duration.value_or(config::Duration{0})).count();
    return static_cast<int>(std::min<int64_t>(count, kMaxSeconds));
  };
  return {.probes = static_cast<int>(std::min<uint32_t>(written.probes.value_or(0), kMaxProbes)),
          .time_s = seconds(written.time),
          .interval_s = seconds(written.interval)};
}

}  // namespace

Share share_of(const routing::ResolvedDestination& resolved, uint64_t weight) {
  Share share;
  share.weight = weight;
  for (const routing::Endpoint* endpoint : resolved.endpoints) {
    if (endpoint->healthy) share.endpoints.push_back({{endpoint->address, endpoint->port}, endpoint->weight});
  }
  return share;
}

PoolLimits pool_limits(const config::ConnectionPool* written) {
  PoolLimits limits;
  if (written == nullptr) return limits;
  // Istio takes 0 for "not said" (proto3).
  const auto limit = [](const std::optional<uint32_t>& value) {
    return value.value_or(0) == 0 ? PoolLimits::kNone : *value;
  };
  limits.max_connections = limit(written->max_connections);
  limits.max_pending = limit(written->http1_max_pending_requests);
  limits.max_requests = limit(written->http2_max_requests);
  limits.max_retries = limit(written->max_retries);
  limits.max_requests_a_connection = written->max_requests_per_connection.value_or(0);
  limits.connect_timeout = written->connect_timeout.value_or(config::Duration::zero());
  limits.idle_timeout = switchable(written->http_idle_timeout);
  limits.tunnel_idle_timeout = switchable(written->tcp_idle_timeout);
  limits.max_connection_age = written->max_connection_duration.value_or(config::Duration::zero());
  if (written->tcp_keepalive) limits.keepalive = keepalive_of(*written->tcp_keepalive);
  return limits;
}

OutlierRules outlier_rules(const config::OutlierDetection* written) {
  OutlierRules rules;
  if (written == nullptr) return rules;
  rules.enabled = true;
  rules.consecutive_5xx = written->consecutive_5xx_errors.value_or(rules.consecutive_5xx);
  rules.consecutive_gateway = written->consecutive_gateway_errors.value_or(0);
  rules.split_local = written->split_external_local_origin_errors;
  rules.consecutive_local = rules.split_local ? written->consecutive_local_origin_failures.value_or(5) : 0;
  rules.interval = written->interval.value_or(rules.interval);
  rules.base_ejection = written->base_ejection_time.value_or(rules.base_ejection);
  rules.max_ejection_percent = written->max_ejection_percent.value_or(rules.max_ejection_percent);
  rules.min_health_percent = written->min_health_percent.value_or(0);
  return rules;
}

Destination compile_destination(const routing::ResolvedDestination& resolved, const routing::Client& client,
                                std::span<const WeightedEndpoint> endpoints, SharedState& shared) {
  Destination destination;
  destination.host = resolved.host;
  destination.port = resolved.port;
  destination.subset = resolved.subset;
  destination.exists = resolved.exists;
  destination.refused_status = resolved.refused_status;
  destination.name = resolved.host + ":" + std::to_string(resolved.port);
  if (!resolved.subset.empty()) destination.name += "/" + resolved.subset;
  destination.key = hash64(destination.name);
  destination.to_dialled = routing::goes_to_dialled(resolved, client);
  if (!destination.to_dialled) destination.problem = resolved.problem;
  if (!resolved.exists) return destination;
  const routing::EffectivePolicy policy = routing::effective_policy(resolved);
  const config::LoadBalancer* balancing = policy.load_balancer;
  destination.limits = pool_limits(policy.connection_pool);
  destination.outlier = outlier_rules(policy.outlier_detection);
  destination.state = shared.destinations.get(destination.name);
  std::vector<EndpointStatePtr> states;
  states.reserve(endpoints.size());
  for (const WeightedEndpoint& endpoint : endpoints) states.push_back(destination.state->endpoint(endpoint.address));
  destination.balancer = Balancer(balancing, endpoints, std::move(states), *destination.state, destination.outlier);
  return destination;
}

}  // namespace weir::proxy
