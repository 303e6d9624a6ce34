#pragma once
// Which of a gateway's ports are opened on this node: not those where somebody else listens.

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "datapath/proxy_ports.h"
#include "routing/plan.h"

namespace weir::agent {

/// TCP ports at which a socket of the calling thread's network namespace listens that outsiders can reach.
std::set<uint16_t> listening_ports();
/// The same from the text of /proc/net/tcp or tcp6. Pure.
std::set<uint16_t> parse_listening_ports(std::string_view text);

struct GatewayOpening {
  std::vector<datapath::GatewayPort> open;
  std::vector<std::string> warnings;  // one a port that is left to others
};
/// Pure.
GatewayOpening choose_gateway_ports(const std::vector<routing::PlanGatewayPort>& ports,
                                    const std::set<uint16_t>& taken);

}  // namespace weir::agent
