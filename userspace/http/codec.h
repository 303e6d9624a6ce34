#pragma once
// The border between the proxy's session and a version of HTTP. A session holds one ServerCodec for its client and one
// ClientCodec for each connection to an endpoint, and sees heads, body bytes and ends of messages: nothing of how they
// look on the wire. HTTP/1.1 has one exchange at a time (stream 0, 1, 2 …); a version with several says so by `stream`.
//
// One loop owns a codec; not thread-safe.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "http/fault.h"
#include "http/message.h"
#include "http/parser.h"
#include "http/serializer.h"

namespace weir::http {

using StreamId = std::uint64_t;

struct CodecStep {
  Event event;
  std::size_t consumed;
  std::string_view body;  ///< A view into the input.
  StreamId stream;
};

/// The client's side: reads requests, writes responses.
class ServerCodec {
 public:
  virtual ~ServerCodec() = default;

  /// As MessageParser::feed() and finish(). kMessageComplete stays until next().
  virtual CodecStep read(std::string_view input) = 0;
  virtual CodecStep read_end() = 0;
  [[nodiscard]] virtual Fault fault() const = 0;
  /// From kHead to next() of that stream.
  virtual RequestHead& request(StreamId stream) = 0;

  struct ResponseOptions {
    std::string_view via = {};
    /// Close after this response though the client might go on: draining, or its request was not read to the end.
    bool close = false;
  };
  virtual std::size_t head_bound(const ResponseHead& head, const ResponseOptions& options) const = 0;
  /// Interim responses (1xx) any number of times, then one other.
  virtual Written write_head(StreamId stream, const ResponseHead& head, const ResponseOptions& options,
                             std::span<char> out) = 0;
  /// For the next `size` bytes of the body, which the caller sends itself between the two.
  virtual BodyFrame frame_body(StreamId stream, std::size_t size) = 0;
  /// kLength: the body is short; close the connection without another byte.
  virtual Written write_end(StreamId stream, std::span<char> out) = 0;
  /// A whole answer of our own, after which the connection is closed. Only while no head of a final response was
  /// written.
  virtual Written write_error(StreamId stream, std::uint16_t status, std::string_view text, std::span<char> out) = 0;
  /// What frame_body() may add to the bytes of one call, and write_end() at most writes.
  [[nodiscard]] virtual std::size_t body_overhead() const = 0;

  /// After the exchange has ended on both sides: on to the next request. False if the connection has to be closed
  /// instead.
  virtual bool next(StreamId stream) = 0;
  /// Nothing of a request has been read: the connection may be closed, or its memory given back, without loss.
  [[nodiscard]] virtual bool idle() const = 0;
  virtual void release_memory() = 0;
};

/// The endpoint's side: writes requests, reads responses.
class ClientCodec {
 public:
  virtual ~ClientCodec() = default;

  virtual std::size_t head_bound(const RequestHead& head, const RequestWriteOptions& options) const = 0;
  virtual Written write_head(const RequestHead& head, const RequestWriteOptions& options, std::span<char> out) = 0;
  virtual BodyFrame frame_body(std::size_t size) = 0;
  virtual Written write_end(std::span<char> out) = 0;
  [[nodiscard]] virtual std::size_t body_overhead() const = 0;

  /// kMessageComplete after an interim response: the next call goes on with the next one. After the final response it
  /// stays until next(). Bytes that come when no response is awaited are kError (kDataAfterClose).
  virtual CodecStep read(std::string_view input) = 0;
  virtual CodecStep read_end() = 0;
  [[nodiscard]] virtual Fault fault() const = 0;
  virtual ResponseHead& response() = 0;

  /// After the exchange: true if the connection may carry another request (both messages complete, the endpoint keeps
  /// it open, nothing was upgraded). False: close it, never pool it.
  virtual bool next() = 0;
  virtual void release_memory() = 0;
};

}  // namespace weir::http
