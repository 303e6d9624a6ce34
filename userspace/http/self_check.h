#pragma once
// Reads our own output back with the strict parser. On in debug, sanitizer and fuzz builds (WEIR_HTTP_SELF_CHECK),
// where an unsound head ends the process; tests call the functions that return.

#include <span>
#include <string>

#include "http/serializer.h"

namespace weir::http {

/// Empty if `bytes` is one whole request head that says what `head` says of framing and method; else what is wrong.
std::string unsound_request(std::span<const char> bytes, const RequestHead& head);
std::string unsound_response(std::span<const char> bytes, const ResponseHead& head,
                             const ResponseWriteOptions& options);

void require_sound_request(std::span<const char> bytes, const RequestHead& head);
void require_sound_response(std::span<const char> bytes, const ResponseHead& head, const ResponseWriteOptions& options);

}  // namespace weir::http
