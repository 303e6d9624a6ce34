#include <set>

#include "config/read.h"
#include "config/scalars.h"

namespace weir::config {
namespace {

bool is_prime(uint64_t number) {
  if (number == 0) return false;
  if (number < 4) return true;  // as Envoy has it, 1 too
  for (uint64_t divisor = 2; divisor * divisor <= number; ++divisor) {
    if (number % divisor == 0) return false;
  }
  return true;
}

LoadBalancer::ConsistentHash::Cookie read_cookie(Fields& fields) {
  LoadBalancer::ConsistentHash::Cookie cookie;
  cookie.name = fields.text("name");
  cookie.path = fields.text("path");
  if (cookie.name.empty()) fields.context.error(fields.at(), "httpCookie needs a name");
  if (const auto ttl = fields.duration("ttl")) {
    if (ttl->value < Duration{0}) fields.context.error(ttl->at, fields.child("ttl").text() + " must not be negative");
    cookie.ttl = ttl->value;
  }
  std::set<std::string> names;
  fields.each("attributes", [&](Fields& attribute) {
    const auto name = attribute.located("name");
    attribute.ignore({"value"});
    if (name.value.empty()) attribute.context.error(attribute.at(), "a cookie attribute needs a name");
    if (!names.insert(to_lower(name.value)).second) {
      attribute.context.error(name.at, "cookie attribute " + quote(name.value) + " is given twice");
    }
  });
  fields.not_honoured("attributes", code::kCookieAttributes, "the cookie is set without them");
  return cookie;
}

void read_hash_kind(Fields& fields, LoadBalancer::ConsistentHash& hash) {
  constexpr int64_t kLargestTable = 5'000'011;
  int kinds = 0;
  if (const auto size = fields.integer("minimumRingSize", 0, INT64_MAX)) {
    if (size->value > 0) {
      ++kinds;
      hash.minimum_ring_size = static_cast<uint64_t>(size->value);
      fields.context.warn(size->at, code::kDeprecated, "consistentHash.minimumRingSize is deprecated",
                          "write ringHash: {minimumRingSize: ...}");
    }
  }
  kinds += fields.map("ringHash", [&](Fields& ring) {
    const auto size = ring.integer("minimumRingSize", 0, INT64_MAX);
    if (size && size->value > 0) hash.minimum_ring_size = static_cast<uint64_t>(size->value);
  });
  kinds += fields.map("maglev", [&](Fields& maglev) {
    const auto size = maglev.integer("tableSize", 0, INT64_MAX);
    if (!size || size->value == 0) {
      maglev.context.error(maglev.at(), "maglev needs a tableSize", "such as 65537");
    } else if (size->value >= kLargestTable || !is_prime(static_cast<uint64_t>(size->value))) {
      maglev.context.error(size->at, "maglev tableSize must be a prime number below 5000011", "such as 65537");
    } else {
      hash.maglev_table_size = static_cast<uint64_t>(size->value);
    }
  });
  if (kinds > 1)
    fields.context.error(fields.at(), "consistentHash has several hash kinds",
                         "keep one of minimumRingSize, ringHash, maglev");
}

LoadBalancer::ConsistentHash read_consistent_hash(Fields& fields) {
  LoadBalancer::ConsistentHash hash;
  hash.http_header_name = fields.text("httpHeaderName");
  hash.http_query_parameter_name = fields.text("httpQueryParameterName");
  hash.use_source_ip = fields.boolean("useSourceIp");
  fields.map("httpCookie", [&](Fields& cookie) { hash.http_cookie = read_cookie(cookie); });
  const int keys = !hash.http_header_name.empty() + !hash.http_query_parameter_name.empty() + hash.use_source_ip +
                   hash.http_cookie.has_value();
  if (keys == 0)
    fields.context.warn(fields.at(), code::kSchemaWarning, "consistentHash has no key: endpoints are picked at random");
  read_hash_kind(fields, hash);
  return hash;
}

std::optional<Duration> read_warmup(Fields& fields) {
  const auto duration = read_positive_duration(fields, "duration");
  if (!duration && !fields.present("duration")) {
    fields.context.error(fields.at(), fields.child("duration").text() + " is required");
  }
  const auto minimum = fields.number("minimumPercent");
  if (minimum && (minimum->value < 0 || minimum->value > 100)) {
    fields.context.error(minimum->at, fields.child("minimumPercent").text() + " must be 0 to 100");
  }
  const auto aggression = fields.number("aggression");
  if (aggression && aggression->value <= 0) {
    fields.context.error(aggression->at, fields.child("aggression").text() + " must be above 0");
  }
  return duration ? std::optional(duration->value) : std::nullopt;
}

/// distribute[].to: whole percents of 1..100 that sum to 100 (Istio's validateLocalityLbSetting).
void check_distribute(Fields& fields) {
  fields.ignore({"from"});
  int64_t total = 0;
  fields.members("to", [&](const std::string& name, Position /*at*/, const Node& node) {
    const auto weight = node.is_scalar() ? parse_integer(node.text) : std::nullopt;
    if (!weight || *weight < 1 || *weight > 100) {
      fields.context.error(node.at, "locality weight of " + quote(name) + " must be 1 to 100");
      return;
    }
    total += *weight;
  });
  if (total != 100) {
    fields.context.error(fields.at_key("to"), "total locality weight " + std::to_string(total) + " != 100");
  }
}

void read_locality(Fields& fields) {
  fields.ignore({"enabled", "failoverPriority", "failover"});
  const int kinds = (fields.find("distribute") != nullptr) + (fields.find("failover") != nullptr);
  if (kinds > 1) fields.context.error(fields.at(), "localityLbSetting has both distribute and failover", "keep one");
  fields.each("distribute", [&](Fields& item) { check_distribute(item); });
}

}  // namespace

LoadBalancer read_load_balancer(Fields& fields) {
  LoadBalancer balancer;
  balancer.at = fields.at();
  using Simple = LoadBalancer::Simple;
  // Numbers are those of the proto: 0 UNSPECIFIED, 1 LEAST_CONN, 2 RANDOM, 3 PASSTHROUGH, 4 ROUND_ROBIN, 5
  // LEAST_REQUEST.
  const auto simple = fields.choice<Simple>("simple", {{"UNSPECIFIED", Simple::kUnspecified},
                                                       {"LEAST_CONN", Simple::kLeastRequest},
                                                       {"RANDOM", Simple::kRandom},
                                                       {"PASSTHROUGH", Simple::kPassthrough},
                                                       {"ROUND_ROBIN", Simple::kRoundRobin},
                                                       {"LEAST_REQUEST", Simple::kLeastRequest}});
  if (simple) balancer.simple = simple->value;
  fields.map("consistentHash", [&](Fields& hash) { balancer.consistent_hash = read_consistent_hash(hash); });
  fields.not_honoured("backendUtilization", code::kBackendUtilization,
                      "no endpoint reports its load to Weir; the one with fewer requests is taken");
  balancer.has_locality_setting =
      fields.find("localityLbSetting") != nullptr || fields.find("zoneAwareLbSetting") != nullptr;
  if (fields.find("localityLbSetting") != nullptr && fields.find("zoneAwareLbSetting") != nullptr) {
    fields.context.error(fields.at_key("zoneAwareLbSetting"),
                         "loadBalancer has both localityLbSetting and zoneAwareLbSetting");
  }
  fields.map(
      "localityLbSetting", [&](Fields& locality) { read_locality(locality); }, Fields::Unknown::kIgnore);
  fields.not_honoured("localityLbSetting", code::kLocality, "endpoints are picked without regard to their locality");
  fields.not_honoured("zoneAwareLbSetting", code::kLocality, "endpoints are picked without regard to their zone");
  fields.map("warmup", [&](Fields& warmup) { balancer.warmup = read_warmup(warmup); });
  if (const auto seconds = read_positive_duration(fields, "warmupDurationSecs")) balancer.warmup = seconds->value;
  for (const std::string_view key : {"warmup", "warmupDurationSecs"}) {
    fields.not_honoured(key, code::kWarmup, "a new endpoint gets its full share at once");
  }
  return balancer;
}

}  // namespace weir::config
