#pragma once
// Traffic that comes to the node from outside: packet programs on its devices, on the maps that a Datapath keeps.
//
// How it fits: the Datapath owns the lock, the maps and what they say. Frontends for outside traffic are part of the
// plan that Datapath::apply() gets (PlanFrontend::source = kOutside, PlanEndpoint::local); this class has nothing to
// say about them but that packets to them are to be looked at: expect(). Order at start: Datapath::open(), apply(),
// attach(), then NorthDatapath::open(), configure(), expect(), attach(): when packets meet a program, maps are full.
// After a Datapath::open() that made new maps, open() puts the programs on those; flows stay. Whatever is attached
// works on when this process dies; the next open() adopts flows and links.
//
// One thread at a time; blocks for system calls only. Needs CAP_BPF and CAP_NET_ADMIN, and the network namespace that
// the devices are in.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "datapath/datapath.h"

namespace weir::datapath {

/// Entries of the tables. A running set of tables of other sizes stays until uninstall(): its connections would break.
struct NorthSizes {
  uint32_t flows = 1 << 18;    // connections at a time, some 330 bytes each; the least recently used go when it is full
  uint32_t embryos = 1 << 14;  // connections begun in a flood
};

struct NorthOptions {
  std::string bpffs_dir = kDefaultBpffsDir;
  NorthSizes sizes;
  std::function<void(std::string_view)> log;  // may be empty
};

struct NorthSettings {
  /// What endpoints on other nodes see as the client. None: connections of that family to other nodes are dropped.
  std::optional<IpAddress> node_v4, node_v6;
  /// Ports for that, the node's own for nothing else; see check_ports(). At least 8.
  uint16_t first_port = 20000, port_count = 10000;
  /// New connections a second and CPU above which they are picked by a hash and kept apart. 0: no limit.
  uint32_t flow_rate = 50000;
  /// How long a connection is remembered without a packet: > 0.
  std::chrono::seconds syn{60}, established{7440} /* RFC 5382 REQ-5 */, closing{60}, reset{10};
  std::chrono::seconds datagram{30}, answered{120} /* RFC 4787 REQ-5 */;
};

enum class DeviceMode {
  kAuto,  // XDP on a physical device that takes it, and tc
  kTc,
  kXdp,  // XDP wherever the driver takes it, and tc
};

struct NorthDevice {
  std::string name;  // "eth0"
  DeviceMode mode = DeviceMode::kAuto;
};

/// What clients outside dial.
struct NorthFrontend {
  IpAddress address;
  uint16_t port = 0;
  uint8_t protocol = 6;  // IPPROTO_TCP
};
/// Those of the plan: its frontends of source kOutside.
std::vector<NorthFrontend> frontends_from_outside(const routing::Plan& plan);

struct NorthDeviceStatus {
  std::string name;
  uint32_t ifindex = 0;
  std::string tc;                       // "tcx", "clsact"; empty: not attached
  std::string xdp;                      // "native"; empty: none
  std::string why;                      // why so and not otherwise: "veth: XDP would cost it its offloads"
  std::vector<ForeignProgram> foreign;  // other programs of the hooks, left alone
  std::string problem;                  // empty: fine
};

struct NorthStatus {
  bool adopted = false;  // open() found the tables of an earlier agent
  std::vector<NorthDeviceStatus> devices;
  uint32_t flow_capacity = 0;
  std::vector<VerdictCount> counts;  // of bpf/packet/abi.h, summed over the CPUs
  std::vector<std::string> warnings;
};

class NorthDatapath {
 public:
  /// ENOENT: there are no maps of a Datapath in `bpffs_dir`. EPROTO: tables of a newer ABI, nothing touched.
  static Result<NorthDatapath> open(NorthOptions options);
  ~NorthDatapath();
  NorthDatapath(NorthDatapath&&) noexcept;
  NorthDatapath& operator=(NorthDatapath&&) noexcept;

  /// Takes effect with the next packet; connections that are there keep their address and port. EINVAL for values that
  /// make no sense, EADDRINUSE for ports that the node gives to its own connections.
  Result<void> configure(const NorthSettings& settings);
  /// From now on packets to these are looked up in the tables; all others pass at a glance (bpf/packet/sieve.h). Never
  /// taken back: connections to a frontend that is gone live on.
  void expect(std::span<const NorthFrontend> frontends);
  /// Makes these the devices: attaches, updates in place without a gap, detaches from all others. Programs of others
  /// are never replaced: XDP then stays out and status() says why. ENODEV: no such device; the others are attached all
  /// the same.
  Result<void> attach(std::span<const NorthDevice> devices);
  /// Attaches again what is not as attach() left it (a device that went and came, a link that somebody detached). One
  /// line for each.
  Result<std::vector<std::string>> mend();

  [[nodiscard]] Result<NorthStatus> status() const;
  /// Connections in the table; walks all of it.
  [[nodiscard]] Result<size_t> flows() const;

 private:
  struct Impl;
  explicit NorthDatapath(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Why ports [first, first + count) cannot be the node's reserved ones: EADDRINUSE when the kernel may give one of them
/// to a connection of the node's own (ip_local_port_range, less ip_local_reserved_ports), EINVAL when they are no
/// range. Both texts as in /proc/sys/net/ipv4.
Result<void> check_ports(uint16_t first, uint16_t count, std::string_view local_range, std::string_view reserved);

/// Whether a NorthDatapath has left something in `bpffs_dir`.
bool is_north_installed(const std::string& bpffs_dir);
/// The counters by name, for whoever has no NorthDatapath; empty: there are none. Any thread.
Result<std::vector<VerdictCount>> read_packet_counts(const std::string& bpffs_dir);
/// Fills in what the hooks of the device have now; `name` and `ifindex` are there. Any thread.
void read_device(const std::string& bpffs_dir, NorthDeviceStatus* device);

/// Detaches all packet programs of `bpffs_dir` from this network namespace's devices and removes their pins; part of
/// uninstall(). The value is how many pins.
Result<size_t> uninstall_north(const std::string& bpffs_dir);

}  // namespace weir::datapath
