#include "http/body_writer.h"

#include <charconv>

#include "http/cursor.h"

namespace weir::http {

BodyFrame BodyWriter::frame(std::size_t size) {
  if (size == 0) return {};
  if (finished_) return {{}, {}, WriteError::kLength};
  switch (framing_) {
    case Framing::kNone:
      return {{}, {}, WriteError::kLength};
    case Framing::kLength:
      if (size > left_) return {{}, {}, WriteError::kLength};
      left_ -= size;
      return {};
    case Framing::kUntilClose:
      return {};
    case Framing::kChunked:
      break;
  }
  char* end = std::to_chars(prefix_.data(), prefix_.data() + prefix_.size() - 2, size, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  return {{prefix_.data(), static_cast<std::size_t>(end - prefix_.data())}, "\r\n"};
}

Written BodyWriter::finish(std::span<char> out) {
  if (finished_) return {};
  if (left_ != 0) return {0, WriteError::kLength};
  Cursor cursor(out);
  if (framing_ == Framing::kChunked) cursor.put("0\r\n\r\n");
  finished_ = bool(cursor.written());
  return cursor.written();
}

}  // namespace weir::http
