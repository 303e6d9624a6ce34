#include "http/field.h"
#include "http/parser.h"
#include "http/validator.h"

namespace weir::http {
namespace {

// "HTTP/1.1 200 ": the space after the code belongs to the line even where no reason follows (RFC 9112 section 4).
constexpr std::uint32_t kBeforeReason = 13;

}  // namespace

void ResponseParser::expect(Method request_method, std::string_view upgrade) {
  request_method_ = request_method;
  upgrade_.assign(upgrade);
  interim_ = 0;
}

Fault ResponseParser::on_start_line(const StartLine& line) {
  if (line.major != 1 || line.minor > 1) return Fault::kVersion;
  if (line.status < 100 || line.status > 599 || !is_field_value(line.text)) return Fault::kStatusLine;
  if (line.raw_size != kBeforeReason + line.text.size()) return Fault::kStatusLine;
  head_.status = static_cast<std::uint16_t>(line.status);
  head_.reason = line.text;
  head_.version = line.minor == 0 ? Version::kHttp10 : Version::kHttp11;
  return Fault::kNone;
}

MessageParser::Verdict ResponseParser::on_head() {
  const BodyLength body = read_body_length(head_.headers, head_.version, limits());
  if (body.fault != Fault::kNone) return {body.fault};
  const ConnectionOptions connection = read_connection(head_.headers);
  if (connection.count > kMaxConnectionOptions) return {Fault::kHeaderValue};
  if (connection.names_fields) head_.headers.mark_nominated();
  if (head_.status == 101) {
    const bool asked = !upgrade_.empty() && connection.upgrade && head_.headers.count(HeaderId::kUpgrade) == 1 &&
                       equals_ignore_case(head_.headers.value(HeaderId::kUpgrade), upgrade_);
    if (!asked) return {Fault::kUnaskedUpgrade};
  }
  if (head_.interim() && ++interim_ > limits().max_interim_responses) return {Fault::kTooManyInterim};
  // A 1.0 endpoint's connection is not kept: its Keep-Alive is not ours to trust (RFC 9112 section 9.3).
  head_.keep_alive = head_.interim() || (head_.version == Version::kHttp11 && !connection.close);
  const bool never_body = head_.status < 200 || head_.status == 204;
  if (never_body && (body.framing == Framing::kChunked || body.content_length != 0)) {
    // It announces a body that must not be there (RFC 9112 section 6.3): what follows is anyone's guess.
    head_.keep_alive = false;
  }
  if (never_body || head_.status == 304 || request_method_ == Method::kHead) {
    return {Fault::kNone, Framing::kNone, 0, head_.keep_alive};
  }
  head_.framing = body.framing == Framing::kNone ? Framing::kUntilClose : body.framing;
  head_.content_length = body.content_length;
  if (head_.framing == Framing::kUntilClose) head_.keep_alive = false;
  return {Fault::kNone, head_.framing, body.content_length, head_.keep_alive};
}

}  // namespace weir::http
