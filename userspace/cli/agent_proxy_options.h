#pragma once
// Options of `weir agent` that are about the proxy.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "agent/options.h"
#include "base/result.h"

namespace weir::cli {

/// As written; read_proxy_options() makes sense of them.
struct ProxyOptionTexts {
  std::vector<std::string> node_addresses;
  std::string ports = "61000-61999", access_log = "off", access_log_format = "text", loop = "auto", user;
  size_t threads = 0;  // 0: one a CPU, at most 8
  std::string head_timeout, keep_alive_timeout, body_timeout, connect_timeout, drain_timeout;  // empty: by default
  size_t max_connections = 0, max_connections_per_client = 0;
};

void add_proxy_options(CLI::App& command, ProxyOptionTexts& texts);

struct PortRange {
  uint16_t first = 0, count = 0;
};
/// "61000-61999". An error names the option and shows `example`.
Result<PortRange> read_port_range(const std::string& option, const std::string& text, const std::string& example);

/// Into `options`, whose run_dir is set. An error names the option.
Result<void> read_proxy_options(const ProxyOptionTexts& texts, agent::Options& options);

}  // namespace weir::cli
