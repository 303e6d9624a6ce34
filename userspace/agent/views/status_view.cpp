#include <fmt/format.h>

#include <algorithm>

#include "agent/views/outside_view.h"
#include "agent/views/proxy_view.h"
#include "agent/views/views.h"

namespace weir::agent {
namespace {

/// Above this share of a map's capacity, status warns.
constexpr double kMapPressure = 0.9;
constexpr size_t kMostErrorsShown = 20;
constexpr size_t kMostServicesShown = 50;
constexpr size_t kMostConditionsShown = 100;

/// "ok", or what is wrong: the folder is not used as it is now.
Json config_json(const AgentFacts& facts, const State& state) {
  Json json = {{"dir", facts.config_dir},
               {"state", state.trouble ? to_string(state.trouble->kind) : state.table ? "ok" : "none"},
               {"since", nullptr},
               {"errors", Json::array()},
               {"details", Json::array()},
               {"files", state.files},
               {"objects", state.objects},
               {"warnings", state.warnings}};
  if (!state.trouble) {
    if (state.table) json["since"] = to_text(state.applied_at);
    return json;
  }
  json["since"] = to_text(state.trouble->since);
  if (state.trouble->errors.empty()) json["errors"].push_back(state.trouble->summary);
  for (const auto& diagnostic : state.trouble->errors) {
    if (json["errors"].size() == kMostErrorsShown) break;
    json["errors"].push_back(config::to_text(diagnostic));
    json["details"].push_back(diagnostic_json(diagnostic));
  }
  json["error_count"] = std::max<size_t>(state.trouble->errors.size(), 1);
  return json;
}

Json last_apply_json(const State& state) {
  if (!state.table) return nullptr;
  const auto microseconds = [](double ms) { return static_cast<int64_t>(ms * 1000); };
  return {{"generation", state.generation},
          {"at", to_text(state.applied_at)},
          {"operations", state.report.operations},
          {"frontends", state.report.frontends},
          {"splits", state.report.splits},
          {"endpoints", state.report.endpoints},
          {"deletions", state.report.deletions},
          {"debounce_us", microseconds(state.timing.debounce_ms)},
          {"event_to_kernel_us", microseconds(state.timing.event_to_kernel_ms)},
          {"read_us", microseconds(state.timing.read_ms)},
          {"build_us", microseconds(state.timing.build_ms)},
          {"kernel_us", state.report.nanoseconds / 1000},
          {"write_us", state.report.write_nanoseconds / 1000},
          {"warnings", state.report.warnings}};
}

Json conditions_json(const State& state) {
  auto list = Json::array();
  if (!state.table) return list;
  for (const auto& condition : state.table->conditions()) {
    if (condition.level == config::Level::kInfo) continue;
    if (list.size() == kMostConditionsShown) break;
    list.push_back(diagnostic_json(condition));
  }
  return list;
}

Json datapath_json(const AgentFacts& facts, const State& state, const KernelFacts& kernel) {
  Json json = {{"bpffs", facts.bpffs_dir},
               {"cgroup", kernel.status ? kernel.status->cgroup : facts.cgroup},
               {"adopted", state.adopted},
               {"generation", kernel.maps ? Json(kernel.maps->generation) : Json(nullptr)},
               {"warnings", kernel.status ? Json(kernel.status->warnings) : Json::array()},
               {"hooks", kernel.status ? hooks_json(*kernel.status) : Json::array()},
               {"maps", kernel.maps ? maps_json(*kernel.maps) : Json::array()},
               {"verdicts", kernel.maps ? verdicts_json(*kernel.maps) : Json::array()},
               {"packets", kernel.maps ? packets_json(*kernel.maps) : Json::array()},
               {"drift",
                {{"times", state.drift.times},
                 {"last", state.drift.times > 0 ? Json(to_text(state.drift.last)) : Json(nullptr)},
                 {"lines", state.drift.lines}}},
               {"swept",
                {{"times", state.swept.times},
                 {"records", state.swept.records},
                 {"proofs", state.swept.proofs},
                 {"trouble", state.swept.trouble}}}};
  if (!kernel.error.empty()) json["error"] = kernel.error;
  return json;
}

/// The clock of the proxy's beat.
uint64_t monotonic_ns() {
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

Json services_summary(const State& state) {
  size_t in_kernel = 0, in_proxy = 0;
  auto proxied = Json::array();
  if (state.table) {
    for (const auto& service : state.table->plan->services) {
      in_kernel += service->path == routing::Path::kKernel;
      if (service->path != routing::Path::kProxy) continue;
      ++in_proxy;
      if (proxied.size() < kMostServicesShown)
        proxied.push_back({{"service", service->service}, {"port", service->port}, {"reason", service->reason}});
    }
  }
  return {{"kernel", in_kernel}, {"proxy", in_proxy}, {"proxied", std::move(proxied)}};
}

/// Names that endpoints are called by, and what they stand for.
Json names_json(const State& state) {
  Json list = Json::array();
  const auto now = std::chrono::steady_clock::now();
  for (const auto& [name, known] : state.names) {
    Json addresses = Json::array();
    for (const IpAddress& address : known.addresses) addresses.push_back(address.to_string());
    Json age = nullptr;
    if (!known.addresses.empty()) age = std::chrono::duration<double>(now - known.since).count();
    list.push_back({{"name", name}, {"addresses", addresses}, {"age_s", age}, {"error", known.error}});
  }
  return list;
}

}  // namespace

Json hooks_json(const datapath::Status& status) {
  auto list = Json::array();
  for (const auto& hook : status.hooks) {
    auto foreign = Json::array();
    for (const auto& program : hook.foreign) foreign.push_back({{"id", program.id}, {"name", program.name}});
    list.push_back({{"name", hook.name},
                    {"attached", hook.attached},
                    {"required", hook.required},
                    {"link", hook.link_id},
                    {"program", hook.program_id},
                    {"problem", hook.problem},
                    {"foreign", std::move(foreign)}});
  }
  return list;
}

Json maps_json(const datapath::MapsView& maps) {
  auto list = Json::array();
  for (const auto& map : maps.usage)
    list.push_back({{"name", map.name},
                    {"type", map.type},
                    {"id", map.id},
                    {"used", map.used},
                    {"capacity", map.capacity},
                    {"key_size", map.key_size},
                    {"value_size", map.value_size}});
  return list;
}

Json verdicts_json(const datapath::MapsView& maps) {
  auto list = Json::array();
  for (const auto& verdict : maps.verdicts)
    list.push_back({{"name", verdict.name}, {"count", verdict.count}, {"help", verdict.help}});
  return list;
}

std::vector<std::string> problems(const State& state, const KernelFacts& kernel) {
  std::vector<std::string> lines;
  if (state.trouble)
    lines.push_back(fmt::format("{} since {}: {}",
                                state.trouble->kind == Trouble::Kind::kKernel ? "the kernel refuses the configuration"
                                                                              : "the folder is not used",
                                to_text(state.trouble->since), state.trouble->summary));
  else if (!state.table)
    lines.emplace_back("no configuration has been taken over yet");
  if (!kernel.error.empty()) lines.push_back(kernel.error);
  if (kernel.status)
    for (const auto& hook : kernel.status->hooks)
      if (hook.required && (!hook.attached || !hook.problem.empty()))
        lines.push_back(fmt::format("hook {}: {}", hook.name, hook.problem.empty() ? "not attached" : hook.problem));
  if (kernel.maps) {
    for (const auto& map : kernel.maps->usage)
      if (map.type == "hash" && static_cast<double>(map.used) > kMapPressure * static_cast<double>(map.capacity))
        lines.push_back(fmt::format("map {} is nearly full: {} of {}", map.name, map.used, map.capacity));
    for (const auto& problem : kernel.maps->problems) lines.push_back("maps: " + problem);
  }
  for (auto& problem : proxy_problems(state)) lines.push_back(std::move(problem));
  for (auto& problem : outside_problems(state)) lines.push_back(std::move(problem));
  return lines;
}

Json status_view(const AgentFacts& facts, const State& state, const KernelFacts& kernel) {
  const auto list = problems(state, kernel);
  const auto uptime = std::chrono::duration<double>(WallClock::now() - facts.started_at).count();
  return {{"healthy", list.empty()},
          {"ready", state.table != nullptr && state.attached},
          {"generation", state.generation},
          {"problems", list},
          {"agent",
           {{"pid", facts.pid},
            {"version", facts.version},
            {"node", facts.node},
            {"started_at", to_text(facts.started_at)},
            {"uptime_s", uptime},
            {"services", facts.all_services ? "all" : "ruled"},
            {"run_dir", facts.run_dir}}},
          {"config", config_json(facts, state)},
          {"last_apply", last_apply_json(state)},
          {"datapath", datapath_json(facts, state, kernel)},
          {"proxy", proxy_view(state, kernel.maps ? &*kernel.maps : nullptr, monotonic_ns())},
          {"outside", outside_view(state)},
          {"services", services_summary(state)},
          {"names", names_json(state)},
          {"conditions", conditions_json(state)}};
}

}  // namespace weir::agent
