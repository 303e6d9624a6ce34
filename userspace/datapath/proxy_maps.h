#pragma once
// The maps by which the kernel knows of a proxy: where it is, its ports, its listening sockets. What an earlier agent
// wrote goes on until it is replaced.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"
#include "bpf/abi.h"
#include "datapath/datapath.h"
#include "datapath/map_set.h"
#include "datapath/proxy_ports.h"

namespace weir::datapath {

class ProxyMaps {
 public:
  ProxyMaps(uint16_t first_port, uint16_t port_count) : ports_(first_port, port_count) {}

  /// Reads what is there.
  Result<void> adopt(const MapSet& maps);
  /// See Datapath.
  Result<void> reserve(const MapSet& maps, const routing::Plan& plan, uint64_t unix_ns);
  Result<void> set_gateway(const MapSet& maps, std::span<const GatewayPort> ports,
                           const std::optional<std::vector<IpAddress>>& places);
  Result<void> set_place(const MapSet& maps, const ProxyPlace& place);
  Result<void> set_listeners(const MapSet& maps, std::span<const int> fds);
  /// Puts right what is not as this object wrote it; a line each is added to `drift`.
  Result<void> mend(const MapSet& maps, std::vector<std::string>* drift, size_t* operations);

  [[nodiscard]] const ProxyPorts& ports() const { return ports_; }

 private:
  Result<void> write_ports(const MapSet& maps, const ProxyPorts::Entries& present, const std::vector<uint32_t>& strays);
  /// Makes the sockets from `first` on those of `fds`; `workers` is how many there were.
  Result<void> write_group(const MapSet& maps, uint32_t first, const std::vector<int>& fds,
                           uint16_t abi::proxy_place::*workers);
  Result<void> write_workers(const MapSet& maps, uint16_t abi::proxy_place::*workers, size_t count);
  Result<void> mend_ports(const MapSet& maps, std::vector<std::string>* drift, size_t* operations);
  Result<void> mend_place(const MapSet& maps, std::vector<std::string>* drift, size_t* operations);
  Result<void> mend_listeners(const MapSet& maps, std::vector<std::string>* drift, size_t* operations);

  Result<void> write_places(const MapSet& maps, const std::vector<IpAddress>& places);
  /// What `proxy_ports` is to hold.
  [[nodiscard]] ProxyPorts::Entries wanted() const;

  ProxyPorts ports_;
  ProxyPorts::Entries gateways_;
  abi::proxy_place place_{};
  /// False: nobody has said yet, and what an earlier agent wrote is not to be judged.
  bool placed_ = false, listening_ = false;
  std::vector<FileDescriptor> listeners_;
  std::map<uint32_t, int> by_index_;  // of proxy_sockets -> one of listeners_
};

}  // namespace weir::datapath
