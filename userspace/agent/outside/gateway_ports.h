#pragma once
// Which of a gateway's ports are opened on this node: not those where somebody else listens.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datapath/proxy_ports.h"
#include "net/socket.h"
#include "routing/plan/plan.h"

namespace weir::agent {

/// Where TCP sockets of the calling thread's network namespace listen.
std::vector<net::SocketAddress> listening_sockets();
/// The same from the text of /proc/net/tcp or tcp6. Pure.
std::vector<net::SocketAddress> parse_listening_sockets(std::string_view text);

struct GatewayOpening {
  std::vector<datapath::GatewayPort> open;
  std::vector<std::string> warnings;  // one a port that is left to others
};
/// `places`: the addresses at which the gateway is served; nothing: all of the node's but loopback. Pure.
GatewayOpening choose_gateway_ports(const std::vector<routing::PlanGatewayPort>& ports,
                                    const std::vector<net::SocketAddress>& listeners,
                                    const std::optional<std::vector<IpAddress>>& places);

}  // namespace weir::agent
