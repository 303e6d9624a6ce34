#pragma once
// What a session knows of the request it is at work on. Reset between requests; its buffers keep their memory.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/timer_wheel.h"
#include "proxy/route.h"

namespace weir::proxy {

struct Exchange {
  // Decided from the request's head.
  std::shared_ptr<const RouteList> list;
  const Route* route = nullptr;
  const routing::StringMatcher* uri = nullptr;  // that took the request
  const Destination* destination = nullptr;
  pick::Turn turn;
  std::optional<uint64_t> balancing_key;   // consistentHash
  std::optional<uint32_t> endpoint_index;  // of the destination's endpoints; none for a dialled address
  std::array<uint32_t, 8> tried{};         // endpoints that failed
  uint8_t tried_count = 0;
  std::string set_cookie;  // for the answer
  net::SocketAddress endpoint;
  std::string normalised_buffer, rewritten;
  bool rewrites = false;            // `rewritten` is what goes on
  std::string_view matched_target;  // normalised, what the rules saw
  std::string_view target;          // to the endpoint
  std::string_view authority;       // to the endpoint; empty: as the client sent it
  routing::CorsPolicy::Outcome cors;

  // What of the destination's shared counters holds this exchange, to be taken off once.
  bool counted_request = false, counted_retry = false, counted_pending = false;
  std::optional<uint32_t> counted_open;  // the endpoint's index
  bool waiting = false;                  // in the pool's queue

  // The two halves. Each ends on its own; Session::maybe_finish() decides what then.
  enum class Half : uint8_t { kHead, kBody, kComplete };
  Half request = Half::kHead;
  Half response = Half::kHead;

  /// The request's head went out to the endpoint of the present try: its body may follow.
  bool head_sent = false;
  /// The endpoint reads no more; the rest of the request's body is read and dropped.
  bool discard_body = false;
  bool has_body = false;
  bool idempotent = false;
  bool replayable = false;  // what went out of the body can go out again
  bool stale_retried = false;
  bool single_use = false;                      // the endpoint's connection is not to be used again
  bool endpoint_spoke = false;                  // bytes of an answer have come in this try
  bool mirrored = false, mirror_ended = false;  // once, whatever the number of tries

  uint16_t status = 0;  // of the final answer; 0: none was sent
  uint32_t flags = 0;
  uint32_t tries = 0;                           // made
  uint32_t retries = 0;                         // of them, by the route's policy
  uint64_t bytes_received = 0, bytes_sent = 0;  // bodies
  net::TimePoint started{};
  net::Duration silence{};            // of the endpoint in the middle of its answer
  net::Duration endpoint_duration{};  // until the head of its answer
  std::string_view details;           // why, where we answered ourselves; a literal

  void release_memory() {
    normalised_buffer = std::string();
    rewritten = std::string();
  }

  void reset() {
    std::string normalised = std::move(normalised_buffer);
    std::string old_rewritten = std::move(rewritten);
    *this = Exchange();
    normalised.clear();
    old_rewritten.clear();
    normalised_buffer = std::move(normalised);
    rewritten = std::move(old_rewritten);
  }
};

}  // namespace weir::proxy
