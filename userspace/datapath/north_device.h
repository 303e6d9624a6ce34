#pragma once
// What a network device is, as far as it decides where packets are met. Of the calling thread's network namespace.

#include <cstdint>
#include <string>

#include "base/result.h"

namespace weir::datapath {

struct DeviceFacts {
  std::string name;
  uint32_t ifindex = 0;
  uint32_t mtu = 0;
  bool ethernet = false;  // frames have an Ethernet header
  bool physical = false;  // sits on a bus
  bool loopback = false;
  std::string driver;  // "veth", "bridge", "virtio_net"; empty: it does not say
};

/// ENODEV: no such device.
Result<DeviceFacts> device_facts(const std::string& name);

/// Why native XDP is not to be used on it unasked; empty: it is.
std::string why_no_xdp(const DeviceFacts& device);

}  // namespace weir::datapath
