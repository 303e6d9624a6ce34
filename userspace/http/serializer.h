#pragma once
// Message heads written from the parsed model: never bytes of the peer, exactly one framing field that is ours, no
// field of another connection, and every name and value checked as it is written (response splitting ends here).
//
// Output goes into memory of the caller; nothing is allocated. Pure; any thread.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "http/message.h"

namespace weir::http {

enum class WriteError : std::uint8_t {
  kNone,
  kNoSpace,   ///< `out` is too small; nothing useful is in it.
  kBadValue,  ///< A name or value may not stand on the wire, or the head makes no message.
  kLength,    ///< BodyWriter: more or fewer bytes than the head has promised.
};

struct Written {
  std::size_t size = 0;
  WriteError error = WriteError::kNone;
  explicit operator bool() const { return error == WriteError::kNone; }
};

/// What goes before and after a piece of a body that the caller sends itself, from where it lies.
struct BodyFrame {
  std::string_view before;  ///< Valid until the next call on its writer.
  std::string_view after;
  WriteError error = WriteError::kNone;
  explicit operator bool() const { return error == WriteError::kNone; }
};

struct RequestWriteOptions {
  /// Overrides of what the client asked for; empty: as in the head. The `host` field of the head is not looked at:
  /// who changes Host sets this.
  std::string_view path_and_query = {};
  std::string_view authority = {};
  /// Appended to X-Forwarded-For; empty: the field stays as it is.
  std::string_view client_address = {};
  /// X-Forwarded-Proto where the client sent none; empty: not added.
  std::string_view forwarded_proto = {};
  /// Our name in Via (RFC 9110 section 7.6.3); empty: no Via of ours.
  std::string_view via = {};
  /// Lower-case names that a client's Connection field cannot remove, besides is_protected(): those that rules look at.
  std::span<const std::string_view> protected_names = {};
};

/// An upper bound of what write_request_head() needs.
std::size_t request_head_bound(const RequestHead& head, const RequestWriteOptions& options);
/// The head for an endpoint, HTTP/1.1, empty line included. A Max-Forwards of OPTIONS is counted down (RFC 9110 section
/// 7.6.2); one of 0 must be answered, not forwarded: kBadValue. kBadValue too if there is no authority at all.
Written write_request_head(const RequestHead& head, const RequestWriteOptions& options, std::span<char> out);

struct ResponseWriteOptions {
  Version client_version = Version::kHttp11;
  Method request_method = Method::kGet;
  /// Whether the client's connection goes on after this response.
  bool keep_alive = true;
  std::string_view via = {};
};

/// How the body is framed for the client: chunked becomes "until close" in HTTP/1.0, "until close" becomes chunked in
/// HTTP/1.1, and HEAD, 1xx, 204 and 304 have none.
Framing client_framing(const ResponseHead& head, Version client_version, Method request_method);

std::size_t response_head_bound(const ResponseHead& head, const ResponseWriteOptions& options);
/// The head for the client, HTTP/1.1. Says `connection: close` when keep_alive is off or the body ends with the
/// connection. kBadValue for an interim response to an HTTP/1.0 client (RFC 9110 section 15.2).
Written write_response_head(const ResponseHead& head, const ResponseWriteOptions& options, std::span<char> out);

/// "HTTP/1.1 100 Continue" with its empty line.
std::string_view continue_response();

}  // namespace weir::http
