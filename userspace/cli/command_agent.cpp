// weir agent: follows a folder and keeps the kernel at what it says.

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <memory>

#include "agent/agent.h"
#include "agent/node/log.h"
#include "cli/agent_outside_options.h"
#include "cli/agent_proxy_options.h"
#include "cli/command_table.h"
#include "cli/gateway_option.h"

namespace weir::cli {
namespace {

struct Options {
  agent::Options agent;
  ProxyOptionTexts proxy;
  std::vector<std::string> gateways, interfaces;
  std::string outside_ports = "20000-29999";
  std::string services = "ruled", http_split = "connection", debounce = "50ms", reconcile = "30s";
};

constexpr const char* kExamples =
    "  weir agent --config /etc/weir\n"
    "  weir agent --config DIR --cgroup /sys/fs/cgroup/mine --services all\n";

Exit exit_of(const Error& error) {
  return error.code == EPERM || error.code == EACCES ? kNoPermission : kError;
}

int run_agent(Context& context, Options options) {
  const auto debounce = parse_milliseconds(options.debounce);
  if (!debounce) return fail(context, kUsage, "--debounce " + debounce.error().message);
  const auto reconcile = parse_milliseconds(options.reconcile);
  if (!reconcile || *reconcile == 0)
    return fail(context, kUsage, "--reconcile-interval " + (reconcile ? "must not be 0" : reconcile.error().message));
  options.agent.debounce = std::chrono::milliseconds(*debounce);
  options.agent.reconcile_interval = std::chrono::milliseconds(*reconcile);
  options.agent.all_services = options.services == "all";
  options.agent.http_by_request = options.http_split == "request";
  for (const std::string& text : options.gateways) {
    auto gateway = read_gateway(text);
    if (!gateway) return fail(context, kUsage, "--gateway " + gateway.error().message);
    options.agent.gateways.push_back(*std::move(gateway));
  }
  options.agent.run_dir = context.options.run_dir;
  options.agent.bpffs_dir = context.options.bpffs;
  if (const auto proxy = read_proxy_options(options.proxy, options.agent); !proxy)
    return fail(context, kUsage, proxy.error().message);
  if (const auto outside = read_outside_options(options.interfaces, options.outside_ports, options.agent); !outside)
    return fail(context, kUsage, outside.error().message);
  if (std::error_code failed; std::filesystem::is_regular_file(options.agent.config_dir, failed))
    return fail(context, kUsage, "--config " + options.agent.config_dir + " is a file",
                "give the folder that it is in: the agent follows folders");
  agent::start_log(options.agent.verbose ? spdlog::level::debug : spdlog::level::info);
  auto made = agent::Agent::create(std::move(options.agent));
  if (made) (*made)->run();
  const Exit code = made ? kOk : exit_of(made.error());
  if (!made) spdlog::error("{}", agent::printable(made.error().message));
  made = Error{};  // the agent ends before its log does
  agent::stop_log();
  return code;
}

void add_map_sizes(CLI::App& command, agent::Options& agent) {
  const auto size = [&command](const char* name, uint32_t& value) {
    command.add_option(name, value, "entries of that map")
        ->capture_default_str()
        ->check(CLI::Range(1, 1 << 24))
        ->type_name("N");
  };
  size("--map-frontends", agent.sizes.frontends);
  size("--map-splits", agent.sizes.splits);
  size("--map-endpoints", agent.sizes.endpoints);
  size("--map-counters", agent.sizes.counters);
  size("--map-sockets", agent.sizes.sockets);
  size("--map-sources", agent.sizes.sources);
  size("--map-flows", agent.flows);
}

}  // namespace

void add_agent(CommandTable& table) {
  auto options = std::make_shared<Options>();
  auto& command = table.add("agent", "follow a folder of YAML and split connections as it says", kExamples,
                            [options](Context& context) { return run_agent(context, *options); });
  auto& agent = options->agent;
  command.add_option("--config", agent.config_dir, "the folder to follow")->required()->type_name("DIR");
  command.add_option("--cgroup", agent.cgroup, "split only below this cgroup2 directory (the root)")->type_name("DIR");
  command
      .add_option("--dns-server", agent.dns_servers,
                  "who is asked for the addresses of endpoints that are names (as in /etc/resolv.conf)")
      ->type_name("ADDRESS:PORT");
  command.add_option("--node", agent.node, "this node's name (the host's)")->type_name("NAME");
  command.add_option("--services", options->services, "ruled: services without a rule are left alone; all: split too")
      ->check(CLI::IsMember({"ruled", "all"}))
      ->capture_default_str()
      ->type_name("WHICH");
  command
      .add_option("--http-split", options->http_split,
                  "request: HTTP services with a rule are split by the proxy, even where connections would do")
      ->check(CLI::IsMember({"connection", "request"}))
      ->capture_default_str()
      ->type_name("BY");
  command
      .add_option("--gateway", options->gateways,
                  "serve that Gateway of the Gateway API, or Istio's Gateways that select these labels (of namespace "
                  "istio-system unless it is given)")
      ->type_name("[NS/]NAME|K=V,…");
  command
      .add_option("--interface", options->interfaces,
                  "serve gateways at this interface's addresses only, and split what comes through it to node ports, "
                  "externalIPs and load balancers' addresses; XDP where it pays unless xdp or tc is asked for")
      ->type_name("NAME[=auto|tc|xdp]");
  command
      .add_option("--outside-ports", options->outside_ports,
                  "that connections from outside get as they go on to other nodes; nobody else may use them")
      ->capture_default_str()
      ->type_name("FIRST-LAST");
  command.add_flag("--refuse-loopback-endpoints", agent.refuse_loopback_endpoints,
                   "for a folder that others write: leave endpoints on 127.0.0.0/8 and ::1 out");
  command
      .add_option("--debounce", options->debounce,
                  "quiet time before a burst of changes is acted on, 1 s at most; a single change is at once")
      ->capture_default_str()
      ->type_name("MS");
  command.add_option("--reconcile-interval", options->reconcile, "between two looks for drift")
      ->capture_default_str()
      ->type_name("TIME");
  add_map_sizes(command, agent);
  add_proxy_options(command, options->proxy);
  command.add_flag("!--no-start-cache", agent.start_cache,
                   "read all files at every start, and leave nothing in the run directory for the next");
  command.add_flag("-v,--verbose", agent.verbose, "log details too");
}

}  // namespace weir::cli
