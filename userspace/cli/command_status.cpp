// weir status: health of the agent, its configuration, the hooks and the maps. Without an agent, what the pinned maps
// tell.

#include <fmt/format.h>

#include <cerrno>
#include <fstream>

#include "admin/client.h"
#include "agent/node/run_dir.h"
#include "agent/views/views.h"
#include "cli/agent_client.h"
#include "cli/command_table.h"
#include "cli/output.h"
#include "cli/watch.h"
#include "datapath/datapath.h"

namespace weir::cli {
namespace {

std::string text(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return "-";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string line(const char* what, const std::string& value) {
  return fmt::format("{:<10}{}\n", what, value);
}

std::string hooks_text(const Context& context, const Json& hooks) {
  size_t attached = 0;
  std::string lines;
  for (const auto& hook : hooks) {
    const bool on = hook["attached"].get<bool>();
    attached += on;
    std::string foreign;
    for (const auto& program : hook["foreign"])
      foreign += fmt::format("{}{} ({})", foreign.empty() ? "" : ", ", text(program, "name"), text(program, "id"));
    if (!on || text(hook, "problem") != "")
      lines += fmt::format(
          "  {} {}: {}\n",
          hook["required"].get<bool>() ? tinted(context, Tint::kBad, "×") : tinted(context, Tint::kWarn, "‼"),
          text(hook, "name"), text(hook, "problem").empty() ? "not attached" : text(hook, "problem"));
    if (!foreign.empty()) lines += fmt::format("  {} shares its hook with {}\n", text(hook, "name"), foreign);
  }
  return line("hooks", fmt::format("{} of {} attached", attached, hooks.size())) + lines;
}

std::string maps_text(const Json& maps) {
  std::string out;
  for (const auto& map : maps) {
    const auto used = map["used"].get<uint64_t>(), capacity = map["capacity"].get<uint64_t>();
    if (capacity > 1) out += fmt::format("{}{} {}/{}", out.empty() ? "" : ", ", text(map, "name"), used, capacity);
  }
  return line("maps", out.empty() ? "-" : out);
}

std::string verdicts_text(const Json& verdicts, const char* title = "verdicts") {
  std::string out;
  for (const auto& verdict : verdicts)
    if (verdict["count"].get<uint64_t>() > 0)
      out += fmt::format("  {:>12}  {:<16}  {}\n", verdict["count"].get<uint64_t>(), text(verdict, "name"),
                         text(verdict, "help"));
  return out.empty() ? "" : std::string(title) + "\n" + out;
}

std::string agent_text(const Json& agent) {
  return line("agent", fmt::format("pid {}, version {}, node {}, up {}", text(agent, "pid"), text(agent, "version"),
                                   text(agent, "node"), age(agent["uptime_s"].get<double>())));
}

std::string config_text(const Context& context, const Json& status) {
  const auto& config = status["config"];
  std::string objects;
  for (const auto& [kind, count] : config["objects"].items())
    objects += fmt::format("{}{} {}", objects.empty() ? "" : ", ", count.dump(), kind);
  std::string out = line("config", fmt::format("{}: {} files{}{}", text(config, "dir"), text(config, "files"),
                                               objects.empty() ? "" : "; ", objects));
  const auto& last = status["last_apply"];
  if (last.is_object())
    out += line("active", fmt::format("generation {} since {} ({} writes, {:.1f} ms after the debounce)",
                                      text(status, "generation"), text(last, "at"), text(last, "operations"),
                                      last["event_to_kernel_us"].get<double>() / 1000));
  if (text(config, "state") == "ok" || text(config, "state") == "none") return out;
  out += line("refused",
              tinted(context, Tint::kBad, "since " + text(config, "since")) + "; the active generation goes on");
  for (const auto& error : config["errors"]) out += "  " + error.get<std::string>() + "\n";
  return out;
}

std::string proxy_text(const Context& context, const Json& proxy) {
  const std::string state = text(proxy, "state");
  if (state == "unneeded") return {};
  if (state == "unsupported") return line("proxy", tinted(context, Tint::kWarn, "‼ ") + text(proxy, "why"));
  std::string draining;
  for (const auto& pid : proxy["draining"]) draining += (draining.empty() ? ", draining: pid " : ", ") + pid.dump();
  const std::string restarts = fmt::format("{} restarts", text(proxy, "restarts"));
  if (state == "down")
    return line("proxy", fmt::format("{} down since {}: it {}; {}{}", tinted(context, Tint::kBad, "×"),
                                     text(proxy, "since"), text(proxy, "why"), restarts, draining)) +
           "  meanwhile " + text(proxy, "without_proxy") + "\n";
  const std::string beat = proxy["beat_age_s"].is_number()
                               ? fmt::format("beat {:.1f} s ago", proxy["beat_age_s"].get<double>())
                               : "no beat yet";
  std::string addresses;
  for (const auto& address : proxy["addresses"]) addresses += " " + address.get<std::string>();
  return line("proxy",
              fmt::format("pid {}, version {} (build {:.8}), generation {}, {} workers on {}, {}, {}{}",
                          text(proxy, "pid"), text(proxy, "version"), text(proxy, "build"), text(proxy, "generation"),
                          text(proxy, "workers"), text(proxy, "loop"), beat, restarts, draining)) +
         fmt::format("  up since {}, at{}, {} of {} ports in use{}\n", text(proxy, "since"), addresses,
                     text(proxy["ports"], "used"), text(proxy["ports"], "count"),
                     proxy["adopted"].get<bool>() ? ", adopted" : "") +
         (proxy["silent"].get<bool>() ? "  × no sign of life; meanwhile " + text(proxy, "without_proxy") + "\n" : "") +
         (proxy["loopback_only"].get<bool>() ? "  loopback only: pods fall back (--node-address)\n" : "");
}

std::string outside_text(const Context& context, const Json& outside) {
  const auto unserved = outside["unserved"].get<size_t>();
  if (!outside["wanted"].get<bool>())
    return unserved == 0 ? ""
                         : line("outside", fmt::format("not split: {} services have addresses outside this node, and "
                                                       "weir agent runs without --interface",
                                                       unserved));
  if (!outside["attached"].get<bool>()) return {};
  std::string out = line("outside", fmt::format("{} addresses and ports, {} connections at most",
                                                text(outside, "frontends"), text(outside, "flow_capacity")));
  for (const auto& device : outside["devices"]) {
    const bool bad = !text(device, "problem").empty();
    std::string foreign;
    for (const auto& program : device["foreign"])
      foreign += (foreign.empty() ? ", beside " : ", ") + text(program, "name");
    const std::string tc = text(device, "tc"), xdp = text(device, "xdp"), why = text(device, "why_no_xdp");
    out += fmt::format("  {} {}: tc {}, XDP {}{}{}{}\n", bad ? tinted(context, Tint::kBad, "×") : " ",
                       text(device, "name"), tc.empty() ? "-" : tc, xdp.empty() ? "-" : xdp,
                       why.empty() ? "" : " (" + why + ")", foreign, bad ? ": " + text(device, "problem") : "");
  }
  for (const auto& warning : outside["warnings"]) out += "  " + warning.get<std::string>() + "\n";
  return out;
}

std::string services_text(const Json& services) {
  std::string out = line("services", fmt::format("{} split in the kernel, {} by the proxy", text(services, "kernel"),
                                                 text(services, "proxy")));
  for (const auto& service : services["proxied"])
    out += fmt::format("  {}:{} by the proxy ({})\n", text(service, "service"), text(service, "port"),
                       text(service, "reason"));
  return out;
}

std::string conditions_text(const Json& conditions) {
  constexpr size_t kMost = 10;
  if (conditions.empty()) return {};
  std::string out = line("warnings", std::to_string(conditions.size()));
  for (size_t i = 0; i < conditions.size() && i < kMost; ++i) {
    const auto& condition = conditions[i];
    out += fmt::format("  {}:{}:{}: [{}] ({}) {}\n", text(condition, "file"), text(condition, "line"),
                       text(condition, "column"), text(condition, "code"), text(condition, "object"),
                       text(condition, "message"));
  }
  if (conditions.size() > kMost)
    out += fmt::format("  and {} more: weir analyze lists them\n", conditions.size() - kMost);
  return out;
}

std::string drift_text(const Json& drift) {
  if (drift["times"].get<uint64_t>() == 0) return {};
  std::string out =
      line("drift", fmt::format("found and mended {} times, last at {}", text(drift, "times"), text(drift, "last")));
  for (const auto& entry : drift["lines"]) out += "  " + entry.get<std::string>() + "\n";
  return out;
}

std::string swept_text(const Json& swept) {
  const auto records = swept["records"].get<uint64_t>(), proofs = swept["proofs"].get<uint64_t>();
  std::string out;
  if (records + proofs > 0)
    out = line("swept", fmt::format("{} records and {} proofs of sockets that were gone", records, proofs));
  if (const auto trouble = text(swept, "trouble"); !trouble.empty())
    out += line("swept", "cannot look for records of sockets that are gone: " + trouble);
  return out;
}

/// Names that endpoints are called by. An older agent does not know them.
std::string names_text(const Json& status) {
  std::string all;
  for (const Json& name : status.value("names", Json::array())) {
    std::string addresses;
    for (const Json& address : name["addresses"])
      addresses += (addresses.empty() ? "" : ", ") + address.get<std::string>();
    std::string what = text(name, "name") + ": " + (addresses.empty() ? "not resolved" : addresses);
    if (!addresses.empty()) what += " for " + age(name["age_s"].get<double>());
    if (const std::string error = text(name, "error"); !error.empty()) what += " (now: " + error + ")";
    all += line("name", what);
  }
  return all;
}

void print_status(Context& context, const Json& status) {
  const bool healthy = status["healthy"].get<bool>();
  const auto& datapath = status["datapath"];
  context.out << line("health",
                      healthy ? tinted(context, Tint::kGood, "√ healthy") : tinted(context, Tint::kBad, "× degraded"));
  for (const auto& problem : status["problems"]) context.out << "  " << problem.get<std::string>() << "\n";
  context.out << agent_text(status["agent"]) << config_text(context, status) << services_text(status["services"])
              << names_text(status) << proxy_text(context, status["proxy"]) << outside_text(context, status["outside"])
              << line("cgroup", text(datapath, "cgroup")) << hooks_text(context, datapath["hooks"])
              << maps_text(datapath["maps"]) << drift_text(datapath["drift"]) << swept_text(datapath["swept"])
              << conditions_text(status["conditions"]) << verdicts_text(datapath["verdicts"])
              << verdicts_text(datapath["packets"], "packets from outside");
}

// ---------------------------------------------------------------- without an agent

/// What the agent that ran last left behind.
std::string last_cgroup(const Context& context) {
  std::ifstream file(agent::note_path(context.options.run_dir));
  const Json note = Json::parse(file, nullptr, false);
  return note.is_object() ? note.value("cgroup", "") : "";
}

int status_without_agent(Context& context) {
  const auto maps = datapath::read_maps(context.options.bpffs);
  if (!maps && maps.error().code == ENOENT)
    return fail(context, kUnreachable,
                "no agent runs at " + context.socket_path() + ", and nothing is pinned at " + context.options.bpffs,
                "start one with weir agent --config DIR, or say where it is with --run-dir and --bpffs");
  if (!maps) return fail(context, maps.error());
  const auto hooks = datapath::read_status(context.options.bpffs, last_cgroup(context));
  const bool active = hooks && hooks->healthy();
  if (context.machine_readable()) {
    print(context, Json{{"healthy", false},
                        {"ready", false},
                        {"generation", maps->generation},
                        {"problems", Json::array({"the agent is not running"})},
                        {"agent", nullptr},
                        {"datapath",
                         {{"bpffs", context.options.bpffs},
                          {"active", active},
                          {"generation", maps->generation},
                          {"hooks", hooks ? agent::hooks_json(*hooks) : Json::array()},
                          {"maps", agent::maps_json(*maps)},
                          {"verdicts", agent::verdicts_json(*maps)}}}});
    return kError;
  }
  context.out << line("health", tinted(context, Tint::kBad, "× the agent is not running"))
              << line("active",
                      fmt::format("{} generation {} ({} splits, {} frontends)",
                                  active ? "the data path goes on with" : "the maps hold, but the hooks do not run,",
                                  maps->generation, maps->splits.size(), maps->frontends.size()));
  if (hooks) context.out << line("cgroup", hooks->cgroup) << hooks_text(context, agent::hooks_json(*hooks));
  context.out << maps_text(agent::maps_json(*maps)) << verdicts_text(agent::verdicts_json(*maps));
  context.err << "hint: nothing is refreshed until an agent runs: weir agent --config DIR adopts what is there\n";
  return kError;
}

int show(Context& context) {
  const auto reply = admin::Client(context.socket_path()).get("/status");
  if (!reply && (reply.error().code == ENOENT || reply.error().code == ECONNREFUSED))
    return status_without_agent(context);
  auto answer = ask(context, "/status");
  if (!answer.ok()) return answer.exit;
  if (context.machine_readable())
    print(context, answer.json);
  else
    print_status(context, answer.json);
  return answer.json["healthy"].get<bool>() ? kOk : kError;
}

}  // namespace

void add_status(CommandTable& table) {
  table.add("status", "health of the agent, hooks and maps", "  weir status\n  weir status -o json | jq .problems\n",
            [](Context& context) { return show_or_watch(context, &show); });
}

}  // namespace weir::cli
