#include "http/parser.h"
#include "http/validator.h"

namespace weir::http {
namespace {

// " HTTP/1.1" and the space before the target: one space each, no other blank (RFC 9112 section 3).
constexpr std::uint32_t kAroundTarget = 10;

Version version_of(unsigned minor) {
  return minor == 0 ? Version::kHttp10 : Version::kHttp11;
}

}  // namespace

Fault RequestParser::on_start_line(const StartLine& line) {
  if (line.major != 1 || line.minor > 1) return Fault::kVersion;
  // llhttp reads RTSP and ICE as well, and does not say which it was.
  if (line.raw_tail != (line.minor == 0 ? "HTTP/1.0" : "HTTP/1.1")) return Fault::kStartLine;
  head_.target = line.text;
  head_.method_name = line.method;
  head_.method = method_of(line.method);
  head_.version = version_of(line.minor);
  if (line.text.size() > limits().max_target_bytes) return Fault::kTargetTooLong;
  return line.raw_size == line.method.size() + line.text.size() + kAroundTarget ? Fault::kNone : Fault::kStartLine;
}

MessageParser::Verdict RequestParser::on_head() {
  head_.dropped_headers = dropped_headers();
  // Framing first: whatever else is wrong, a message without a certain end is the worst.
  const BodyLength body = read_body_length(head_.headers, head_.version, limits());
  if (body.fault != Fault::kNone) return {body.fault};
  if (head_.method == Method::kConnect || head_.method == Method::kTrace) {
    const bool connect_with_body = head_.method == Method::kConnect && body.framing != Framing::kNone;
    return {connect_with_body ? Fault::kUpgrade : Fault::kMethodRefused};
  }
  head_.framing = body.framing;
  head_.content_length = body.content_length;
  if (const Fault fault = read_target(head_); fault != Fault::kNone) return {fault};
  const ConnectionOptions connection = read_connection(head_.headers);
  if (connection.count > kMaxConnectionOptions) return {Fault::kHeaderValue};
  if (connection.names_fields) head_.headers.mark_nominated();
  if (const Fault fault = read_intentions(head_, connection, limits()); fault != Fault::kNone) return {fault};
  // A proxy keeps no connection to an HTTP/1.0 client, asked or not (RFC 9112 section 9.3).
  head_.keep_alive = head_.version == Version::kHttp11 && !connection.close;
  return {Fault::kNone, body.framing, body.content_length, head_.keep_alive};
}

}  // namespace weir::http
