#include "http/serializer.h"

#include <algorithm>

#include "http/authority.h"
#include "http/cursor.h"
#include "http/reason_phrase.h"
#include "http/self_check.h"

namespace weir::http {
namespace {

// Start line, framing, connection and the names of the fields that we add: generous, summed once for both directions.
constexpr std::size_t kOwnBytes = 512;
constexpr std::size_t kAroundField = 4;  // ": " and CR LF

std::size_t fields_bound(const HeaderList& headers) {
  std::size_t sum = 0;
  for (const Header& header : headers) sum += header.name.size() + header.value.size() + kAroundField;
  return sum;
}

bool is_removed(const Header& header, std::span<const std::string_view> protected_names) {
  if (is_hop_by_hop(header.id)) return true;
  if (!header.nominated || is_protected(header.id)) return false;
  return std::find(protected_names.begin(), protected_names.end(), header.name) == protected_names.end();
}

/// Fields of the client that are not copied one to one: written elsewhere, or not for the endpoint.
bool is_rewritten(const Header& header, const RequestHead& head, const RequestWriteOptions& options) {
  switch (header.id) {
    case HeaderId::kHost:
    case HeaderId::kContentLength:
      return true;
    case HeaderId::kExpect:
      return !head.expect_continue;
    case HeaderId::kXForwardedFor:
      return !options.client_address.empty();
    case HeaderId::kMaxForwards:
      return head.method == Method::kOptions && head.max_forwards.has_value();
    default:
      return false;
  }
}

bool is_path(std::string_view path, Method method) {
  if (path == "*") return method == Method::kOptions;
  return path.starts_with('/') && is_visible_ascii(path) && path.find('#') == std::string_view::npos;
}

void put_request_line(Cursor& cursor, const RequestHead& head, std::string_view path, std::string_view authority) {
  if (!is_token(head.method_name) || !is_path(path, head.method) || !parse_authority(authority)) {
    cursor.fail(WriteError::kBadValue);
  }
  cursor.put(head.method_name);
  cursor.put(" ");
  cursor.put(path);
  cursor.put(" HTTP/1.1\r\nhost: ");
  cursor.put(authority);
  cursor.put("\r\n");
}

/// One line, whatever the client sent: endpoints that read only the first line see the whole way.
void put_forwarded_for(Cursor& cursor, const HeaderList& headers, std::string_view client_address) {
  if (client_address.empty()) return;
  cursor.put("x-forwarded-for: ");
  for (const Header& header : headers) {
    if (header.id != HeaderId::kXForwardedFor || header.value.empty()) continue;
    cursor.put_value(header.value);
    cursor.put(", ");
  }
  cursor.put_value(client_address);
  cursor.put("\r\n");
}

void put_via(Cursor& cursor, Version received, std::string_view via) {
  if (via.empty()) return;
  cursor.put(received == Version::kHttp10 ? "via: 1.0 " : received == Version::kHttp2 ? "via: 2 " : "via: 1.1 ");
  cursor.put_value(via);
  cursor.put("\r\n");
}

void put_framing(Cursor& cursor, Framing framing, std::uint64_t length) {
  if (framing == Framing::kChunked) cursor.put("transfer-encoding: chunked\r\n");
  if (framing != Framing::kLength) return;
  cursor.put("content-length: ");
  cursor.put_number(length);
  cursor.put("\r\n");
}

void put_max_forwards(Cursor& cursor, const RequestHead& head) {
  if (head.method != Method::kOptions || !head.max_forwards) return;
  if (*head.max_forwards == 0) return cursor.fail(WriteError::kBadValue);
  cursor.put("max-forwards: ");
  cursor.put_number(*head.max_forwards - 1);
  cursor.put("\r\n");
}

void put_upgrade(Cursor& cursor, std::string_view protocol) {
  if (!is_token(protocol)) cursor.fail(WriteError::kBadValue);
  cursor.put("connection: upgrade\r\nupgrade: ");
  cursor.put(protocol);
  cursor.put("\r\n");
}

/// HEAD and 304 may say how long the body would be; 1xx and 204 may not (RFC 9110 section 8.6).
void put_response_framing(Cursor& cursor, const ResponseHead& head, Framing framing) {
  if (framing != Framing::kNone) return put_framing(cursor, framing, head.content_length);
  if (head.status < 200 || head.status == 204) return;
  if (head.framing == Framing::kLength) return put_framing(cursor, Framing::kLength, head.content_length);
  const auto length = parse_canonical_decimal(head.headers.value(HeaderId::kContentLength));
  if (length) put_framing(cursor, Framing::kLength, *length);
}

}  // namespace

std::size_t request_head_bound(const RequestHead& head, const RequestWriteOptions& options) {
  const std::size_t path = std::max(options.path_and_query.size(), head.path_and_query.size());
  const std::size_t authority = std::max(options.authority.size(), head.authority.size());
  return kOwnBytes + head.method_name.size() + path + authority + options.client_address.size() +
         options.forwarded_proto.size() + options.via.size() + head.upgrade.size() + fields_bound(head.headers);
}

Written write_request_head(const RequestHead& head, const RequestWriteOptions& options, std::span<char> out) {
  Cursor cursor(out);
  put_request_line(cursor, head, options.path_and_query.empty() ? head.path_and_query : options.path_and_query,
                   options.authority.empty() ? head.authority : options.authority);
  for (const Header& header : head.headers) {
    if (is_rewritten(header, head, options) || is_removed(header, options.protected_names)) continue;
    cursor.put_field(header);
  }
  put_max_forwards(cursor, head);
  put_forwarded_for(cursor, head.headers, options.client_address);
  if (!options.forwarded_proto.empty() && head.headers.find(HeaderId::kXForwardedProto) == nullptr) {
    cursor.put_field("x-forwarded-proto", options.forwarded_proto);
  }
  put_via(cursor, head.version, options.via);
  put_framing(cursor, head.framing, head.content_length);
  if (!head.upgrade.empty()) put_upgrade(cursor, head.upgrade);
  cursor.put("\r\n");
  const Written written = cursor.written();
#ifdef WEIR_HTTP_SELF_CHECK
  if (written) require_sound_request(out.first(written.size), head);
#endif
  return written;
}

Framing client_framing(const ResponseHead& head, Version client_version, Method request_method) {
  if (head.status < 200 || head.status == 204 || head.status == 304 || request_method == Method::kHead) {
    return Framing::kNone;
  }
  switch (head.framing) {
    case Framing::kNone:
    case Framing::kLength:
      return Framing::kLength;  // a final response without a body says so: "until close" is what saying nothing means
    case Framing::kChunked:
    case Framing::kUntilClose:
      return client_version == Version::kHttp10 ? Framing::kUntilClose : Framing::kChunked;
  }
  return Framing::kUntilClose;
}

std::size_t response_head_bound(const ResponseHead& head, const ResponseWriteOptions& options) {
  return kOwnBytes + head.reason.size() + options.via.size() + fields_bound(head.headers);
}

Written write_response_head(const ResponseHead& head, const ResponseWriteOptions& options, std::span<char> out) {
  Cursor cursor(out);
  if (head.status < 100 || head.status > 599 || (head.status < 200 && options.client_version == Version::kHttp10)) {
    cursor.fail(WriteError::kBadValue);
  }
  cursor.put("HTTP/1.1 ");
  cursor.put_number(head.status);
  cursor.put(" ");
  cursor.put_value(head.reason.empty() ? reason_phrase(head.status) : head.reason);
  cursor.put("\r\n");
  for (const Header& header : head.headers) {
    if (header.id == HeaderId::kContentLength || is_removed(header, {})) continue;
    cursor.put_field(header);
  }
  put_via(cursor, head.version, options.via);
  const Framing framing = client_framing(head, options.client_version, options.request_method);
  put_response_framing(cursor, head, framing);
  if (head.status == 101) {
    put_upgrade(cursor, head.headers.value(HeaderId::kUpgrade));
  } else if (head.status >= 200 && (!options.keep_alive || framing == Framing::kUntilClose)) {
    cursor.put("connection: close\r\n");
  }
  cursor.put("\r\n");
  const Written written = cursor.written();
#ifdef WEIR_HTTP_SELF_CHECK
  if (written) require_sound_response(out.first(written.size), head, options);
#endif
  return written;
}

std::string_view continue_response() {
  return "HTTP/1.1 100 Continue\r\n\r\n";
}

}  // namespace weir::http
