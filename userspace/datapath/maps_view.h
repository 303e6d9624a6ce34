#pragma once
// What the kernel's maps hold, in typed form: read back from the pinned maps, with or without an agent. Pure values.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ip_address.h"

namespace weir::datapath {

struct Counts {
  uint64_t picked = 0;  // connections sent here
  uint64_t opened = 0;  // of those, with a record; open now = opened - closed
  uint64_t closed = 0;
  [[nodiscard]] uint64_t open() const { return opened > closed ? opened - closed : 0; }
  Counts& operator+=(const Counts& other);
};

struct EndpointView {
  IpAddress address;
  uint16_t port = 0;
  double share = 0;  // of the whole split, 0..1
  Counts counts;
};

struct DestinationView {
  uint32_t key = 0;   // destination_key(): host, port, subset
  std::string label;  // subset or host, cut to 11 characters
  double share = 0;   // of the split as the thresholds say, 0..1
  std::vector<EndpointView> endpoints;
  /// Of its endpoints, past ones included as long as their counters live.
  Counts counts;
};

struct SplitView {
  uint32_t id = 0;
  uint64_t key = 0;  // split_key(name)
  std::string name;  // cut to 63 characters
  uint64_t generation = 0;
  bool fallback = false;
  uint64_t cursor = 0;  // number of its next pick
  uint64_t start = 0;   // number of the first pick since its weights last changed
  uint64_t phase = 0;   // of its order, on this node
  std::vector<DestinationView> destinations;
  Counts counts;
};

struct FrontendView {
  IpAddress address;
  uint16_t port = 0;
  uint8_t protocol = 6;
  uint32_t source = 0;      // 0: any client
  uint32_t split = 0;       // id; 0: none. Without a proxy port either: left alone unless a source matches
  uint16_t proxy_port = 0;  // 0: not proxied; else `split` is for want of a proxy
  bool refuse_without_proxy = false;
};

/// A port of the proxy and the frontend that it stands for.
struct ProxyPortView {
  uint16_t port = 0;
  IpAddress address;
  uint16_t frontend_port = 0;
  uint64_t unused_since_ns = 0;  // Unix time; 0: in use
  bool gateway = false;          // a port of the node that is a gateway's; frontend_port: the gateway's own
  bool outside = false;          // of connections from outside the node
};

struct ProxyView {
  bool enabled = false;
  std::optional<IpAddress> v4, v6;  // the node's addresses
  uint64_t cgroup_id = 0;
  uint32_t v4_workers = 0, v6_workers = 0;  // listening sockets
  uint64_t beat_ns = 0;                     // CLOCK_MONOTONIC; 0: never
  std::vector<ProxyPortView> ports;         // sorted by port
};

struct MapUsage {
  std::string name;
  std::string type;  // "hash", "array", ...
  uint64_t used = 0;
  uint64_t capacity = 0;
  uint32_t key_size = 0, value_size = 0;
  uint32_t id = 0;
};

struct VerdictCount {
  std::string name;  // as in bpf/abi.h
  std::string help;
  uint64_t count = 0;
};

struct MapsView {
  uint32_t abi = 0;
  uint64_t generation = 0;
  uint64_t written_at_ns = 0;  // Unix time
  std::string node;
  std::vector<FrontendView> frontends;  // sorted by address, port, protocol, source
  std::vector<SplitView> splits;        // sorted by name
  ProxyView proxy;
  std::vector<VerdictCount> verdicts;  // in the order of bpf/abi.h
  std::vector<VerdictCount> packets;   // of what came from outside, in the order of bpf/packet/abi.h; empty: not served
  std::vector<MapUsage> usage;
  std::vector<std::pair<uint64_t, uint32_t>> sources;  // netns cookie -> source id
  std::vector<std::string> problems;                   // values that make no sense
};

/// Identity of a split (PlanSplit::name) and of a destination in the maps.
uint64_t split_key(std::string_view name);
uint32_t destination_key(std::string_view host, uint16_t port, std::string_view subset);

/// One line an entry; stable, for `weir maps dump`, tests and bug reports.
std::string to_text(const MapsView& view);

}  // namespace weir::datapath
