#pragma once
// A piece of a body on its way out, straight from the buffer that it was received in.

#include <string_view>

#include "http/serializer.h"
#include "net/loop.h"

namespace weir::proxy {

/// Precondition: `frame` is no error, and is of body.size() bytes.
inline void write_framed(const net::Stream& stream, const http::BodyFrame& frame, std::string_view body) {
  stream.write_whole(frame.before);
  stream.write_whole(body);
  stream.write_whole(frame.after);
}

}  // namespace weir::proxy
