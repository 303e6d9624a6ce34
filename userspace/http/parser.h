#pragma once
// Incremental HTTP/1.1 parsing, strict: llhttp reads, a scanner of our own reads along, and a validator holds the head
// to RFC 9112 where llhttp is kinder than a proxy may be. What passes is safe to serialise again for an endpoint.
//
//   while (true) {
//     ParseStep step = parser.feed(input);
//     input.remove_prefix(step.consumed);
//     switch (step.event) { … }
//   }
//
// Input may be cut anywhere; the events do not depend on where. One loop owns a parser; not thread-safe; not movable
// while views of its head are held.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "http/fault.h"
#include "http/limits.h"
#include "http/message.h"
#include "http/scanner.h"

struct llhttp__internal_s;  // NOLINT(bugprone-reserved-identifier): llhttp's own name

namespace weir::http {

/// Before a request. RFC 9112 section 2.2 asks for one to be borne; more than a few are no mistake of an old client.
inline constexpr std::uint8_t kMaxBlankLines = 4;

enum class Event : std::uint8_t {
  kNeedMore,         ///< Everything was consumed; more input is needed.
  kHead,             ///< The head is complete and valid.
  kBody,             ///< `body`: bytes of the payload, a view into the input.
  kMessageComplete,  ///< Stays so until next_message(): the rest of the input is not touched.
  kError,            ///< See fault(). The connection must be closed.
};

struct ParseStep {
  Event event;
  std::size_t consumed;
  std::string_view body;
};

class MessageParser {
 public:
  MessageParser(const MessageParser&) = delete;
  MessageParser& operator=(const MessageParser&) = delete;
  virtual ~MessageParser();

  /// Reads up to the next event. `input` must be what earlier calls did not consume, and what followed it.
  /// An empty input is fine: it yields an event that is due already.
  ParseStep feed(std::string_view input);
  /// The peer has closed its side: kMessageComplete where that ends the message, kNeedMore between messages,
  /// kError (kTruncated) anywhere else: an incomplete message is never completed (RFC 9112 section 8).
  ParseStep finish();

  /// After kMessageComplete: gets ready for the next message and invalidates the head. If the message before was the
  /// connection's last, input that follows is kDataAfterClose.
  void next_message();

  /// No byte of a (further) message has been read.
  [[nodiscard]] bool idle() const { return state_ == State::kStart; }
  [[nodiscard]] bool complete() const { return state_ == State::kComplete; }
  [[nodiscard]] Fault fault() const { return fault_; }
  /// The status that answers the client: of the fault for requests, 502 for responses.
  [[nodiscard]] virtual std::uint16_t fault_status() const = 0;
  /// Trailer fields of this message, all dropped (RFC 9110 section 6.5.1).
  [[nodiscard]] std::uint32_t dropped_trailers() const { return trailers_; }
  /// Always 0: no lenient mode of llhttp is ever set. For the test that holds us to it.
  [[nodiscard]] unsigned lenient_flags() const;

 protected:
  enum class Kind : std::uint8_t { kRequest, kResponse };
  /// What the validator says of a head.
  struct Verdict {
    Fault fault = Fault::kNone;
    Framing framing = Framing::kNone;
    std::uint64_t content_length = 0;
    bool keep_alive = true;
  };
  struct StartLine {
    std::string_view text;  ///< Target or reason.
    std::string_view method;
    unsigned status;
    unsigned major, minor;
    std::uint32_t raw_size;     ///< The line without its line end.
    std::string_view raw_tail;  ///< Its last 8 characters.
  };

  /// `limits` outlives the parser.
  /// `headers`, of the head that the subclass owns, too.
  MessageParser(Kind kind, const Limits& limits, HeaderList& headers);

  virtual Fault on_start_line(const StartLine& line) = 0;
  virtual Verdict on_head() = 0;
  virtual void clear_head() = 0;

  const Limits& limits() const { return *limits_; }
  void count_dropped_header() { ++dropped_headers_; }
  [[nodiscard]] std::uint32_t dropped_headers() const { return dropped_headers_; }

 private:
  friend struct LlhttpCallbacks;
  enum class State : std::uint8_t { kStart, kHead, kBody, kComplete, kFailed };
  enum class BodyPart : std::uint8_t { kPlain, kChunkLine, kChunkData, kTrailers };

  ParseStep skip_blank_lines(std::string_view input);
  ParseStep feed_head(std::string_view input);
  ParseStep feed_plain(std::string_view input);
  ParseStep feed_chunked(std::string_view input);
  Fault finish_start_line();
  ParseStep finish_head(std::size_t consumed);
  Fault feed_chunk_line(std::string_view input, std::size_t& consumed);
  Fault feed_trailers(std::string_view input, std::size_t& consumed);
  Fault pass_body(std::string_view data);
  Fault check_overhead();
  ParseStep fail(Fault fault, std::size_t consumed = 0);
  Fault execute(std::string_view bytes);
  Fault llhttp_fault(int error, char at) const;
  void start_head();
  void start_body();

  // Called by llhttp; return its codes.
  int add_start_text(std::string_view piece);
  int end_start_text();
  int add_name(std::string_view piece);
  int end_name();
  int add_value(std::string_view piece);
  int end_value();
  int end_head();
  int stop(Fault fault);

  const Limits* limits_;
  HeaderList* headers_;
  std::unique_ptr<llhttp__internal_s> llhttp_;
  Kind kind_;
  State state_ = State::kStart;
  BodyPart part_ = BodyPart::kPlain;
  Fault fault_ = Fault::kNone;
  Fault callback_fault_ = Fault::kNone;
  bool head_ended_ = false;     // llhttp has seen the end of the head
  bool message_ended_ = false;  // llhttp has seen the end of the message
  bool in_token_ = false;       // a name or value is being collected
  bool in_trailers_ = false;
  bool last_message_ = false;  // the connection ends with this message
  std::uint8_t blank_lines_ = 0;
  bool blank_cr_ = false;
  std::uint32_t dropped_headers_ = 0;
  std::uint32_t header_count_ = 0;
  std::uint32_t trailers_ = 0;
  Verdict verdict_;
  std::string_view start_text_;
  std::string_view name_;
  std::uint64_t left_ = 0;           // bytes of the body or of the chunk still to come
  std::size_t body_seen_ = 0;        // by llhttp in the last execute()
  std::uint64_t chunk_raw_ = 0;      // bytes of a chunked body with its framing
  std::uint64_t chunk_payload_ = 0;  // without
  LineScanner lines_;
  ChunkLineScanner chunk_lines_;
};

class RequestParser final : public MessageParser {
 public:
  explicit RequestParser(const Limits& limits) : MessageParser(Kind::kRequest, limits, head_.headers) {}

  /// Valid from kHead to next_message(). The proxy may change it: nothing in the parser depends on it any more.
  RequestHead& head() { return head_; }
  [[nodiscard]] const RequestHead& head() const { return head_; }
  [[nodiscard]] std::uint16_t fault_status() const override { return http::fault_status(fault()); }
  /// Gives back the memory of the head; only while idle().
  void release_memory() { head_.headers.release(); }

 private:
  Fault on_start_line(const StartLine& line) override;
  Verdict on_head() override;
  void clear_head() override { head_.clear(); }

  RequestHead head_;
};

class ResponseParser final : public MessageParser {
 public:
  explicit ResponseParser(const Limits& limits) : MessageParser(Kind::kResponse, limits, head_.headers) {}

  /// Before the first byte of each final response (not between an interim response and the next): the request that it
  /// answers, without which its end cannot be found (HEAD), and the protocol that it may switch to, or empty.
  void expect(Method request_method, std::string_view upgrade = {});

  ResponseHead& head() { return head_; }
  [[nodiscard]] const ResponseHead& head() const { return head_; }
  [[nodiscard]] std::uint16_t fault_status() const override { return fault() == Fault::kNone ? 0 : 502; }
  void release_memory() { head_.headers.release(); }

 private:
  Fault on_start_line(const StartLine& line) override;
  Verdict on_head() override;
  void clear_head() override { head_.clear(); }

  ResponseHead head_;
  std::string upgrade_;
  Method request_method_ = Method::kGet;
  std::uint32_t interim_ = 0;
};

}  // namespace weir::http
