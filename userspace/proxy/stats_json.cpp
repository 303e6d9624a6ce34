#include "proxy/stats_json.h"

#include <cmath>
#include <cstdio>
#include <numeric>
#include <string_view>

namespace weir::proxy {
namespace {

constexpr std::array<std::string_view, 6> kClasses = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

void append_text(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    if (byte >= 0x20) {
      out += c;
      continue;
    }
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "\\u%04x", byte);
    out += escaped;
  }
  out += '"';
}

/// One JSON object or list; the comma before each further member.
class Writer {
 public:
  Writer(std::string& out, char open, char close) : out_(&out), close_(close) { out += open; }
  ~Writer() { *out_ += close_; }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  std::string& next() {
    if (!first_) *out_ += ',';
    first_ = false;
    return *out_;
  }
  std::string& member(std::string_view name) {
    append_text(next(), name);
    return *out_ += ':';
  }
  void number(std::string_view name, uint64_t value) { member(name) += std::to_string(value); }
  void text(std::string_view name, std::string_view value) { append_text(member(name), value); }

 private:
  std::string* out_;
  char close_;
  bool first_ = true;
};

template <class Stats>
void write_codes(Writer& object, const Sharded<Stats>& stats) {
  Writer codes(object.member("codes"), '{', '}');
  for (size_t number = 0; number < kClasses.size(); ++number) {
    const uint64_t count = stats.sum([&](const Stats& part) -> const Counter& { return part.status_classes[number]; });
    if (count != 0) codes.number(kClasses[number], count);
  }
}

void write_flags(Writer& object, const Sharded<TrafficStats>& stats) {
  Writer flags(object.member("flags"), '{', '}');
  for (uint32_t number = 0; number < kFlagCount; ++number) {
    const uint64_t count = stats.sum([&](const TrafficStats& part) -> const Counter& { return part.flags[number]; });
    if (count != 0) flags.number(flag_text(number), count);
  }
}

void write_durations(Writer& object, const Sharded<TrafficStats>& stats) {
  uint64_t sum = 0;
  for (size_t loop = 0; loop < stats.loops(); ++loop) sum += stats.of_loop(loop).durations.sum_us();
  const BucketCounts counts = sum_of_durations(stats);
  Writer durations(object.member("duration_us"), '{', '}');
  durations.number("sum", sum);
  for (const auto& [name, share] : {std::pair("p50", 0.5), std::pair("p95", 0.95), std::pair("p99", 0.99)}) {
    durations.number(name, static_cast<uint64_t>(percentile(counts, share).count()));
  }
  Writer buckets(durations.member("buckets"), '[', ']');
  for (size_t bucket = 0; bucket < counts.size(); ++bucket) {
    if (counts[bucket] == 0) continue;
    Writer pair(buckets.next(), '[', ']');
    pair.next() += std::to_string(Histogram::upper(bucket).count());
    pair.next() += std::to_string(counts[bucket]);
  }
}

void write_traffic(std::string& out, const StatsRegistry::TrafficEntry& entry) {
  const Sharded<TrafficStats>& stats = *entry.stats;
  Writer object(out, '{', '}');
  object.text("route", entry.route);
  object.text("destination", entry.destination);
#define WEIR_SUM(name) \
  object.number(#name, stats.sum([](const TrafficStats& part) -> const Counter& { return part.name; }))
  WEIR_SUM(requests);
  WEIR_SUM(tunnels);
  WEIR_SUM(retries);
  WEIR_SUM(mirrors);
  WEIR_SUM(mirrors_dropped);
  WEIR_SUM(delays);
  WEIR_SUM(aborts);
  WEIR_SUM(bytes_received);
  WEIR_SUM(bytes_sent);
#undef WEIR_SUM
  write_codes(object, stats);
  write_flags(object, stats);
  write_durations(object, stats);
}

void write_endpoint(std::string& out, const StatsRegistry::EndpointEntry& entry) {
  const Sharded<EndpointStats>& stats = *entry.stats;
  Writer object(out, '{', '}');
  object.text("destination", entry.destination);
  object.text("address", entry.address);
#define WEIR_SUM(name) \
  object.number(#name, stats.sum([](const EndpointStats& part) -> const Counter& { return part.name; }))
  WEIR_SUM(requests);
  WEIR_SUM(connections);
  WEIR_SUM(connect_failures);
  WEIR_SUM(resets);
  WEIR_SUM(ejections);
#undef WEIR_SUM
  write_codes(object, stats);
}

void write_loop(std::string& out, const LoopStats& stats) {
  Writer object(out, '{', '}');
#define WEIR_WRITE(name) object.number(#name, stats.name.get());
  WEIR_LOOP_COUNTERS(WEIR_WRITE)
#undef WEIR_WRITE
}

}  // namespace

BucketCounts sum_of_durations(const Sharded<TrafficStats>& stats) {
  BucketCounts counts{};
  for (size_t loop = 0; loop < stats.loops(); ++loop) {
    for (size_t bucket = 0; bucket < counts.size(); ++bucket) {
      counts[bucket] += stats.of_loop(loop).durations.count(bucket);
    }
  }
  return counts;
}

std::chrono::microseconds percentile(const BucketCounts& counts, double share) {
  const uint64_t total = std::accumulate(counts.begin(), counts.end(), uint64_t{0});
  if (total == 0) return {};
  const auto wanted = std::max<uint64_t>(1, static_cast<uint64_t>(std::ceil(share * static_cast<double>(total))));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < counts.size(); ++bucket) {
    seen += counts[bucket];
    if (seen >= wanted) return Histogram::upper(bucket);
  }
  return Histogram::upper(counts.size() - 1);
}

std::string stats_json(StatsRegistry& registry, std::span<const LoopStats* const> loops) {
  std::string out;
  {
    Writer document(out, '{', '}');
    {
      Writer routes(document.member("routes"), '[', ']');
      for (const auto& entry : registry.all_traffic()) write_traffic(routes.next(), entry);
    }
    {
      Writer endpoints(document.member("endpoints"), '[', ']');
      for (const auto& entry : registry.all_endpoints()) write_endpoint(endpoints.next(), entry);
    }
    Writer list(document.member("loops"), '[', ']');
    for (const LoopStats* stats : loops) write_loop(list.next(), *stats);
  }
  return out;
}

}  // namespace weir::proxy
