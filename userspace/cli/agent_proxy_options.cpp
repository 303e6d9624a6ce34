#include "cli/agent_proxy_options.h"

#include <sched.h>

#include <algorithm>
#include <charconv>

#include "cli/command_table.h"

namespace weir::cli {
namespace {

constexpr size_t kMostThreadsByDefault = 8;

size_t cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<size_t>(std::max(CPU_COUNT(&set), 1));
}

Result<void> read_time(const char* option, const std::string& text, net::Duration& to) {
  if (text.empty()) return {};
  const auto read = parse_milliseconds(text);
  if (!read) return Error(read.error()).context(option);
  if (*read == 0) return Error{std::string(option) + " must not be 0"};
  to = std::chrono::milliseconds(*read);
  return {};
}

}  // namespace

Result<PortRange> read_port_range(const std::string& option, const std::string& text, const std::string& example) {
  const auto dash = text.find('-');
  uint16_t first = 0, last = 0;
  const char* begin = text.data();
  const char* end = begin + text.size();
  const char* middle = dash == std::string::npos ? end : begin + dash;
  const auto a = std::from_chars(begin, middle, first);
  const bool both = middle != end && a.ec == std::errc() && a.ptr == middle;
  const auto b =
      both ? std::from_chars(middle + 1, end, last) : std::from_chars_result{end, std::errc::invalid_argument};
  if (b.ec != std::errc() || b.ptr != end || first == 0 || last < first)
    return Error{option + " \"" + text + "\" is not FIRST-LAST, as " + example};
  constexpr unsigned kMost = 16'384;
  if (last - first + 1U > kMost) return Error{option + ": at most " + std::to_string(kMost) + " ports"};
  return PortRange{first, static_cast<uint16_t>(last - first + 1)};
}

namespace {

void read_log(const ProxyOptionTexts& texts, agent::Options& options) {
  using Format = proxy::AccessLogFormat;
  const bool on = texts.access_log != "off";
  options.proxy.proxy.access_log = !on                                 ? Format::kOff
                                   : texts.access_log_format == "json" ? Format::kJson
                                                                       : Format::kText;
  options.access_log = texts.access_log == "file" ? options.run_dir + "/access.log" : on ? texts.access_log : "";
}

}  // namespace

void add_proxy_options(CLI::App& command, ProxyOptionTexts& texts) {
  command
      .add_option("--node-address", texts.node_addresses,
                  "where pods reach this node's proxy; once a family (found by default)")
      ->type_name("ADDRESS");
  command.add_option("--proxy-threads", texts.threads, "of the proxy (one a CPU, at most 8)")
      ->check(CLI::Range(size_t{1}, proxy_process::kMaxWorkers))
      ->type_name("N");
  command.add_option("--proxy-ports", texts.ports, "that stand for proxied services; nobody else may use them")
      ->capture_default_str()
      ->type_name("FIRST-LAST");
  command.add_option("--proxy-user", texts.user, "whom the proxy runs as (weir-proxy, else uid 65534)")
      ->type_name("USER");
  command.add_option("--proxy-loop", texts.loop, "io_uring, epoll, or auto: the better one that works")
      ->check(CLI::IsMember({"auto", "io_uring", "epoll"}))
      ->capture_default_str()
      ->type_name("KIND");
  command.add_option("--access-log", texts.access_log, "off, stderr, file (RUN_DIR/access.log) or a path")
      ->capture_default_str()
      ->type_name("WHERE");
  command.add_option("--access-log-format", texts.access_log_format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str()
      ->type_name("FORMAT");
  const auto time = [&command](const char* name, std::string& value, const char* help) {
    command.add_option(name, value, help)->type_name("TIME");
  };
  time("--head-timeout", texts.head_timeout, "for a request's head, from its first byte to its last (10s)");
  time("--keep-alive-timeout", texts.keep_alive_timeout, "between two requests of a client (60s)");
  time("--body-timeout", texts.body_timeout, "for a body to move on (30s)");
  time("--connect-timeout", texts.connect_timeout, "to an endpoint, where no DestinationRule says (1s)");
  time("--drain-timeout", texts.drain_timeout, "for a replaced proxy's connections to end (30s)");
  command.add_option("--max-connections", texts.max_connections, "of one thread (by the limit of open files)")
      ->type_name("N");
  command
      .add_option("--max-connections-per-client", texts.max_connections_per_client,
                  "from one address, of one thread (no limit)")
      ->type_name("N");
}

Result<void> read_proxy_options(const ProxyOptionTexts& texts, agent::Options& options) {
  auto addresses = agent::read_node_addresses(texts.node_addresses);
  if (!addresses) return std::move(addresses).error().context("--node-address");
  options.node_addresses = *addresses;
  auto& proxy = options.proxy;
  proxy.workers = texts.threads > 0 ? texts.threads : std::min(cpus(), kMostThreadsByDefault);
  proxy.loop = texts.loop == "epoll"      ? net::LoopKind::kEpoll
               : texts.loop == "io_uring" ? net::LoopKind::kUring
                                          : net::LoopKind::kAuto;
  options.proxy_user = texts.user;
  proxy.proxy.max_connections = texts.max_connections;
  proxy.proxy.max_connections_per_client = texts.max_connections_per_client;
  auto& timeouts = proxy.proxy.timeouts;
  WEIR_TRY(read_time("--head-timeout", texts.head_timeout, timeouts.head));
  WEIR_TRY(read_time("--keep-alive-timeout", texts.keep_alive_timeout, timeouts.keep_alive));
  WEIR_TRY(read_time("--body-timeout", texts.body_timeout, timeouts.body_idle));
  WEIR_TRY(read_time("--connect-timeout", texts.connect_timeout, timeouts.connect));
  WEIR_TRY(read_time("--drain-timeout", texts.drain_timeout, timeouts.drain));
  read_log(texts, options);
  const auto ports = read_port_range("--proxy-ports", texts.ports, "61000-61999");
  if (!ports) return ports.error();
  options.proxy_port_first = ports->first;
  options.proxy_port_count = ports->count;
  return {};
}

}  // namespace weir::cli
