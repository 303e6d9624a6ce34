#pragma once
// What a client speaks, told by its first bytes: HTTP/1.x, HTTP/2 with prior knowledge, or something else. Pure.

#include <cstdint>
#include <string_view>

namespace weir::proxy {

enum class Sniffed : uint8_t {
  kMore,  // cannot be told yet
  kHttp1,
  kHttp2,
  kOther,
};

/// A first line longer than this is no request line.
inline constexpr size_t kMaxSniff = 8192 + 64;

/// `bytes`: all that the client has sent so far. HTTP/1.x is a whole first line METHOD SP target SP HTTP/x.y: as with
/// Envoy's inspector, anything else on a port of unknown protocol is carried as it is (istio-facts 13, 41).
Sniffed sniff(std::string_view bytes);
/// They begin as a request does whose method is a standard one: worth waiting for the rest of the line.
bool begins_like_http(std::string_view bytes);

}  // namespace weir::proxy
