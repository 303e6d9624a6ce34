// Settings as JSON: every timeout and limit of the request path, in milliseconds and bytes.

#include <array>
#include <chrono>

#include "proxy_process/fields.h"
#include "proxy_process/protocol.h"

namespace weir::proxy_process {
namespace {

using std::chrono::milliseconds;

struct Time {
  const char* key;
  net::Duration proxy::Timeouts::*member;
};
constexpr std::array kTimes = {
    Time{"head_ms", &proxy::Timeouts::head},
    Time{"keep_alive_ms", &proxy::Timeouts::keep_alive},
    Time{"endpoint_keep_alive_ms", &proxy::Timeouts::endpoint_keep_alive},
    Time{"body_idle_ms", &proxy::Timeouts::body_idle},
    Time{"connect_ms", &proxy::Timeouts::connect},
    Time{"response_head_ms", &proxy::Timeouts::response_head},
    Time{"tunnel_idle_ms", &proxy::Timeouts::tunnel_idle},
    Time{"mirror_ms", &proxy::Timeouts::mirror},
    Time{"drain_ms", &proxy::Timeouts::drain},
};
constexpr uint64_t kMostMilliseconds = 7ULL * 24 * 3'600'000;

struct Count {
  const char* key;
  size_t proxy::Options::*member;
};
constexpr std::array kCounts = {
    Count{"max_connections", &proxy::Options::max_connections},
    Count{"max_connections_per_client", &proxy::Options::max_connections_per_client},
    Count{"max_idle_per_endpoint", &proxy::Options::max_idle_per_endpoint},
    Count{"max_mirrors", &proxy::Options::max_mirrors},
};
constexpr uint64_t kMostConnections = 1U << 24;

constexpr std::array kFormats = {"off", "text", "json"};
constexpr std::array kLoops = {"auto", "io_uring", "epoll"};

template <size_t kSize>
size_t one_of(Fields& fields, const char* key, const std::array<const char*, kSize>& names) {
  const std::string name = fields.text_or(key, names[0], 32);
  for (size_t i = 0; i < kSize; ++i)
    if (name == names.at(i)) return i;
  fields.fault(key, "is unknown");
  return 0;
}

}  // namespace

Json to_json(const Settings& settings) {
  Json json = {{"workers", settings.workers},
               {"loop", kLoops.at(static_cast<size_t>(settings.loop))},
               {"has_log", settings.has_log},
               {"node", settings.node},
               {"access_log", kFormats.at(static_cast<size_t>(settings.proxy.access_log))},
               {"minimum_rate", settings.proxy.minimum_rate},
               {"via", settings.proxy.via},
               {"max_hops", settings.proxy.max_hops},
               {"max_headers", settings.proxy.http.max_headers},
               {"max_head_bytes", settings.proxy.http.max_head_bytes}};
  for (const auto& time : kTimes)
    json[time.key] = std::chrono::duration_cast<milliseconds>(settings.proxy.timeouts.*time.member).count();
  for (const auto& count : kCounts) json[count.key] = settings.proxy.*count.member;
  return json;
}

Result<Settings> settings_from_json(const Json& json) {
  Fields fields(json);
  Settings settings;
  proxy::Options& proxy = settings.proxy;
  settings.workers = fields.number("workers", kMaxWorkers);
  if (settings.workers == 0) fields.fault("workers", "is 0");
  settings.loop = static_cast<net::LoopKind>(one_of(fields, "loop", kLoops));
  settings.has_log = fields.flag_or("has_log", false);
  settings.node = fields.text("node", 1024);
  proxy.access_log = static_cast<proxy::AccessLogFormat>(one_of(fields, "access_log", kFormats));
  proxy.minimum_rate = fields.number_or("minimum_rate", proxy.minimum_rate, 1U << 30);
  proxy.via = fields.text_or("via", proxy.via, 64);
  proxy.max_hops = static_cast<unsigned>(fields.number_or("max_hops", proxy.max_hops, 1000));
  constexpr uint32_t kMostHeaders = 10'000, kMostHeadBytes = 1U << 20;
  proxy.http.max_headers = static_cast<uint32_t>(fields.number_or("max_headers", proxy.http.max_headers, kMostHeaders));
  proxy.http.max_head_bytes =
      static_cast<uint32_t>(fields.number_or("max_head_bytes", proxy.http.max_head_bytes, kMostHeadBytes));
  for (const auto& time : kTimes) {
    const auto now = std::chrono::duration_cast<milliseconds>(proxy.timeouts.*time.member).count();
    proxy.timeouts.*time.member =
        milliseconds(fields.number_or(time.key, static_cast<uint64_t>(now), kMostMilliseconds));
  }
  for (const auto& count : kCounts)
    proxy.*count.member = fields.number_or(count.key, proxy.*count.member, kMostConnections);
  if (auto good = fields.finish(); !good) return std::move(good).error().context("settings");
  return settings;
}

}  // namespace weir::proxy_process
