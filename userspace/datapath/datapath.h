#pragma once
// A plan in the kernel: maps and programs loaded, pinned, attached, filled and looked after. Order at start: open(),
// apply(), attach(): maps are full before the first connection sees a program. Whatever is pinned works on when this
// process dies, and the next open() adopts it. One thread at a time; blocks for system calls only. Needs CAP_BPF,
// CAP_NET_ADMIN (or root).

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"
#include "datapath/maps_view.h"
#include "datapath/proxy_ports.h"
#include "routing/plan/plan.h"

namespace weir::datapath {

struct DriftCheck;

/// Entries of each map. A running map of another size is replaced at the next start by one that holds what the old one
/// held, as far as it fits; all others go on.
struct MapSizes {
  uint32_t frontends = 65536;
  uint32_t splits = 65536;
  uint32_t endpoints = 1 << 18;  // at most 2^20
  uint32_t counters = 1 << 18;
  uint32_t sockets = 131072;
  uint32_t sources = 16384;
  uint32_t redirects = 65536;  // redirected connections that the proxy has not got yet, or whose client is still there
};

inline constexpr const char* kDefaultBpffsDir = "/sys/fs/bpf/weir";

struct Options {
  std::string bpffs_dir = kDefaultBpffsDir;
  /// Directory in a cgroup2 file system below which connections are split; empty: the cgroup2 root.
  std::string cgroup;
  std::string node;  // splits have an order of their own on every node
  MapSizes sizes;
  /// Ports that stand for proxied frontends, [first, first + count); at most 16384. Nobody else may listen on them;
  /// keep them out of net.ipv4.ip_local_port_range too.
  uint16_t proxy_port_first = 61000, proxy_port_count = 1000;
  /// Gets what is worth a log line (libbpf's warnings too); may be empty.
  std::function<void(std::string_view)> log;
};

struct ApplyReport {
  uint64_t generation = 0;
  size_t operations = 0;  // elements written or deleted; 0: the kernel held all this already
  size_t frontends = 0, splits = 0, endpoints = 0, deletions = 0;  // of which
  uint64_t nanoseconds = 0;           // in all: what differs, where it goes, and writing it
  uint64_t write_nanoseconds = 0;     // of which from the first write to the last
  std::vector<std::string> warnings;  // e.g. two services claim one address and port
};

struct ReconcileReport {
  /// One line an element that was not as applied: "split 3 default/reviews…: was …, is …". Empty: no drift.
  std::vector<std::string> drift;
  size_t operations = 0;           // that mended it
  std::vector<std::string> hooks;  // links and pins that had to be made anew
};

struct ForeignProgram {
  uint32_t id = 0;
  std::string name;
};

struct HookStatus {
  /// "connect4", "connect6", "getpeername4", "getpeername6", "sock_release", "sock_ops", "sk_lookup"; the last is
  /// attached to the network namespace of whoever called attach(), the others to the cgroup.
  std::string name;
  bool required = true;   // false: this kernel cannot, and the rest works without
  bool attached = false;  // the pinned link exists, is alive and its program is in the cgroup's effective list
  uint32_t link_id = 0, program_id = 0;
  std::vector<ForeignProgram> foreign;  // other programs that run on the same hook, left alone
  std::string problem;                  // why not attached, or what will misbehave; empty: fine
};

struct Status {
  std::string bpffs_dir, cgroup;
  bool adopted = false;  // the maps hold what an earlier agent's held
  std::vector<HookStatus> hooks;
  std::vector<std::string> warnings;  // of the cgroup set-up (hybrid, namespaced, …)
  [[nodiscard]] bool healthy() const;
};

/// Where redirected connections are to go.
struct ProxyPlace {
  /// The node's address of each family; a client whose family has none is split without the proxy. A loopback address
  /// serves clients of this process's network namespace only.
  std::optional<IpAddress> v4, v6;
  uint64_t cgroup_id = 0;  // the proxy's own cgroup (cgroup_id() of its directory): its connections are left alone
  bool enabled = false;    // false: as if the proxy were down
};

/// One client network namespace that rules tell apart.
struct SourceEntry {
  uint64_t netns_cookie = 0;
  uint32_t source = 0;  // PlanSource::id, > 0
};

class Datapath {
 public:
  /// Mounts bpffs if need be, takes the lock (a second agent gets EBUSY), adopts or creates the maps, loads the
  /// programs. Maps of a newer ABI: error EPROTO and nothing touched. Nothing is attached yet; what is attached works
  /// on.
  static Result<Datapath> open(Options options);
  ~Datapath();
  Datapath(Datapath&&) noexcept;
  Datapath& operator=(Datapath&&) noexcept;

  /// Makes the maps say what `plan` says: make before break, a service at once, nothing written if it does not fit
  /// (ENOSPC, the message names the map). Cost is that of the services whose ServicePlan is not the one applied before.
  Result<ApplyReport> apply(const routing::Plan& plan);
  /// What apply() would write, one line an operation; writes nothing.
  Result<std::string> preview(const routing::Plan& plan);
  /// Attaches (or updates in place, without a gap) the hooks. EPERM with the foreign program's name when another
  /// program holds a hook exclusively; others' programs are never detached.
  Result<void> attach();
  /// What reconcile() looks at.
  enum class Look {
    kEverything,
    kAllButServices,  // a DriftCheck has found nothing about the services: what is left takes little time
  };
  /// Reads back, mends what is not as last applied, remakes lost links and pins. Before the first apply(): only hooks.
  Result<ReconcileReport> reconcile(Look look = Look::kEverything);
  /// For looking at thousands of services on another thread. Only after an apply().
  [[nodiscard]] DriftCheck drift_check() const;
  /// That of the last apply(); 0 before.
  [[nodiscard]] uint64_t generation() const;
  /// Who is who for rules that tell clients apart; replaces the list.
  Result<void> set_sources(std::span<const SourceEntry> sources);

  /// Why no connection can be sent to a proxy on this kernel; empty: it can. Proxied frontends then fall back.
  [[nodiscard]] const std::string& why_no_proxy() const;
  /// Gives every proxied frontend's address and port a port of the proxy, stable and kept across restarts. Ports of
  /// frontends that are gone are kept, and given to others, the longest unused first, only when no fresh one is left.
  /// Returns all there are, sorted. ENOSPC: more are needed than the range has. To be called before apply(), and the
  /// proxy to be told; apply() does the same for itself.
  Result<std::vector<ProxyPort>> reserve_proxy_ports(const routing::Plan& plan);
  /// Replaces the place. ENOTSUP, and nothing changed, when enabled on a kernel that cannot; EINVAL: an address of the
  /// wrong family, or that nobody can connect to.
  Result<void> set_proxy(const ProxyPlace& place);
  /// Ports of this node at which the proxy takes connections in for an ingress gateway, from anybody: at all addresses
  /// of the node or, with `places`, at these. Replaces the list. Whoever else listens on such a port gets nothing there
  /// while the proxy lives. EINVAL: a port of the proxy's own range.
  Result<void> set_gateway(std::span<const GatewayPort> ports, const std::optional<std::vector<IpAddress>>& places);
  /// Replaces the listening sockets that redirected connections are handed to, a client's port deciding which; none:
  /// connections are reset. TCP sockets of this process's network namespace that listen already. AF_INET sockets get
  /// IPv4 clients, AF_INET6 sockets get IPv6 clients, and IPv4 ones too unless IPV6_V6ONLY (bind() to an address other
  /// than :: sets it). Their addresses do not matter else. The descriptors are duplicated: they stay open until
  /// replaced. At most 256 of each family.
  Result<void> set_proxy_listeners(std::span<const int> fds);
  /// A new descriptor of the mmapable one-page map `proxy_beat`: a u64 at offset 0, CLOCK_MONOTONIC in ns, which the
  /// proxy writes at least once in 2 s. Needs no right to map and write.
  [[nodiscard]] Result<FileDescriptor> proxy_beat() const;

  [[nodiscard]] Status status() const;
  [[nodiscard]] Result<MapsView> read() const;
  [[nodiscard]] bool adopted() const;

 private:
  struct Impl;
  explicit Datapath(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The pinned maps of a running or gone agent, read only; ENOENT: none there.
Result<MapsView> read_maps(const std::string& bpffs_dir);
/// The hooks, judged from the pinned links alone. `cgroup` as in Options.
Result<Status> read_status(const std::string& bpffs_dir, const std::string& cgroup);
/// Detaches and removes every link, program, map and folder below `bpffs_dir`, then the folder; EBUSY while an agent
/// holds the lock. Nothing there is no error: the value tells how many pins were removed.
Result<size_t> uninstall(const std::string& bpffs_dir);

}  // namespace weir::datapath
