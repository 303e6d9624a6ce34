#pragma once
// What an operator can set of the request path. The defaults are those of docs (hardening section 1).

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "http/limits.h"
#include "net/timer_wheel.h"

namespace weir::proxy {

using net::Duration;

struct Timeouts {
  /// From the first byte of a head (or from accept) to its last: absolute, so that a byte now and then does not help.
  Duration head = std::chrono::seconds(10);
  /// On a port of unknown protocol: who says nothing for this long speaks a protocol in which the server speaks first.
  Duration sniff = std::chrono::milliseconds(200);
  /// Between requests.
  Duration keep_alive = std::chrono::seconds(60);
  /// Of pooled connections to endpoints: shorter than what servers usually allow.
  Duration endpoint_keep_alive = std::chrono::seconds(30);
  /// Over each such period a body must move by `minimum_rate`, in either direction.
  Duration body_idle = std::chrono::seconds(30);
  /// Unless the DestinationRule's connectTimeout says otherwise.
  Duration connect = std::chrono::seconds(1);
  /// For the head of a response, where the route has no timeout. 0: none.
  Duration response_head = std::chrono::minutes(5);
  /// In the middle of an answer of which nothing comes.
  Duration answer_idle = std::chrono::hours(1);
  /// Of an upgraded connection on which nothing moves.
  Duration tunnel_idle = std::chrono::hours(1);
  /// Until a mirrored request's response has ended.
  Duration mirror = std::chrono::seconds(15);
  /// From the start of draining to the end of the last connection.
  Duration drain = std::chrono::seconds(30);
};

enum class AccessLogFormat { kOff, kText, kJson };

struct Options {
  http::Limits http;
  Timeouts timeouts;
  uint64_t minimum_rate = 500;  // bytes a second
  /// Of one loop. 0: computed from RLIMIT_NOFILE, half of what is left after a reserve, shared by the loops.
  size_t max_connections = 0;
  /// From one client address, of one loop. 0: no limit.
  size_t max_connections_per_client = 0;
  /// Idle connections kept to one endpoint.
  size_t max_idle_per_endpoint = 128;
  /// Mirrored requests under way at once, of one loop; further ones are dropped and counted.
  size_t max_mirrors = 256;
  /// Our name in Via. The same on all nodes: hops are counted by it.
  std::string via = "weir";
  /// More of our hops than this is a loop: 508.
  unsigned max_hops = 10;
  AccessLogFormat access_log = AccessLogFormat::kOff;
};

}  // namespace weir::proxy
