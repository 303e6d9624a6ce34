#pragma once
// Field names that the codec or the proxy looks at by name: found once at parsing, compared as numbers afterwards.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::http {

enum class HeaderId : std::uint8_t {
  kOther = 0,
  kTe,
  kVia,
  kAge,
  kDate,
  kHost,
  kEtag,
  kVary,
  kAllow,
  kOrigin,
  kCookie,
  kExpect,
  kServer,
  kAccept,
  kTrailer,
  kUpgrade,
  kReferer,
  kLocation,
  kForwarded,
  kConnection,
  kKeepAlive,
  kUserAgent,
  kSetCookie,
  kRetryAfter,
  kTraceparent,
  kContentType,
  kMaxForwards,
  kXRequestId,
  kAuthorization,
  kCacheControl,
  kLastModified,
  kIfNoneMatch,
  kContentLength,
  kHttp2Settings,
  kXForwardedFor,
  kAcceptEncoding,
  kAcceptLanguage,
  kProxyConnection,
  kXForwardedHost,
  kContentEncoding,
  kXForwardedProto,
  kTransferEncoding,
  kProxyAuthenticate,
  kProxyAuthorization,
  kCount,
};

/// The id of a lower-case name; kOther for any other name.
HeaderId header_id(std::string_view lower_name);
/// Precondition: neither kOther nor kCount.
std::string_view header_name(HeaderId id);

/// Fields of one connection, not of the message: never forwarded, written anew where the next connection needs them
/// (RFC 9110 section 7.6.1). `te` and `trailer` are among them because trailers are not forwarded; `expect` is not.
bool is_hop_by_hop(HeaderId id);

/// Fields that `Connection: name` cannot remove: framing, routing, identity and the traces of the way. Without this
/// guard a client takes a field away from the rules or from the endpoint (RFC 9110 section 7.6.1, last paragraph).
bool is_protected(HeaderId id);

}  // namespace weir::http
