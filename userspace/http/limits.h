#pragma once
// Limits of the HTTP/1.1 codec. Each bounds memory or work that a peer can cause; the defaults are reasoned in
// docs (RFC 9112 section 3 for the target, CVE-2024-22019 for chunk extensions).

#include <cstdint>
#include <string>
#include <vector>

namespace weir::http {

/// What to do with a field name that holds '_'. Endpoints of the CGI kind read `x_a` and `x-a` as one name, so that
/// a client could pass off the one as the other. Names that turn into a framing or hop-by-hop field (Transfer_Encoding,
/// Content_Length) are refused under every policy: nobody sends them in good faith.
enum class UnderscorePolicy : std::uint8_t {
  kDrop,    ///< Leave the field out and count it (RequestHead::dropped_headers).
  kReject,  ///< 400.
  kKeep,    ///< Pass it on.
};

struct Limits {
  std::uint32_t max_headers = 100;
  /// Start line and field lines, with their line ends.
  std::uint32_t max_head_bytes = 32 * 1024;
  /// One field line, without its line end.
  std::uint32_t max_line_bytes = 8 * 1024;
  std::uint32_t max_target_bytes = 8 * 1024;
  /// A body of known length; a longer Content-Length answers 413. 2^53: the largest that every endpoint can count.
  std::uint64_t max_content_length = std::uint64_t{1} << 53;
  /// Extensions of one chunk: everything between the size and the line end.
  std::uint32_t max_chunk_extension_bytes = 256;
  std::uint32_t max_message_extension_bytes = 16 * 1024;
  std::uint32_t max_trailer_bytes = 8 * 1024;
  /// From this much chunk framing on, less than a quarter of payload is an attack on CPU time, not a body.
  std::uint64_t max_chunk_overhead_bytes = 102'400;
  /// Interim (1xx) responses of an endpoint before the final one.
  std::uint32_t max_interim_responses = 8;
  UnderscorePolicy underscores = UnderscorePolicy::kDrop;
  /// Protocols that a request may upgrade to, lower case.
  std::vector<std::string> upgrades = {"websocket"};
};

}  // namespace weir::http
