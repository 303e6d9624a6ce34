#pragma once
// What comes to the node from outside: the packet programs on the devices of --interface. They are attached with the
// first service that has an address outside, and stay until an agent without --interface, or `weir uninstall`.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/node/address.h"
#include "agent/node/netns_scan.h"
#include "agent/outside/state.h"
#include "base/result.h"
#include "datapath/north.h"
#include "routing/outside.h"
#include "routing/plan/plan.h"
#include "routing/table.h"

namespace weir::agent {

struct OutsideOptions {
  std::string bpffs_dir, node;
  std::vector<datapath::NorthDevice> devices;  // empty: nothing is attached
  NodeAddresses node_addresses;                // as told; none: found
  uint16_t first_port = 20000, port_count = 10000;
  uint32_t flows = 1 << 18;
};

/// Why the ports that connections get on their way to other nodes cannot be these: Kubernetes' node ports, or those of
/// the proxy, are among them. Empty: they can. Pure.
std::string clash_of_ports(uint16_t first, uint16_t count, uint16_t proxy_first, uint16_t proxy_count);

/// One thread.
class OutsideTraffic {
 public:
  explicit OutsideTraffic(OutsideOptions options) : options_(std::move(options)) {}

  [[nodiscard]] bool wanted() const { return !options_.devices.empty(); }
  /// What the next table is to know. `scan` may be null: not looked yet. Addresses of pods of which `table` (may be
  /// null) knows the node are left out: pods that come and go would make all plans anew.
  [[nodiscard]] routing::Outside facts(const NetnsScan* scan, const routing::Table* table) const;
  /// The kernel has this plan now, and the hooks of connect() are on its maps. What hinders is a line in `warnings` and
  /// in state().
  void follow(const routing::Plan& plan, std::vector<std::string>& warnings);
  /// Puts right what is not as it should be; a line each.
  std::vector<std::string> mend();
  [[nodiscard]] const OutsideState& state() const { return state_; }

 private:
  /// Opens and attaches unless that is done.
  void serve();
  Result<void> open();
  Result<void> configure();
  void note_devices();

  OutsideOptions options_;
  std::optional<datapath::NorthDatapath> north_;
  NodeAddresses configured_;
  std::vector<datapath::NorthFrontend> frontends_;  // of the plan that the kernel has
  OutsideState state_;
};

}  // namespace weir::agent
