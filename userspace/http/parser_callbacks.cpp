// The half of MessageParser that llhttp calls: it collects the head and counts.

#include <llhttp.h>

#include <utility>

#include "http/field.h"
#include "http/parser.h"
#include "http/validator.h"

namespace weir::http {

/// llhttp's callbacks. A return other than 0 stops it: the parser then knows why.
struct LlhttpCallbacks {
  static MessageParser& self(llhttp_t* parser) { return *static_cast<MessageParser*>(parser->data); }

  static int start_text(llhttp_t* parser, const char* at, std::size_t size) {
    return self(parser).add_start_text({at, size});
  }
  static int start_text_complete(llhttp_t* parser) { return self(parser).end_start_text(); }
  static int name(llhttp_t* parser, const char* at, std::size_t size) { return self(parser).add_name({at, size}); }
  static int name_complete(llhttp_t* parser) { return self(parser).end_name(); }
  static int value(llhttp_t* parser, const char* at, std::size_t size) { return self(parser).add_value({at, size}); }
  static int value_complete(llhttp_t* parser) { return self(parser).end_value(); }
  static int head_complete(llhttp_t* parser) { return self(parser).end_head(); }
  static int chunk_header(llhttp_t* parser) {
    self(parser).left_ = parser->content_length;
    return 0;
  }
  static int body(llhttp_t* parser, const char*, std::size_t size) {
    self(parser).body_seen_ += size;
    return 0;
  }
  static int message_complete(llhttp_t* parser) {
    self(parser).message_ended_ = true;
    return HPE_PAUSED;
  }

  static const llhttp_settings_t* table() {
    static const llhttp_settings_t settings = [] {
      llhttp_settings_t s;
      llhttp_settings_init(&s);
      s.on_url = s.on_status = start_text;
      s.on_url_complete = s.on_status_complete = start_text_complete;
      s.on_header_field = name;
      s.on_header_field_complete = name_complete;
      s.on_header_value = value;
      s.on_header_value_complete = value_complete;
      s.on_headers_complete = head_complete;
      s.on_chunk_header = chunk_header;
      s.on_body = body;
      s.on_message_complete = message_complete;
      return s;
    }();
    return &settings;
  }
};

MessageParser::MessageParser(Kind kind, const Limits& limits, HeaderList& headers)
    : limits_(&limits), headers_(&headers), llhttp_(std::make_unique<llhttp__internal_s>()), kind_(kind) {
  llhttp_init(llhttp_.get(), kind == Kind::kRequest ? HTTP_REQUEST : HTTP_RESPONSE, LlhttpCallbacks::table());
  llhttp_->data = this;
}

int MessageParser::stop(Fault fault) {
  callback_fault_ = fault;
  return HPE_USER;
}

int MessageParser::add_start_text(std::string_view piece) {
  Arena& arena = headers_->arena();
  if (!in_token_) arena.begin();
  in_token_ = true;
  arena.append(piece.data(), piece.size());
  return 0;
}

int MessageParser::end_start_text() {
  if (in_token_) start_text_ = headers_->arena().end();
  in_token_ = false;
  return 0;
}

int MessageParser::add_name(std::string_view piece) {
  Arena& arena = headers_->arena();
  if (!in_token_) arena.begin();
  in_token_ = true;
  arena.append_lower(piece.data(), piece.size());
  return 0;
}

int MessageParser::end_name() {
  in_token_ = false;
  Arena& arena = headers_->arena();
  // llhttp checks the characters, but 8.x lets an empty name pass.
  if (arena.token().empty()) return stop(in_trailers_ ? Fault::kTrailer : Fault::kHeaderName);
  if (!in_trailers_) {
    name_ = arena.end();
    return ++header_count_ > limits_->max_headers ? stop(Fault::kTooManyHeaders) : 0;
  }
  const HeaderId id = header_id(arena.token());
  arena.discard();
  if (++trailers_ > limits_->max_headers) return stop(Fault::kTrailer);
  // Framing and routing cannot come after the fact (RFC 9110 section 6.5.1): who sends them tries something.
  const bool forbidden = id == HeaderId::kHost || id == HeaderId::kContentLength || id == HeaderId::kTransferEncoding;
  return forbidden ? stop(Fault::kTrailer) : 0;
}

int MessageParser::add_value(std::string_view piece) {
  if (in_trailers_) return 0;
  Arena& arena = headers_->arena();
  if (!in_token_) arena.begin();
  in_token_ = true;
  arena.append(piece.data(), piece.size());
  return 0;
}

int MessageParser::end_value() {
  if (in_trailers_) return 0;
  const std::string_view value = in_token_ ? trim(headers_->arena().end()) : std::string_view();
  in_token_ = false;
  const std::string_view name = std::exchange(name_, {});
  if (name.empty()) return stop(Fault::kHeaderName);
  const HeaderId id = header_id(name);
  if (id == HeaderId::kOther && name.find('_') != std::string_view::npos) {
    const UnderscoreVerdict verdict = judge_underscore(name, limits_->underscores);
    if (verdict == UnderscoreVerdict::kReject) return stop(Fault::kUnderscore);
    if (verdict == UnderscoreVerdict::kDrop) {
      ++dropped_headers_;
      return 0;
    }
  }
  headers_->push(name, value, id);
  return 0;
}

int MessageParser::end_head() {
  head_ended_ = true;
  verdict_ = on_head();
  if (verdict_.fault != Fault::kNone) return stop(verdict_.fault);
  // Switching protocols is the session's business: llhttp is to end the message as any other.
  llhttp_->upgrade = 0;
  return verdict_.framing == Framing::kNone ? 1 : 0;
}

}  // namespace weir::http
