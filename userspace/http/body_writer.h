#pragma once
// Bodies on the wire: exactly as many bytes as the head has promised, or chunks of our own making. Chunk sizes,
// extensions and trailers of the sender never get here.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "http/serializer.h"

namespace weir::http {

/// One body. Not thread-safe.
class BodyWriter {
 public:
  /// More than write() adds to the data of one call, and than finish() writes.
  static constexpr std::size_t kMaxOverhead = 24;

  BodyWriter() = default;
  /// kUntilClose and kChunked take any number of bytes; kLength exactly `length`; kNone none.
  BodyWriter(Framing framing, std::uint64_t length)
      : framing_(framing), left_(framing == Framing::kLength ? length : 0) {}

  /// Copies `data` with its framing. Nothing is counted unless all of it fits. Empty data writes nothing: an empty
  /// chunk would be the last.
  Written write(std::string_view data, std::span<char> out);

  /// The same without a copy: what goes before and after `size` bytes that the caller sends itself.
  struct Frame {
    std::string_view before;  ///< Valid until the next call.
    std::string_view after;
    WriteError error = WriteError::kNone;
  };
  Frame frame(std::size_t size);

  /// After the last byte: the last chunk, if there are chunks. kLength if bytes are missing: the connection must then
  /// be closed, a truncated body is never made to look complete (RFC 9112 section 8).
  Written finish(std::span<char> out);

  [[nodiscard]] bool finished() const { return finished_; }
  /// Of a kLength body.
  [[nodiscard]] std::uint64_t left() const { return left_; }

 private:
  Framing framing_ = Framing::kNone;
  std::uint64_t left_ = 0;
  bool finished_ = false;
  std::array<char, 20> prefix_{};
};

}  // namespace weir::http
