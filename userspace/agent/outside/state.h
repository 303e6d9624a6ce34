#pragma once
// What the agent tells of traffic from outside. A value.

#include <string>
#include <vector>

#include "datapath/north.h"

namespace weir::agent {

struct OutsideState {
  bool wanted = false;    // --interface was given
  bool attached = false;  // some service has an address outside, and the programs are on the devices
  std::string trouble;    // why not all of it works; empty: it does
  size_t frontends = 0;   // of the plan
  std::vector<datapath::NorthDeviceStatus> devices;
  std::vector<std::string> warnings;
  uint16_t first_port = 0, port_count = 0;
  uint32_t flow_capacity = 0;
};

}  // namespace weir::agent
