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
  /// More than frame() adds to the data of one call, and than finish() writes.
  static constexpr std::size_t kMaxOverhead = 24;

  BodyWriter() = default;
  /// kUntilClose and kChunked take any number of bytes; kLength exactly `length`; kNone none.
  BodyWriter(Framing framing, std::uint64_t length)
      : framing_(framing), left_(framing == Framing::kLength ? length : 0) {}

  /// For the next `size` bytes. kLength, and nothing counted: more than the head has promised. Of no bytes there is no
  /// frame: an empty chunk would be the last.
  BodyFrame frame(std::size_t size);

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
