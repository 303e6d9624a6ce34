#pragma once
// Who asks, and for what.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ip_address.h"
#include "config/model.h"

namespace weir::routing {

/// A client pod or host process, or an ingress gateway. A gateway sees only rules bound to a Gateway that selects its
/// labels; any other client sees only rules bound to `mesh`.
struct Client {
  std::string namespace_;  // empty: not a pod (a process of the node itself)
  config::Labels labels;
  std::optional<IpAddress> address;
  std::string node;  // on which it runs; empty: the table's
  bool is_gateway = false;
};

/// An HTTP request or, with is_http false, a bare connection.
struct Request {
  bool is_http = true;
  std::optional<std::string> host;  // Host header, verbatim
  /// What was dialled: a name, or "ip:ADDRESS". Empty: the host without its port.
  std::string dial;
  uint16_t port = 0;  // dialled
  std::string method = "GET";
  std::string path = "/";                                    // as sent, with query
  std::vector<std::pair<std::string, std::string>> headers;  // as sent, names may repeat; without Host
  std::string scheme = "http";
  std::optional<std::string> sni;
};

}  // namespace weir::routing
