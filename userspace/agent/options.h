#pragma once
// What `weir agent` is told on its command line.

#include <chrono>
#include <string>
#include <vector>

#include "agent/node/address.h"
#include "agent/node/run_dir.h"
#include "datapath/datapath.h"
#include "datapath/north.h"
#include "proxy_process/protocol.h"
#include "routing/build/table_builder.h"

namespace weir::agent {

struct Options {
  std::string config_dir;
  std::string cgroup;  // empty: the cgroup2 root
  std::string bpffs_dir = datapath::kDefaultBpffsDir;
  std::string run_dir = kDefaultRunDir;
  std::string node;           // empty: the host's name
  bool all_services = false;  // services without a rule are split over their endpoints too
  /// For a folder that others than the operator write: endpoints on loopback would lead them to what listens on the
  /// node alone.
  bool refuse_loopback_endpoints = false;
  bool http_by_request = false;  // --http-split request: all HTTP services with a rule take the proxy
  std::chrono::milliseconds debounce{50};
  std::chrono::milliseconds reconcile_interval{30'000};  // between two looks for drift
  datapath::MapSizes sizes;
  proxy_process::Settings proxy;  // `node` and `has_log` are filled in
  std::string proxy_user;         // empty: weir-proxy, else nobody
  std::string proxy_executable = "/proc/self/exe";
  NodeAddresses node_addresses;          // none: found
  std::vector<std::string> dns_servers;  // "ADDRESS:PORT"; none: those of /etc/resolv.conf
  std::string access_log;                // empty: none. "stderr", or a file
  uint16_t proxy_port_first = 61000, proxy_port_count = 1000;
  /// Ingress gateways whose part this node plays, and where: at the addresses of these interfaces; none: at all of the
  /// node's.
  std::vector<routing::GatewayIdentity> gateways;
  std::vector<std::string> interfaces;
  /// The same interfaces, and how the packets of services with addresses outside are met there.
  std::vector<datapath::NorthDevice> devices;
  uint16_t outside_port_first = 20000, outside_port_count = 10000;
  uint32_t flows = 1 << 18;
  bool start_cache = true;  // RUN_DIR/objects.cache spares the next start the reading of files that did not change
  bool verbose = false;
};

/// A burst of changes is acted on no later than this after its first event.
inline constexpr std::chrono::milliseconds kMostDebounce{1000};

/// Whoever writes the folder is trusted as whoever starts the agent is, unless they say otherwise.
inline routing::BuildOptions build_options(const Options& options) {
  return {.all_services = options.all_services,
          .allow_loopback_endpoints = !options.refuse_loopback_endpoints,
          .gateways = options.gateways,
          .http_by_request = options.http_by_request,
          .node = options.node};
}

}  // namespace weir::agent
