#include "http/body_writer.h"

#include <charconv>

#include "http/cursor.h"

namespace weir::http {

BodyWriter::Frame BodyWriter::frame(std::size_t size) {
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

Written BodyWriter::write(std::string_view data, std::span<char> out) {
  const std::size_t overhead = framing_ == Framing::kChunked ? kMaxOverhead : 0;
  if (out.size() < overhead || data.size() > out.size() - overhead) return {0, WriteError::kNoSpace};
  const Frame parts = frame(data.size());
  if (parts.error != WriteError::kNone) return {0, parts.error};
  Cursor cursor(out);
  cursor.put(parts.before);
  cursor.put(data);
  cursor.put(parts.after);
  return cursor.written();
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
