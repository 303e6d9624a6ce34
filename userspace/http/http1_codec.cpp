#include "http/http1_codec.h"

#include "http/error_response.h"

namespace weir::http {
namespace {

CodecStep on_stream(const ParseStep& step, StreamId stream) {
  return {step.event, step.consumed, step.body, stream};
}

}  // namespace

CodecStep Http1ServerCodec::read(std::string_view input) {
  return on_stream(parser_.feed(input), stream_);
}
CodecStep Http1ServerCodec::read_end() {
  return on_stream(parser_.finish(), stream_);
}

std::size_t Http1ServerCodec::head_bound(const ResponseHead& head, const ResponseOptions& options) const {
  return response_head_bound(head, {.via = options.via});
}

Written Http1ServerCodec::write_head(StreamId, const ResponseHead& head, const ResponseOptions& options,
                                     std::span<char> out) {
  if (final_head_) return {0, WriteError::kBadValue};
  const RequestHead& request = parser_.head();
  const bool keep_alive = request.keep_alive && !options.close && parser_.fault() == Fault::kNone;
  const Written written = write_response_head(head,
                                              {.client_version = request.version,
                                               .request_method = request.method,
                                               .keep_alive = keep_alive,
                                               .via = options.via},
                                              out);
  if (!written || head.interim()) return written;
  final_head_ = true;
  const Framing framing = client_framing(head, request.version, request.method);
  // After 101 the bytes belong to another protocol: the connection never comes back to this codec.
  close_ = !keep_alive || framing == Framing::kUntilClose || head.status == 101;
  body_ = BodyWriter(framing, head.content_length);
  return written;
}

Written Http1ServerCodec::write_end(StreamId, std::span<char> out) {
  if (!final_head_) return {0, WriteError::kLength};
  const Written written = body_.finish(out);
  ended_ = bool(written);
  return written;
}

Written Http1ServerCodec::write_error(StreamId, std::uint16_t status, std::string_view text, std::span<char> out) {
  if (final_head_) return {0, WriteError::kBadValue};
  const Written written = write_error_response(status, text, parser_.head().method, out);
  final_head_ = ended_ = close_ = bool(written);
  return written;
}

bool Http1ServerCodec::next(StreamId) {
  if (close_ || !ended_ || !parser_.complete()) return false;
  parser_.next_message();
  final_head_ = ended_ = false;
  ++stream_;
  return true;
}

std::size_t Http1ClientCodec::head_bound(const RequestHead& head, const RequestWriteOptions& options) const {
  return request_head_bound(head, options);
}

Written Http1ClientCodec::write_head(const RequestHead& head, const RequestWriteOptions& options, std::span<char> out) {
  if (awaiting_) return {0, WriteError::kBadValue};
  const Written written = write_request_head(head, options, out);
  if (!written) return written;
  body_ = BodyWriter(head.framing, head.content_length);
  parser_.expect(head.method, head.upgrade);
  awaiting_ = true;
  return written;
}

CodecStep Http1ClientCodec::read(std::string_view input) {
  if (!awaiting_ && !input.empty()) fault_ = Fault::kDataAfterClose;
  if (fault_ != Fault::kNone) return {Event::kError, 0, {}, stream_};
  if (parser_.complete() && parser_.head().interim()) parser_.next_message();
  return on_stream(parser_.feed(input), stream_);
}

CodecStep Http1ClientCodec::read_end() {
  if (awaiting_ && parser_.complete() && parser_.head().interim()) parser_.next_message();
  // No response at all, or none after an interim one, is as truncated as half a response.
  if (awaiting_ && parser_.idle()) fault_ = Fault::kTruncated;
  if (fault_ != Fault::kNone) return {Event::kError, 0, {}, stream_};
  return on_stream(parser_.finish(), stream_);
}

bool Http1ClientCodec::next() {
  const bool sound = awaiting_ && fault_ == Fault::kNone && parser_.complete() && parser_.head().keep_alive;
  if (!sound || parser_.head().interim() || parser_.head().status == 101 || !body_.finished()) return false;
  parser_.next_message();
  awaiting_ = false;
  ++stream_;
  return true;
}

}  // namespace weir::http
