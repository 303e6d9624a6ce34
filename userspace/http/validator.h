#pragma once
// The rules behind llhttp that both directions share (RFC 9112 sections 6 and 9): framing and persistence. Pure.

#include "http/fault.h"
#include "http/limits.h"
#include "http/message.h"

namespace weir::http {

/// What Content-Length and Transfer-Encoding say together. framing: kNone (neither), kLength or kChunked.
struct BodyLength {
  Fault fault = Fault::kNone;
  Framing framing = Framing::kNone;
  std::uint64_t content_length = 0;
};
/// Accepts no Transfer-Encoding but exactly one `chunked`, in HTTP/1.1; one canonical Content-Length; never both.
BodyLength read_body_length(const HeaderList& headers, Version version, const Limits& limits);

struct ConnectionOptions {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
  /// There is an option that may be the name of a field.
  bool names_fields = false;
  /// How many there are: each is compared with each field name, so that the parser bounds them.
  unsigned count = 0;
};
constexpr unsigned kMaxConnectionOptions = 32;
ConnectionOptions read_connection(const HeaderList& headers);

/// Fills target, form, path, authority and the like of `head` from `head.target` and Host; HTTP/1.1 needs exactly one
/// Host.
Fault read_target(RequestHead& head);

/// Fills `head.upgrade`, `head.expect_continue` and `head.max_forwards`. After framing is known.
Fault read_intentions(RequestHead& head, const ConnectionOptions& connection, const Limits& limits);

/// How often a message has passed a proxy of that name, by its Via fields: a loop shows itself here.
unsigned count_via(const HeaderList& headers, std::string_view name);

/// What becomes of a field whose name holds '_'.
enum class UnderscoreVerdict : std::uint8_t { kKeep, kDrop, kReject };
UnderscoreVerdict judge_underscore(std::string_view lower_name, UnderscorePolicy policy);

}  // namespace weir::http
