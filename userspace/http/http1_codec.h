#pragma once
// HTTP/1.1 behind the codec interface.

#include "http/body_writer.h"
#include "http/codec.h"

namespace weir::http {

class Http1ServerCodec final : public ServerCodec {
 public:
  /// `limits` outlives the codec.
  explicit Http1ServerCodec(const Limits& limits) : parser_(limits) {}

  CodecStep read(std::string_view input) override;
  CodecStep read_end() override;
  [[nodiscard]] Fault fault() const override { return parser_.fault(); }
  RequestHead& request(StreamId) override { return parser_.head(); }
  std::size_t head_bound(const ResponseHead& head, const ResponseOptions& options) const override;
  Written write_head(StreamId stream, const ResponseHead& head, const ResponseOptions& options,
                     std::span<char> out) override;
  BodyFrame frame_body(StreamId, std::size_t size) override { return body_.frame(size); }
  Written write_end(StreamId, std::span<char> out) override;
  Written write_error(StreamId stream, std::uint16_t status, std::string_view text, std::span<char> out) override;
  [[nodiscard]] std::size_t body_overhead() const override { return BodyWriter::kMaxOverhead; }
  bool next(StreamId stream) override;
  [[nodiscard]] bool idle() const override { return parser_.idle(); }
  void release_memory() override { parser_.release_memory(); }

 private:
  RequestParser parser_;
  BodyWriter body_;
  StreamId stream_ = 0;
  bool close_ = false;       // after this exchange
  bool final_head_ = false;  // has been written
  bool ended_ = false;       // the response has been written to its end
};

class Http1ClientCodec final : public ClientCodec {
 public:
  explicit Http1ClientCodec(const Limits& limits) : parser_(limits) {}

  std::size_t head_bound(const RequestHead& head, const RequestWriteOptions& options) const override;
  Written write_head(const RequestHead& head, const RequestWriteOptions& options, std::span<char> out) override;
  BodyFrame frame_body(std::size_t size) override { return body_.frame(size); }
  Written write_end(std::span<char> out) override { return body_.finish(out); }
  [[nodiscard]] std::size_t body_overhead() const override { return BodyWriter::kMaxOverhead; }
  CodecStep read(std::string_view input) override;
  CodecStep read_end() override;
  [[nodiscard]] Fault fault() const override { return fault_ != Fault::kNone ? fault_ : parser_.fault(); }
  ResponseHead& response() override { return parser_.head(); }
  bool next() override;
  void release_memory() override { parser_.release_memory(); }

 private:
  ResponseParser parser_;
  BodyWriter body_;
  StreamId stream_ = 0;
  bool awaiting_ = false;       // a request has been written whose final response has not been left behind
  Fault fault_ = Fault::kNone;  // of the exchange, where the parser sees none
};

}  // namespace weir::http
