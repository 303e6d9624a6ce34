#include "http/parser.h"

#include <llhttp.h>

#include <algorithm>

namespace weir::http {
namespace {

// A request line is the target, a method, a version and two spaces; llhttp knows no method of more than 15 characters.
constexpr std::uint32_t kAroundTarget = 32;

}  // namespace

MessageParser::~MessageParser() = default;

unsigned MessageParser::lenient_flags() const {
  return llhttp_->lenient_flags;
}

ParseStep MessageParser::feed(std::string_view input) {
  switch (state_) {
    case State::kFailed:
      return {Event::kError, 0, {}};
    case State::kComplete:
      return {Event::kMessageComplete, 0, {}};
    case State::kStart:
      return skip_blank_lines(input);
    case State::kHead:
      return feed_head(input);
    case State::kBody:
      return part_ == BodyPart::kPlain ? feed_plain(input) : feed_chunked(input);
  }
  return fail(Fault::kSyntax);
}

ParseStep MessageParser::finish() {
  if (state_ == State::kFailed) return {Event::kError, 0, {}};
  if (state_ == State::kComplete) return {Event::kMessageComplete, 0, {}};
  if (state_ == State::kStart && !blank_cr_) return {Event::kNeedMore, 0, {}};
  const bool ended = message_ended_ && left_ == 0;
  if (state_ == State::kBody && (ended || verdict_.framing == Framing::kUntilClose)) {
    state_ = State::kComplete;
    return {Event::kMessageComplete, 0, {}};
  }
  return fail(Fault::kTruncated);
}

void MessageParser::next_message() {
  if (state_ != State::kComplete) return;
  clear_head();
  llhttp_reset(llhttp_.get());
  head_ended_ = message_ended_ = in_token_ = in_trailers_ = blank_cr_ = false;
  blank_lines_ = 0;
  dropped_headers_ = header_count_ = trailers_ = 0;
  left_ = chunk_raw_ = chunk_payload_ = 0;
  start_text_ = name_ = {};
  state_ = State::kStart;
}

/// Empty lines before a request are an old client's (RFC 9112 section 2.2); an endpoint sends none.
ParseStep MessageParser::skip_blank_lines(std::string_view input) {
  if (last_message_ && !input.empty()) return fail(Fault::kDataAfterClose);
  std::size_t at = 0;
  for (; at < input.size() && kind_ == Kind::kRequest; ++at) {
    if (blank_cr_) {
      if (input[at] != '\n') return fail(Fault::kLineEnd, at);
      blank_cr_ = false;
      if (++blank_lines_ > kMaxBlankLines) return fail(Fault::kSyntax, at);
    } else if (input[at] == '\r') {
      blank_cr_ = true;
    } else if (input[at] == '\n') {
      return fail(Fault::kLineEnd, at);
    } else {
      break;
    }
  }
  if (at == input.size()) return {Event::kNeedMore, at, {}};
  start_head();
  ParseStep step = feed_head(input.substr(at));
  step.consumed += at;
  return step;
}

void MessageParser::start_head() {
  const Limits& limits = *limits_;
  const std::uint32_t first_line =
      kind_ == Kind::kRequest ? limits.max_target_bytes + kAroundTarget : limits.max_line_bytes;
  lines_.start({.first_line = first_line,
                .line = limits.max_line_bytes,
                .section = limits.max_head_bytes,
                .first_line_too_long = kind_ == Kind::kRequest ? Fault::kTargetTooLong : Fault::kStatusLine,
                .line_too_long = Fault::kLineTooLong,
                .section_too_large = Fault::kHeadTooLarge},
               true);
  state_ = State::kHead;
}

ParseStep MessageParser::feed_head(std::string_view input) {
  std::size_t at = 0;
  for (;;) {
    const LineScanner::Scan scan = lines_.scan(input.substr(at));
    if (const Fault fault = execute(input.substr(at, scan.size)); fault != Fault::kNone) return fail(fault, at);
    at += scan.size;
    if (head_ended_ != (scan.stop == LineScanner::Stop::kEnd)) return fail(Fault::kSyntax, at);
    switch (scan.stop) {
      case LineScanner::Stop::kInput:
        return {Event::kNeedMore, at, {}};
      case LineScanner::Stop::kFault:
        return fail(scan.fault, at);
      case LineScanner::Stop::kFirstLine:
        if (const Fault fault = finish_start_line(); fault != Fault::kNone) return fail(fault, at);
        break;
      case LineScanner::Stop::kEnd:
        return finish_head(at);
    }
  }
}

Fault MessageParser::finish_start_line() {
  const llhttp_t& parser = *llhttp_;
  // HTTP/0.9: "GET /" has ended, and no version has been seen.
  if (parser.http_major == 0 && parser.method != HTTP_PRI) return Fault::kVersion;
  if (in_token_) return Fault::kStartLine;
  if (kind_ == Kind::kRequest && parser.method == HTTP_PRI) return Fault::kHttp2Preface;
  StartLine line{};
  line.text = start_text_;
  if (kind_ == Kind::kRequest) line.method = llhttp_method_name(static_cast<llhttp_method_t>(parser.method));
  line.status = parser.status_code;
  line.major = parser.http_major;
  line.minor = parser.http_minor;
  line.raw_size = lines_.first_line_size();
  line.raw_tail = lines_.first_line_tail();
  return on_start_line(line);
}

ParseStep MessageParser::finish_head(std::size_t consumed) {
  last_message_ = !verdict_.keep_alive;
  start_body();
  return {Event::kHead, consumed, {}};
}

void MessageParser::start_body() {
  state_ = State::kBody;
  part_ = BodyPart::kPlain;
  left_ = verdict_.content_length;
  if (verdict_.framing == Framing::kUntilClose) left_ = UINT64_MAX;
  if (verdict_.framing == Framing::kChunked) {
    part_ = BodyPart::kChunkLine;
    chunk_lines_.start_message({limits_->max_chunk_extension_bytes, limits_->max_message_extension_bytes});
    chunk_lines_.start_line(false);
  }
}

/// Body of known length, of none, or until close.
ParseStep MessageParser::feed_plain(std::string_view input) {
  if (message_ended_ && left_ == 0) {
    state_ = State::kComplete;
    return {Event::kMessageComplete, 0, {}};
  }
  if (input.empty()) return {Event::kNeedMore, 0, {}};
  const std::string_view data = input.substr(0, std::min<std::uint64_t>(left_, input.size()));
  if (const Fault fault = pass_body(data); fault != Fault::kNone) return fail(fault);
  if (verdict_.framing == Framing::kUntilClose) return {Event::kBody, data.size(), data};
  left_ -= data.size();
  if (message_ended_ != (left_ == 0)) return fail(Fault::kSyntax);
  return {Event::kBody, data.size(), data};
}

Fault MessageParser::pass_body(std::string_view data) {
  body_seen_ = 0;
  if (const Fault fault = execute(data); fault != Fault::kNone) return fault;
  return body_seen_ == data.size() ? Fault::kNone : Fault::kSyntax;
}

ParseStep MessageParser::feed_chunked(std::string_view input) {
  std::size_t at = 0;
  while (part_ != BodyPart::kChunkData) {
    if (message_ended_) {
      state_ = State::kComplete;
      return {Event::kMessageComplete, at, {}};
    }
    if (at == input.size()) return {Event::kNeedMore, at, {}};
    std::size_t used = 0;
    const std::string_view rest = input.substr(at);
    const Fault fault = part_ == BodyPart::kTrailers ? feed_trailers(rest, used) : feed_chunk_line(rest, used);
    at += used;
    if (fault != Fault::kNone) return fail(fault, at);
  }
  const std::string_view data = input.substr(at, std::min<std::uint64_t>(left_, input.size() - at));
  if (data.empty()) return {Event::kNeedMore, at, {}};
  if (const Fault fault = pass_body(data); fault != Fault::kNone) return fail(fault, at);
  left_ -= data.size();
  chunk_raw_ += data.size();
  chunk_payload_ += data.size();
  if (left_ == 0) {
    part_ = BodyPart::kChunkLine;
    chunk_lines_.start_line(true);
  }
  return {Event::kBody, at + data.size(), data};
}

Fault MessageParser::feed_chunk_line(std::string_view input, std::size_t& consumed) {
  const ChunkLineScanner::Scan scan = chunk_lines_.scan(input);
  left_ = UINT64_MAX;  // until llhttp says the size
  if (const Fault fault = execute(input.substr(0, scan.skip_end == 0 ? scan.size : scan.skip_begin));
      fault != Fault::kNone) {
    return fault;
  }
  if (scan.skip_end != 0) {
    const std::string_view rest = input.substr(scan.skip_end, scan.size - scan.skip_end);
    if (const Fault fault = execute(rest); fault != Fault::kNone) return fault;
  }
  consumed = scan.size;
  chunk_raw_ += scan.size;
  if (scan.fault != Fault::kNone) return scan.fault;
  if (const Fault fault = check_overhead(); fault != Fault::kNone) return fault;
  const bool sized = left_ != UINT64_MAX;
  if (sized != scan.complete) return Fault::kChunk;
  if (!sized) return Fault::kNone;
  if (left_ > limits_->max_content_length) return Fault::kContentTooLarge;
  part_ = left_ == 0 ? BodyPart::kTrailers : BodyPart::kChunkData;
  if (left_ != 0) return Fault::kNone;
  in_trailers_ = true;
  lines_.start({.first_line = limits_->max_trailer_bytes,
                .line = limits_->max_trailer_bytes,
                .section = limits_->max_trailer_bytes,
                .first_line_too_long = Fault::kTrailer,
                .line_too_long = Fault::kTrailer,
                .section_too_large = Fault::kTrailer},
               false);
  return Fault::kNone;
}

/// As picohttpparser has it: much framing and little in it costs us, not the sender.
Fault MessageParser::check_overhead() {
  const std::uint64_t overhead = chunk_raw_ - chunk_payload_;
  return overhead >= limits_->max_chunk_overhead_bytes && chunk_payload_ < chunk_raw_ / 4 ? Fault::kChunkOverhead
                                                                                          : Fault::kNone;
}

Fault MessageParser::feed_trailers(std::string_view input, std::size_t& consumed) {
  const LineScanner::Scan scan = lines_.scan(input);
  if (const Fault fault = execute(input.substr(0, scan.size)); fault != Fault::kNone) return fault;
  consumed = scan.size;
  if (scan.fault != Fault::kNone) return scan.fault;
  return message_ended_ == (scan.stop == LineScanner::Stop::kEnd) ? Fault::kNone : Fault::kTrailer;
}

ParseStep MessageParser::fail(Fault fault, std::size_t consumed) {
  state_ = State::kFailed;
  fault_ = fault;
  return {Event::kError, consumed, {}};
}

/// Runs llhttp over `bytes`, all of which it must take: the scanner has found where the section ends.
Fault MessageParser::execute(std::string_view bytes) {
  if (bytes.empty()) return Fault::kNone;
  const llhttp_errno_t error = llhttp_execute(llhttp_.get(), bytes.data(), bytes.size());
  if (error == HPE_OK) return Fault::kNone;
  if (callback_fault_ != Fault::kNone) return callback_fault_;
  const char* position = llhttp_get_error_pos(llhttp_.get());
  const bool inside = position >= bytes.data() && position < bytes.data() + bytes.size();
  // The only pause is ours, at the end of the message; it must be the end of the section too.
  if (error == HPE_PAUSED) return inside ? Fault::kSyntax : Fault::kNone;
  return llhttp_fault(error, inside ? *position : '\0');
}

Fault MessageParser::llhttp_fault(int error, char at) const {
  switch (error) {
    case HPE_INVALID_METHOD:
      return Fault::kMethod;
    case HPE_INVALID_URL:
      return Fault::kTarget;
    case HPE_INVALID_VERSION:
      // A good version with something behind it is a malformed line; any other is a version that we do not speak.
      return llhttp_->http_major == 1 && llhttp_->http_minor <= 1 ? Fault::kStartLine : Fault::kVersion;
    case HPE_INVALID_CONSTANT:
      // "http/1.1": a version, but none that exists (RFC 9112 section 2.3: the name is case-sensitive).
      return !start_text_.empty() && (at == 'h' || at == 'H') ? Fault::kVersion : Fault::kStartLine;
    case HPE_PAUSED_H2_UPGRADE:
      return Fault::kHttp2Preface;
    case HPE_STRICT:
    case HPE_LF_EXPECTED:
    case HPE_CR_EXPECTED:
      return Fault::kLineEnd;
    case HPE_UNEXPECTED_CONTENT_LENGTH:
      return Fault::kLengthAndEncoding;
    case HPE_UNEXPECTED_SPACE:
      return Fault::kFold;
    case HPE_INVALID_HEADER_TOKEN:
      return in_trailers_ ? Fault::kTrailer : Fault::kHeaderName;
    case HPE_INVALID_CONTENT_LENGTH:
      return std::string_view(llhttp_get_error_reason(llhttp_.get())) == "Content-Length overflow"
                 ? Fault::kContentTooLarge
                 : Fault::kContentLength;
    case HPE_INVALID_CHUNK_SIZE:
      return Fault::kChunk;
    case HPE_INVALID_STATUS:
      return Fault::kStatusLine;
    case HPE_INVALID_TRANSFER_ENCODING:
      return Fault::kTransferEncoding;
    default:
      return Fault::kSyntax;
  }
}

}  // namespace weir::http
