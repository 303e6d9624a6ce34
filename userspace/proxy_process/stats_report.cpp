#include "proxy_process/stats_report.h"

#include "proxy/flags.h"
#include "proxy_process/fields.h"

namespace weir::proxy_process {
namespace {

constexpr size_t kMaxEntries = 1'000'000;
constexpr size_t kMaxNameBytes = 2048;

template <class Stats>
struct Named {
  const char* key;
  proxy::Counter Stats::*counter;
};

using proxy::EndpointStats;
using proxy::LoopStats;
using proxy::TrafficStats;

constexpr std::array kLoopCounters = {
#define WEIR_NAMED_COUNTER(name) Named<LoopStats>{#name, &LoopStats::name},
    WEIR_LOOP_COUNTERS(WEIR_NAMED_COUNTER)
#undef WEIR_NAMED_COUNTER
};

struct TrafficField {
  const char* key;
  proxy::Counter TrafficStats::*counter;
  uint64_t TrafficReport::*value;
};
constexpr std::array kTrafficFields = {
    TrafficField{"requests", &TrafficStats::requests, &TrafficReport::requests},
    TrafficField{"tunnels", &TrafficStats::tunnels, &TrafficReport::tunnels},
    TrafficField{"retries", &TrafficStats::retries, &TrafficReport::retries},
    TrafficField{"mirrors", &TrafficStats::mirrors, &TrafficReport::mirrors},
    TrafficField{"mirrors_dropped", &TrafficStats::mirrors_dropped, &TrafficReport::mirrors_dropped},
    TrafficField{"delays", &TrafficStats::delays, &TrafficReport::delays},
    TrafficField{"aborts", &TrafficStats::aborts, &TrafficReport::aborts},
    TrafficField{"bytes_received", &TrafficStats::bytes_received, &TrafficReport::bytes_received},
    TrafficField{"bytes_sent", &TrafficStats::bytes_sent, &TrafficReport::bytes_sent},
};

struct EndpointField {
  const char* key;
  proxy::Counter EndpointStats::*counter;
  uint64_t EndpointReport::*value;
};
constexpr std::array kEndpointFields = {
    EndpointField{"requests", &EndpointStats::requests, &EndpointReport::requests},
    EndpointField{"connect_failures", &EndpointStats::connect_failures, &EndpointReport::connect_failures},
    EndpointField{"resets", &EndpointStats::resets, &EndpointReport::resets},
    EndpointField{"ejections", &EndpointStats::ejections, &EndpointReport::ejections},
    EndpointField{"connections", &EndpointStats::connections, &EndpointReport::connections},
};

void put(Json& json, const std::string& key, uint64_t value) {
  if (value > 0) json[key] = value;
}

template <class Stats>
Json classes_json(const proxy::Sharded<Stats>& stats) {
  Json list = Json::array();
  for (size_t i = 0; i < 6; ++i)
    list.push_back(stats.sum([i](const Stats& part) -> const proxy::Counter& { return part.status_classes.at(i); }));
  return list;
}

Json durations_json(const proxy::Sharded<TrafficStats>& stats) {
  Json list = Json::array();
  for (size_t bucket = 0; bucket < proxy::Histogram::kBuckets; ++bucket) {
    uint64_t count = 0;
    for (size_t loop = 0; loop < stats.loops(); ++loop) count += stats.of_loop(loop).durations.count(bucket);
    if (count > 0)
      list.push_back({{"upto_us", static_cast<uint64_t>(proxy::Histogram::upper(bucket).count())}, {"count", count}});
  }
  return list;
}

Json statuses_json(const proxy::Sharded<TrafficStats>& stats) {
  std::map<uint16_t, uint64_t> sums;
  for (size_t loop = 0; loop < stats.loops(); ++loop)
    stats.of_loop(loop).statuses.for_each([&sums](uint16_t status, uint64_t count) { sums[status] += count; });
  Json json = Json::object();
  for (const auto& [status, count] : sums) json[std::to_string(status)] = count;
  return json;
}

Json traffic_json(const proxy::StatsRegistry::TrafficEntry& entry) {
  const auto& stats = *entry.stats;
  Json json = {{"route", entry.route}, {"destination", entry.destination}};
  for (const auto& field : kTrafficFields)
    put(json, field.key, stats.sum([&field](const TrafficStats& part) -> const auto& { return part.*field.counter; }));
  json["status_classes"] = classes_json(stats);
  json["statuses"] = statuses_json(stats);
  Json flags = Json::object();
  for (uint32_t flag = 0; flag < proxy::kFlagCount; ++flag)
    put(flags, proxy::flag_text(flag),
        stats.sum([flag](const TrafficStats& part) -> const auto& { return part.flags.at(flag); }));
  json["flags"] = std::move(flags);
  uint64_t sum_us = 0;
  for (size_t loop = 0; loop < stats.loops(); ++loop) sum_us += stats.of_loop(loop).durations.sum_us();
  json["duration_sum_us"] = sum_us;
  json["durations"] = durations_json(stats);
  return json;
}

Json endpoint_json(const proxy::StatsRegistry::EndpointEntry& entry) {
  Json json = {{"destination", entry.destination}, {"address", entry.address}};
  for (const auto& field : kEndpointFields)
    put(json, field.key,
        entry.stats->sum([&field](const EndpointStats& part) -> const auto& { return part.*field.counter; }));
  json["status_classes"] = classes_json(*entry.stats);
  return json;
}

template <class Value>
void read_classes(Fields& fields, Value& entry) {
  const auto& list = fields.array("status_classes", entry.status_classes.size());
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i].is_number_unsigned())
      entry.status_classes.at(i) = list[i].template get<uint64_t>();
    else
      fields.fault("status_classes", "is not of numbers");
  }
}

void read_statuses(Fields& fields, TrafficReport& entry) {
  constexpr size_t kMostStatuses = 1000;
  const auto& json = fields.object("statuses");
  if (json.size() > kMostStatuses) return fields.fault("statuses", "has too many entries");
  for (const auto& [key, value] : json.items()) {
    const bool good = key.size() == 3 && key.find_first_not_of("0123456789") == std::string::npos;
    if (!good || !value.is_number_unsigned()) return fields.fault("statuses", "is not of numbers");
    const int status = (key[0] - '0') * 100 + (key[1] - '0') * 10 + (key[2] - '0');
    entry.statuses[static_cast<uint16_t>(status)] = value.get<uint64_t>();
  }
}

void read_flags(Fields& fields, TrafficReport& entry) {
  const auto& json = fields.object("flags");
  for (uint32_t flag = 0; flag < proxy::kFlagCount; ++flag) {  // those that are known: names become labels
    const auto found = json.find(proxy::flag_text(flag));
    if (found == json.end()) continue;
    if (!found->is_number_unsigned()) return fields.fault("flags", "is not of numbers");
    entry.flags[found.key()] = found->get<uint64_t>();
  }
}

void read_durations(Fields& fields, TrafficReport& entry) {
  for (const auto& bucket : fields.array("durations", proxy::Histogram::kBuckets)) {
    Fields inner(bucket);
    const uint64_t upto = inner.number("upto_us");
    entry.durations[upto] += inner.number("count");
    if (!inner.finish()) return fields.fault("durations", "has a bad entry");
  }
}

Result<TrafficReport> traffic_from_json(const Json& json) {
  Fields fields(json);
  TrafficReport entry;
  entry.route = fields.text("route", kMaxNameBytes);
  entry.destination = fields.text("destination", kMaxNameBytes);
  for (const auto& field : kTrafficFields) entry.*field.value = fields.number_or(field.key, 0);
  entry.duration_sum_us = fields.number("duration_sum_us");
  read_classes(fields, entry);
  read_statuses(fields, entry);
  read_flags(fields, entry);
  read_durations(fields, entry);
  if (auto good = fields.finish(); !good) return std::move(good).error().context("traffic");
  return entry;
}

Result<EndpointReport> endpoint_from_json(const Json& json) {
  Fields fields(json);
  EndpointReport entry;
  entry.destination = fields.text("destination", kMaxNameBytes);
  entry.address = fields.text("address", kMaxNameBytes);
  for (const auto& field : kEndpointFields) entry.*field.value = fields.number_or(field.key, 0);
  read_classes(fields, entry);
  if (auto good = fields.finish(); !good) return std::move(good).error().context("endpoints");
  return entry;
}

}  // namespace

Json make_report(const ReportInput& input, proxy::StatsRegistry& registry) {
  Json totals = Json::object();
  for (const auto& named : kLoopCounters) {
    uint64_t sum = 0;
    for (const auto* loop : input.loops) sum += (loop->*named.counter).get();
    totals[named.key] = sum;
  }
  Json traffic = Json::array(), endpoints = Json::array();
  for (const auto& entry : registry.all_traffic()) traffic.push_back(traffic_json(entry));
  for (const auto& entry : registry.all_endpoints()) endpoints.push_back(endpoint_json(entry));
  return {{"generation", input.generation}, {"uptime_ms", input.uptime_ms},  {"lost_log_lines", input.lost_log_lines},
          {"totals", std::move(totals)},    {"traffic", std::move(traffic)}, {"endpoints", std::move(endpoints)}};
}

Result<Report> report_from_json(const Json& json) {
  Fields fields(json);
  Report report;
  report.generation = fields.number("generation");
  report.uptime_ms = fields.number("uptime_ms");
  report.lost_log_lines = fields.number_or("lost_log_lines", 0);
  Fields totals(fields.object("totals"));
  for (const auto& named : kLoopCounters) report.totals[named.key] = totals.number_or(named.key, 0);
  for (const auto& entry : fields.array("traffic", kMaxEntries)) {
    auto read = traffic_from_json(entry);
    if (!read) return std::move(read).error().context("report");
    report.traffic.push_back(std::move(*read));
  }
  for (const auto& entry : fields.array("endpoints", kMaxEntries)) {
    auto read = endpoint_from_json(entry);
    if (!read) return std::move(read).error().context("report");
    report.endpoints.push_back(std::move(*read));
  }
  if (auto good = totals.finish(); !good) return std::move(good).error().context("report");
  if (auto good = fields.finish(); !good) return std::move(good).error().context("report");
  return report;
}

}  // namespace weir::proxy_process
