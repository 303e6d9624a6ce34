#include "routing/plan/policy.h"

#include <string>
#include <utility>
#include <variant>

#include "routing/codes.h"

namespace weir::routing {

namespace {

/// A merged rule's policy may be of another object than its subsets.
const config::Metadata& author_of(const DestinationRule& rule, const DestinationRule::Subset* subset,
                                  const config::Position& at) {
  for (const config::ObjectPtr& object : rule.objects) {
    const auto& written = std::get<config::DestinationRule>(*object);
    if (subset && written.meta.name == subset->origin.name && written.meta.file == subset->origin.file &&
        at >= subset->config->at)
      return written.meta;
    if (rule.traffic_policy && written.traffic_policy && rule.traffic_policy == &*written.traffic_policy)
      return written.meta;
  }
  return config::metadata(*rule.objects.front());
}

std::string named(const config::LoadBalancer::ConsistentHash& hash) {
  if (hash.use_source_ip) return "consistentHash.useSourceIp";
  if (hash.http_cookie) return "consistentHash.httpCookie";
  if (!hash.http_query_parameter_name.empty()) return "consistentHash.httpQueryParameterName";
  return "consistentHash.httpHeaderName";
}

bool has_limits(const config::ConnectionPool& pool) {
  return pool.max_connections || pool.connect_timeout || pool.max_connection_duration || pool.tcp_idle_timeout ||
         pool.http1_max_pending_requests || pool.http2_max_requests || pool.max_requests_per_connection ||
         pool.max_retries || pool.http_idle_timeout || pool.tcp_keepalive;
}

}  // namespace

void find_policy_not_in_kernel(const ResolvedDestination& destination, config::Diagnostics& into) {
  if (!destination.destination_rule) return;
  const EffectivePolicy policy = effective_policy(destination);
  const auto say = [&](const config::Position& at, const std::string& what) {
    const config::Metadata& meta = author_of(*destination.destination_rule, destination.subset_rule, at);
    config::Diagnostic diagnostic;
    diagnostic.level = config::Level::kWarning;
    diagnostic.code = code::kPolicyNotInKernel;
    diagnostic.message = what + " does not hold for connections to " + destination.host +
                         " that are split in the kernel: each endpoint gets its share of connections";
    diagnostic.hint = "annotation weir.dev/split: request on the VirtualService, where the port is HTTP";
    diagnostic.file = meta.file;
    diagnostic.at = at;
    diagnostic.object = meta.describe();
    into.push_back(std::move(diagnostic));
  };
  if (policy.load_balancer && policy.load_balancer->consistent_hash)
    say(policy.load_balancer->at, "loadBalancer." + named(*policy.load_balancer->consistent_hash));
  if (policy.load_balancer && goes_to_dialled(destination, {}))
    say(policy.load_balancer->at, "loadBalancer.simple PASSTHROUGH");
  if (policy.outlier_detection) say(policy.outlier_detection->at, "outlierDetection");
  if (policy.connection_pool && has_limits(*policy.connection_pool)) say(policy.connection_pool->at, "connectionPool");
}

}  // namespace weir::routing
