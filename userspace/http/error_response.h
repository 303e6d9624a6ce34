#pragma once
// Small answers of our own: after them the connection is closed.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "http/serializer.h"

namespace weir::http {

/// Room that any error response fits into whose text is no longer than 256 bytes.
constexpr std::size_t kErrorResponseBound = 640;

/// A whole response: status line, `content-type: text/plain`, `connection: close`, the text and a newline as the body
/// (no body for HEAD). 405 says what is allowed. `text` is ours, or checked; kBadValue for a status outside 400 … 599
/// or for a text with control characters.
Written write_error_response(std::uint16_t status, std::string_view text, Method request_method, std::span<char> out);

}  // namespace weir::http
